/* Commands that all SPI NOR flashes share, and waiting for their end. */
#ifndef NORKV_SPI_NOR_COMMANDS_H
#define NORKV_SPI_NOR_COMMANDS_H

#include "spi_bus.h"
#include "spi_nor_chip.h"

#include <norkv/bytes.h>
#include <norkv/status.h>
#include <stdbool.h>

enum {
    NKV_SPI_NOR_WRITE_STATUS = 0x01,
    NKV_SPI_NOR_PROGRAM = 0x02,
    NKV_SPI_NOR_READ = 0x03,
    NKV_SPI_NOR_WRITE_DISABLE = 0x04,
    NKV_SPI_NOR_READ_STATUS = 0x05,
    NKV_SPI_NOR_WRITE_ENABLE = 0x06,
    NKV_SPI_NOR_PROGRAM_4_BYTES = 0x12,
    NKV_SPI_NOR_READ_4_BYTES = 0x13,
    NKV_SPI_NOR_READ_SECOND_STATUS = 0x35,
    NKV_SPI_NOR_READ_UNIQUE_ID = 0x4B,
    NKV_SPI_NOR_READ_SFDP = 0x5A,
    NKV_SPI_NOR_RESUME = 0x7A,
    NKV_SPI_NOR_READ_ID = 0x9F,
    NKV_SPI_NOR_WAKE = 0xAB,
    NKV_SPI_NOR_ENTER_4_BYTE_MODE = 0xB7,

    /* Bits of the status register. */
    NKV_SPI_NOR_BUSY = 0x01,
    NKV_SPI_NOR_LATCH = 0x02,
    /* Bit 6 of the second one, CMP: all is protected but what the first one
     * says. */
    NKV_SPI_NOR_COMPLEMENT = 0x40,
    /* Bit 7 of the second one, SUS: an erase or a program is suspended. */
    NKV_SPI_NOR_SUSPENDED = 0x80,
    /* What a line that nothing drives gives. */
    NKV_SPI_NOR_NOBODY = 0xFF
};

/* A command of one byte. */
void nkv_spi_nor_command(const struct nkv_spi_bus *bus, uint8_t opcode);

/* A command that answers: its byte, then size bytes into to. */
void nkv_spi_nor_ask(const struct nkv_spi_bus *bus, uint8_t opcode, uint8_t *to,
                     size_t size);

uint8_t nkv_spi_nor_read_status(const struct nkv_spi_bus *bus);

/* The second status register of a chip with this id; 0: its maker has none. */
uint8_t nkv_spi_nor_read_second_status(const struct nkv_spi_bus *bus,
                                       const uint8_t id[NKV_SPI_NOR_ID_SIZE]);

/* Selects the chip and sends a command with an address of 3 or 4 bytes; the
 * caller goes on with data, and deselects. */
void nkv_spi_nor_begin(const struct nkv_spi_bus *bus, uint8_t opcode,
                       uint32_t address, uint8_t address_bytes);

/* Waits until the chip is not busy, for max_us at most; between two looks it
 * calls the bus's pause if it may. Gives the last status register.
 *
 * - NKV_DEADLINE_EXCEEDED: it still was when the time was over.
 */
NKV_MUST_USE enum nkv_status nkv_spi_nor_wait(const struct nkv_spi_bus *bus,
                                              uint32_t max_us, bool may_pause,
                                              uint8_t *status);

/* Lets time pass, without pause. */
void nkv_spi_nor_delay(const struct nkv_spi_bus *bus, uint32_t time_us);

/* Whether bytes are all 00h or all FFh: what a line gives that no chip drives.
 * size is 1 or more. */
bool nkv_spi_nor_is_silence(const uint8_t *bytes, size_t size);

#endif
