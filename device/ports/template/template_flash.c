#include "template_flash.h"

#include "chip.h"

enum {
    /* The longest erase and program of the data sheet, doubled. */
    ERASE_MAX_MS = 800,
    PROGRAM_MAX_MS = 20
};

/* Waits until the flash is done. The clock must run while the flash is busy,
 * which it does not in parts that stand still: those are done at once. */
static enum nkv_status wait_until_done(uint32_t most_ms)
{
    uint32_t since_ms = nkv_chip_now_ms();

    while (nkv_chip_flash_is_busy()) {
        if (nkv_chip_now_ms() - since_ms > most_ms) {
            return NKV_DEADLINE_EXCEEDED;
        }
    }
    return nkv_chip_flash_has_failed() ? NKV_INTERNAL : NKV_OK;
}

static enum nkv_status read(void *context, uint32_t offset, void *to,
                            size_t size)
{
    uint8_t *bytes = to;

    (void)context;
    for (size_t i = 0; i < size; i++) {
        bytes[i] = nkv_chip_flash_byte(offset + (uint32_t)i);
    }
    return NKV_OK;
}

/* One unit after the other: when power fails, those in front are whole. */
static enum nkv_status program(void *context, uint32_t offset, const void *from,
                               size_t size)
{
    const uint8_t *bytes = from;
    enum nkv_status status = NKV_OK;

    (void)context;
    for (size_t done = 0; done < size && status == NKV_OK;
         done += NKV_CHIP_PROGRAM_UNIT) {
        nkv_chip_flash_start_program(offset + (uint32_t)done, bytes + done);
        status = wait_until_done(PROGRAM_MAX_MS);
    }
    return status;
}

static enum nkv_status erase(void *context, uint32_t sector)
{
    (void)context;
    nkv_chip_flash_start_erase(sector);
    return wait_until_done(ERASE_MAX_MS);
}

const struct nkv_flash nkv_template_flash = {
    .sector_size = NKV_CHIP_SECTOR_SIZE,
    .sector_count = NKV_CHIP_SECTOR_COUNT,
    .program_unit = NKV_CHIP_PROGRAM_UNIT,
    .read = read,
    .program = program,
    .erase = erase,
};
