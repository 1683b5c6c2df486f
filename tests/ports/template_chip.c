#include "template_chip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { ERASE_MS = 40, PROGRAM_MS = 1 };

struct template_chip chip;

void template_chip_reset(void)
{
    memset(&chip, 0, sizeof chip);
    memset(chip.cells, 0xFF, sizeof chip.cells);
}

bool nkv_chip_flash_is_there(uint32_t *id)
{
    *id = 0xC84016;
    return !chip.is_other;
}

void nkv_chip_flash_start_erase(uint32_t sector)
{
    assert_false(nkv_chip_flash_is_busy());
    assert_true(sector < NKV_CHIP_SECTOR_COUNT);
    chip.erases++;
    if (chip.erases_nothing) {
        return;
    }
    memset(chip.cells + (size_t)sector * NKV_CHIP_SECTOR_SIZE, 0xFF,
           NKV_CHIP_SECTOR_SIZE);
    chip.busy_until_ms = chip.now_ms + ERASE_MS;
    chip.stays_busy = chip.stays_busy_from_now;
}

void nkv_chip_flash_start_program(uint32_t offset, const uint8_t *unit)
{
    assert_false(nkv_chip_flash_is_busy());
    assert_int_equal(offset % NKV_CHIP_PROGRAM_UNIT, 0);
    assert_true(offset < sizeof chip.cells);
    for (uint32_t i = 0; i < NKV_CHIP_PROGRAM_UNIT; i++) {
        chip.cells[offset + i] &= unit[i];
    }
    chip.busy_until_ms = chip.now_ms + PROGRAM_MS;
}

bool nkv_chip_flash_is_busy(void)
{
    return chip.stays_busy || nkv_chip_now_ms() < chip.busy_until_ms;
}

bool nkv_chip_flash_has_failed(void)
{
    return chip.has_failed;
}

uint8_t nkv_chip_flash_byte(uint32_t offset)
{
    assert_true(offset < sizeof chip.cells);
    return chip.cells[offset];
}

bool nkv_chip_uart_is_free(void)
{
    return !chip.line_is_stuck;
}

void nkv_chip_uart_send(uint8_t byte)
{
    assert_true(chip.output_size < sizeof chip.output);
    chip.output[chip.output_size++] = byte;
}

uint32_t nkv_chip_now_ms(void)
{
    return chip.now_ms++;
}
