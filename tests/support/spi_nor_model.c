/* The chip's side of the bus. */
#include "spi_nor_model_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* 8 MHz. */
    BYTE_NS = 1000,
    NOW_NS = 100,
    PAUSE_NS = 1000000,
    SILENT = 0xFF
};

const struct nkv_spi_nor_part nkv_spi_nor_w25q80 = {
    .id = {0xEF, 0x40, 0x14},
    .size = 1 << 20,
    .page_size = 256,
    .erases_32_kib = true,
    .is_winbond = true,
    .program_us = 700,
    .erase_4_kib_us = 30000,
    .erase_32_kib_us = 120000,
    .erase_64_kib_us = 150000,
    .status_us = 10000,
    .wake_us = 3,
};

const struct nkv_spi_nor_part nkv_spi_nor_w25q256 = {
    .id = {0xEF, 0x40, 0x19},
    .size = 32 << 20,
    .page_size = 256,
    .has_4_byte_mode = true,
    .erases_32_kib = true,
    .is_winbond = true,
    .program_us = 700,
    .erase_4_kib_us = 45000,
    .erase_32_kib_us = 120000,
    .erase_64_kib_us = 150000,
    .status_us = 10000,
    .wake_us = 3,
};

void nkv_model_violate(struct nkv_spi_nor_model *model, const char *what)
{
    if (model->violations++ == 0) {
        model->violation = what;
    }
}

bool nkv_model_is_busy(const struct nkv_spi_nor_model *model)
{
    return model->now_ns < model->busy_until_ns;
}

uint32_t nkv_model_address_bytes(const struct nkv_spi_nor_model *model)
{
    switch (model->opcode) {
    case 0x12:
    case 0x13:
    case 0x21:
    case 0xDC:
        return 4;
    case 0x02:
    case 0x03:
    case 0x20:
    case 0x52:
    case 0xD8:
        return model->is_in_4_byte_mode || model->part.always_has_4_bytes ? 4
                                                                          : 3;
    case 0x5A:
        return 3;
    default:
        return 0;
    }
}

static bool is_known(const struct nkv_spi_nor_model *model, uint8_t opcode)
{
    const struct nkv_spi_nor_part *part = &model->part;

    switch (opcode) {
    case 0x12:
    case 0x13:
    case 0x21:
    case 0xDC:
        return part->has_4_byte_commands;
    case 0xB7:
    case 0xE9:
        return part->has_4_byte_mode;
    case 0x52:
        return part->erases_32_kib;
    case 0x5A:
        return part->sfdp != NULL;
    case 0x35:
    case 0x4B:
    case 0x7A:
        return part->is_winbond;
    default:
        return strchr("\x01\x02\x03\x04\x05\x06\x20\x9F\xAB\xB9\xD8", opcode) !=
               NULL;
    }
}

/* The latch clears itself when a write is over, not before. */
static void finish_write(struct nkv_spi_nor_model *model)
{
    if (model->is_writing && !nkv_model_is_busy(model)) {
        model->is_writing = false;
        model->status &= (uint8_t)~NKV_MODEL_LATCH;
    }
}

/* The first byte: whether the chip takes the command. */
static void begin(struct nkv_spi_nor_model *model, uint8_t opcode)
{
    const bool asks_status = opcode == 0x05 || opcode == 0x35;

    finish_write(model);
    model->opcode = opcode;
    if (model->is_asleep && opcode != 0xAB) {
        model->is_ignored = true;
    } else if (model->now_ns < model->wakes_at_ns) {
        nkv_model_violate(model, "a command before the chip is awake");
        model->is_ignored = true;
    } else if (nkv_model_is_busy(model) && !asks_status) {
        nkv_model_violate(model, "a command to a busy chip");
        model->is_ignored = true;
    } else if (opcode == 0 || !is_known(model, opcode)) {
        model->is_ignored = true;
    }
    model->counts.ignored += model->is_ignored;
}

static uint8_t status_of(struct nkv_spi_nor_model *model)
{
    finish_write(model);
    return (uint8_t)(model->status |
                     (nkv_model_is_busy(model) ? NKV_MODEL_BUSY : 0));
}

static uint8_t read_array(struct nkv_spi_nor_model *model)
{
    if (model->address >= model->part.size) {
        nkv_model_violate(model, "a read behind the end");
    }
    return model->bytes[model->address++ % model->part.size];
}

static uint8_t read_sfdp(struct nkv_spi_nor_model *model, uint32_t index)
{
    /* The byte after the address is none. */
    const uint32_t at = model->address + index - 1;

    return index >= 1 && at < model->part.sfdp_size ? model->part.sfdp[at]
                                                    : SILENT;
}

/* Where a program goes: what is beyond the page wraps to its start, and what
 * wraps onto bytes that were sent takes their place. */
static void take_data(struct nkv_spi_nor_model *model, uint8_t byte)
{
    const uint32_t page = model->part.page_size;
    const uint32_t at = (model->address + model->page_bytes) % page;

    if (model->page_bytes == 0) {
        memset(model->page, 0xFF, page);
    } else if (at == 0) {
        nkv_model_violate(model, "a program that wraps in its page");
    }
    model->page[at] = byte;
    model->page_bytes++;
}

