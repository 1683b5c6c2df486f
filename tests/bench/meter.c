#include "meter.h"

struct part {
    const char *name;
    /* Nanoseconds for a call and for each byte of it. */
    uint32_t read_call;
    uint32_t read_byte;
    uint32_t program_call;
    uint32_t program_byte;
    /* For each page that a call touches, bytes a page; 0: it has none. */
    uint32_t program_page;
    uint32_t page_size;
    uint32_t erase;
};

static const struct part parts[NKV_PARTS] = {
    /*
     * Winbond W25Q256JV data sheet, revision Q, AC electrical characteristics,
     * typical: page program (256 bytes) 0.4 ms, sector erase (4 KiB) 45 ms.
     * Bytes go over one data line at 50 MHz, the most that Read Data (03h)
     * allows: 160 ns each. A read sends 4 bytes before its data, a program 5
     * (write enable, command, address).
     */
    [NKV_PART_SPI] =
        {
            .name = "spi",
            .read_call = 4 * 160,
            .read_byte = 160,
            .program_call = 5 * 160,
            .program_byte = 160,
            .program_page = 400 * 1000,
            .page_size = 256,
            .erase = 45 * 1000 * 1000,
        },
    /*
     * Nordic nRF52840 Product Specification v1.11, NVMC electrical
     * specification: a word of 4 bytes is written in 41 us, a page of 4 KiB is
     * erased in 85 ms. Reads are loads: 3 cycles of 64 MHz for a word, with the
     * 2 wait states of a flash that no cache helps.
     */
    [NKV_PART_MCU] =
        {
            .name = "mcu",
            .read_byte = 12,
            .program_byte = 41 * 1000 / 4,
            .erase = 85 * 1000 * 1000,
        },
};

const char *nkv_part_name(enum nkv_part_kind part)
{
    return parts[part].name;
}

static enum nkv_status meter_read(void *context, uint32_t offset, void *to,
                                  size_t size)
{
    struct nkv_meter *meter = context;

    for (size_t i = 0; i < NKV_PARTS; i++) {
        meter->ns[i] += parts[i].read_call + size * parts[i].read_byte;
    }
    return meter->sim->flash.read(meter->sim, offset, to, size);
}

static uint64_t program_ns(const struct part *part, uint32_t offset,
                           size_t size)
{
    uint64_t ns = part->program_call + size * part->program_byte;

    if (part->page_size > 0) {
        uint64_t first = offset / part->page_size;
        uint64_t last = (offset + size - 1) / part->page_size;

        ns += (last - first + 1) * part->program_page;
    }
    return ns;
}

static enum nkv_status meter_program(void *context, uint32_t offset,
                                     const void *from, size_t size)
{
    struct nkv_meter *meter = context;

    for (size_t i = 0; i < NKV_PARTS; i++) {
        meter->ns[i] += program_ns(&parts[i], offset, size);
    }
    return meter->sim->flash.program(meter->sim, offset, from, size);
}

static enum nkv_status meter_erase(void *context, uint32_t sector)
{
    struct nkv_meter *meter = context;

    for (size_t i = 0; i < NKV_PARTS; i++) {
        meter->ns[i] += parts[i].erase;
    }
    return meter->sim->flash.erase(meter->sim, sector);
}

void nkv_meter_init(struct nkv_meter *meter, struct nkv_flash_sim *sim)
{
    *meter = (struct nkv_meter){.flash = sim->flash, .sim = sim};
    meter->flash.context = meter;
    meter->flash.read = meter_read;
    meter->flash.program = meter_program;
    meter->flash.erase = meter_erase;
}
