/* A board whose flash is RAM that behaves like NOR: programming only clears
 * bits, and only in units that are erased. */
#include "firmware.h"

#include <stdbool.h>
#include <string.h>

enum { FLASH_SIZE = 4 * 4096, FLASH_SECTOR = 4096, FLASH_UNIT = 16 };

static uint8_t cells[FLASH_SIZE];
static bool powered;

static void board_power_up(void)
{
    if (!powered) {
        memset(cells, 0xFF, sizeof cells);
        powered = true;
    }
}

enum nkv_status board_flash_read(void *context, uint32_t offset, void *to,
                                 size_t size)
{
    (void)context;
    board_power_up();
    if (offset > FLASH_SIZE || size > FLASH_SIZE - offset) {
        return NKV_OUT_OF_RANGE;
    }
    memcpy(to, cells + offset, size);
    return NKV_OK;
}

enum nkv_status board_flash_program(void *context, uint32_t offset,
                                    const void *from, size_t size)
{
    (void)context;
    if (offset > FLASH_SIZE || size > FLASH_SIZE - offset ||
        offset % FLASH_UNIT != 0 || size % FLASH_UNIT != 0) {
        return NKV_OUT_OF_RANGE;
    }
    for (size_t i = 0; i < size; i++) {
        if (cells[offset + i] != 0xFF) {
            return NKV_FAILED_PRECONDITION;
        }
    }
    memcpy(cells + offset, from, size);
    return NKV_OK;
}

enum nkv_status board_flash_erase(void *context, uint32_t sector)
{
    (void)context;
    if (sector >= FLASH_SIZE / FLASH_SECTOR) {
        return NKV_OUT_OF_RANGE;
    }
    memset(cells + sector * FLASH_SECTOR, 0xFF, FLASH_SECTOR);
    return NKV_OK;
}