/* A byte behind the address, the index-th from 0. */
static uint8_t data_byte(struct nkv_spi_nor_model *model, uint32_t index,
                         uint8_t byte)
{
    static const uint8_t unique[] = {0xD2, 0x64, 0x10, 0x01,
                                     0x02, 0x03, 0x04, 0x05};
    const uint32_t dummies = model->is_in_4_byte_mode ? 5 : 4;

    switch (model->opcode) {
    case 0x05:
        return status_of(model);
    case 0x35:
        return model->second_status;
    case 0x9F:
        return index < 3 ? model->part.id[index] : 0;
    case 0x4B:
        return index >= dummies ? unique[(index - dummies) % 8] : SILENT;
    case 0x5A:
        return read_sfdp(model, index);
    case 0x03:
    case 0x13:
        return read_array(model);
    case 0x01:
    case 0x02:
    case 0x12:
        take_data(model, byte);
        return SILENT;
    default:
        return SILENT;
    }
}

static uint8_t clock_byte(struct nkv_spi_nor_model *model, uint8_t byte)
{
    const uint32_t at = model->received++;
    uint32_t address_bytes;

    if (at == 0) {
        begin(model, byte);
        return SILENT;
    }
    if (model->is_ignored) {
        return SILENT;
    }
    address_bytes = nkv_model_address_bytes(model);
    if (at <= address_bytes) {
        model->address = model->address << 8 | byte;
        return SILENT;
    }
    return data_byte(model, at - 1 - address_bytes, byte);
}

static bool is_connected(const struct nkv_spi_nor_model *model)
{
    return !model->is_off && model->ailment != NKV_SPI_NOR_READS_ONES &&
           model->ailment != NKV_SPI_NOR_READS_ZEROS;
}

static void select(void *context)
{
    struct nkv_spi_nor_model *model = context;

    if (model->is_selected) {
        nkv_model_violate(model, "selected twice");
    }
    model->is_selected = true;
    model->is_ignored = false;
    model->received = 0;
    model->address = 0;
    model->page_bytes = 0;
}

static void deselect(void *context)
{
    struct nkv_spi_nor_model *model = context;

    if (!model->is_selected) {
        nkv_model_violate(model, "deselected twice");
    }
    model->is_selected = false;
    if (!is_connected(model) || model->received == 0 || model->is_ignored) {
        return;
    }
    if (model->received <= nkv_model_address_bytes(model)) {
        nkv_model_violate(model, "a command that ends in its address");
        return;
    }
    nkv_model_carry_out(model);
}

static void exchange(void *context, const uint8_t *out, uint8_t *in,
                     size_t size)
{
    struct nkv_spi_nor_model *model = context;
    uint8_t byte;

    if (!model->is_selected) {
        nkv_model_violate(model, "bytes to a chip that is not selected");
    }
    for (size_t i = 0; i < size; i++) {
        model->now_ns += model->byte_ns;
        byte = model->ailment == NKV_SPI_NOR_READS_ZEROS ? 0 : SILENT;
        if (is_connected(model) && model->is_selected) {
            byte = clock_byte(model, out != NULL ? out[i] : 0);
        }
        if (in != NULL) {
            in[i] = byte;
        }
    }
}

static uint32_t now_us(void *context)
{
    struct nkv_spi_nor_model *model = context;

    model->now_ns += NOW_NS;
    return (uint32_t)(model->now_ns / 1000);
}

static void sleep_a_while(void *context)
{
    struct nkv_spi_nor_model *model = context;

    if (model->is_selected) {
        nkv_model_violate(model, "a pause within a command");
    }
    model->counts.pauses++;
    model->now_ns += PAUSE_NS;
}

static uint8_t *allocate(size_t size)
{
    uint8_t *bytes = malloc(size);

    if (bytes == NULL) {
        fprintf(stderr, "spi_nor_model: out of memory\n");
        exit(1);
    }
    memset(bytes, 0xFF, size);
    return bytes;
}

void nkv_spi_nor_model_init(struct nkv_spi_nor_model *model,
                            const struct nkv_spi_nor_part *part)
{
    *model = (struct nkv_spi_nor_model){
        .bus = {.context = model,
                .select = select,
                .deselect = deselect,
                .exchange = exchange,
                .now_us = now_us,
                .pause = sleep_a_while},
        .part = *part,
        .bytes = allocate(part->size),
        .page = allocate(part->page_size),
        .byte_ns = BYTE_NS,
        .random = 1,
    };
}

void nkv_spi_nor_model_free(struct nkv_spi_nor_model *model)
{
    free(model->bytes);
    free(model->page);
}

void nkv_spi_nor_model_power_on(struct nkv_spi_nor_model *model)
{
    model->is_off = false;
    model->is_asleep = false;
    model->is_in_4_byte_mode = false;
    model->is_selected = false;
    model->status &= (uint8_t) ~(NKV_MODEL_LATCH | NKV_MODEL_BUSY);
    model->is_writing = false;
    model->busy_until_ns = 0;
    model->wakes_at_ns = 0;
    model->cut.at = 0;
}
