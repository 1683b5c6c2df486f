/* What the chip does once a command has come whole. */
#include "random.h"
#include "spi_nor_model_internal.h"

#include <string.h>

static void be_busy(struct nkv_spi_nor_model *model, uint32_t time_us)
{
    model->busy_until_ns = model->ailment == NKV_SPI_NOR_HANGS
                               ? UINT64_MAX
                               : model->now_ns + time_us * UINT64_C(1000);
    model->is_writing = true;
}

static bool is_latched(struct nkv_spi_nor_model *model)
{
    if ((model->status & NKV_MODEL_LATCH) == 0) {
        nkv_model_violate(model, "a write without a write enable");
        model->counts.ignored++;
        return false;
    }
    return true;
}

static bool is_protected(struct nkv_spi_nor_model *model, uint32_t address)
{
    const unsigned level = model->status >> 2 & 7;
    const bool is_inverted = (model->second_status & NKV_MODEL_COMPLEMENT) != 0;
    uint32_t first = model->part.size;

    if (level == 7) {
        first = 0;
    } else if (level > 0) {
        first = model->part.size - (model->part.size >> (6 - level));
    }
    if ((address >= first) == is_inverted) {
        return false;
    }
    if (model->part.protection_clears_latch) {
        model->status &= (uint8_t)~NKV_MODEL_LATCH;
    }
    model->counts.ignored++;
    return true;
}

/* Whether the power fails in the operation that begins. */
static bool is_cut(struct nkv_spi_nor_model *model)
{
    if (model->cut.at == 0 || --model->cut.at > 0) {
        return false;
    }
    model->is_off = true;
    return true;
}

/* Bits of a byte that was under way when the power failed. */
static void tear_byte(struct nkv_spi_nor_model *model, uint8_t *byte,
                      uint8_t wanted)
{
    *byte &= (uint8_t)(wanted | nkv_random(&model->random));
}

static void program(struct nkv_spi_nor_model *model)
{
    const uint32_t page = model->part.page_size;
    const uint32_t start = model->address % model->part.size / page * page;
    const uint32_t first = model->address % page;
    const uint32_t count = model->page_bytes < page ? model->page_bytes : page;
    const bool cut = is_cut(model);

    if (model->address >= model->part.size) {
        nkv_model_violate(model, "a program behind the end");
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t at = (first + i) % page;
        uint8_t *byte = &model->bytes[start + at];

        if (cut && i >= model->cut.amount) {
            tear_byte(model, byte, model->page[at]);
            return;
        }
        if (*byte != 0xFF && model->page[at] != 0xFF) {
            nkv_model_violate(model, "a byte programmed twice");
        }
        *byte &= model->page[at];
    }
    model->counts.programs++;
    model->counts.programmed_bytes += count;
    be_busy(model, model->part.program_us);
}

static void erase_bytes(struct nkv_spi_nor_model *model, uint8_t *bytes,
                        uint32_t size)
{
    if (!is_cut(model)) {
        memset(bytes, 0xFF, size);
        return;
    }
    if (model->cut.amount == 1) {
        nkv_random_fill(&model->random, bytes, size);
    } else if (model->cut.amount > 1) {
        memset(bytes, 0xFF, size);
    }
}

static void erase(struct nkv_spi_nor_model *model, uint32_t size,
                  uint32_t time_us)
{
    uint32_t address = model->address % model->part.size;

    if (model->address >= model->part.size) {
        nkv_model_violate(model, "an erase behind the end");
    }
    if (address % size != 0) {
        nkv_model_violate(model, "an erase within a sector");
    }
    erase_bytes(model, model->bytes + address / size * size, size);
    model->counts.erases++;
    be_busy(model, time_us);
}

/* Programs and erases, that is: what protection is about. */
static void write_array(struct nkv_spi_nor_model *model)
{
    const struct nkv_spi_nor_part *part = &model->part;

    if (!is_latched(model) ||
        is_protected(model, model->address % part->size)) {
        return;
    }
    switch (model->opcode) {
    case 0x20:
    case 0x21:
        erase(model, 4096, part->erase_4_kib_us);
        break;
    case 0x52:
        erase(model, 32768, part->erase_32_kib_us);
        break;
    case 0xD8:
    case 0xDC:
        erase(model, 65536, part->erase_64_kib_us);
        break;
    default:
        if (model->page_bytes > 0) {
            program(model);
        }
        break;
    }
}

/* One byte alone clears the second register, as the data sheet warns. */
static void write_status(struct nkv_spi_nor_model *model)
{
    if (!is_latched(model) || model->page_bytes == 0) {
        return;
    }
    model->counts.status_writes++;
    /* SRP0 with the write protect pin low. */
    if ((model->status & 0x80) == 0) {
        model->status = model->page[0] & NKV_MODEL_STATUS_WRITABLE;
        model->second_status = model->page_bytes > 1 ? model->page[1] : 0;
    }
    be_busy(model, model->part.status_us);
}

static void enter(struct nkv_spi_nor_model *model)
{
    if (model->part.needs_enable_to_enter &&
        (model->status & NKV_MODEL_LATCH) == 0) {
        nkv_model_violate(model, "a change of mode without a write enable");
        return;
    }
    model->is_in_4_byte_mode = model->opcode == 0xB7;
}

void nkv_model_carry_out(struct nkv_spi_nor_model *model)
{
    switch (model->opcode) {
    case 0x06:
        model->counts.enables++;
        if (model->ailment != NKV_SPI_NOR_TAKES_NO_ENABLE) {
            model->status |= NKV_MODEL_LATCH;
        }
        break;
    case 0x04:
        model->status &= (uint8_t)~NKV_MODEL_LATCH;
        break;
    case 0x01:
        write_status(model);
        break;
    case 0x7A:
        if ((model->second_status & NKV_MODEL_SUSPENDED) != 0) {
            model->second_status &= (uint8_t)~NKV_MODEL_SUSPENDED;
            be_busy(model, model->part.erase_4_kib_us);
        }
        break;
    case 0x02:
    case 0x12:
    case 0x20:
    case 0x21:
    case 0x52:
    case 0xD8:
    case 0xDC:
        write_array(model);
        break;
    case 0xB7:
    case 0xE9:
        enter(model);
        break;
    case 0xB9:
        model->is_asleep = true;
        break;
    case 0xAB:
        if (model->is_asleep) {
            model->is_asleep = false;
            model->wakes_at_ns =
                model->now_ns + model->part.wake_us * UINT64_C(1000);
        }
        break;
    default:
        break;
    }
}
