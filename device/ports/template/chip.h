/*
 * What a port must know of its chip: nine accesses, to be written from its data
 * sheet. Everything else of the template stands on these and stays as it is.
 */
#ifndef NORKV_TEMPLATE_CHIP_H
#define NORKV_TEMPLATE_CHIP_H

#include <stdbool.h>
#include <stdint.h>

enum {
    /* The partition: what one erase clears, how many of them, and the smallest
     * piece that is programmed, bytes. docs/porting.md tells how to choose. */
    NKV_CHIP_SECTOR_SIZE = 4096,
    NKV_CHIP_SECTOR_COUNT = 8,
    NKV_CHIP_PROGRAM_UNIT = 8
};

/* Whether the flash is what the firmware was made for: false with the id that
 * was read. On-chip flash is always there. */
bool nkv_chip_flash_is_there(uint32_t *id);

/* Begins to erase a sector, or to program the unit at offset (bytes from the
 * partition's start): unlocks, starts, and returns. */
void nkv_chip_flash_start_erase(uint32_t sector);
void nkv_chip_flash_start_program(uint32_t offset, const uint8_t *unit);

/* Whether that is still going on; and when it is not, whether it failed. The
 * failure is cleared by being asked for. */
bool nkv_chip_flash_is_busy(void);
bool nkv_chip_flash_has_failed(void);

/* A byte of the partition. */
uint8_t nkv_chip_flash_byte(uint32_t offset);

/* Whether the UART takes a byte to send; and sends one. */
bool nkv_chip_uart_is_free(void);
void nkv_chip_uart_send(uint8_t byte);

/* Milliseconds of a timer that runs from the start on, and wraps at 2^32. */
uint32_t nkv_chip_now_ms(void);

#endif
