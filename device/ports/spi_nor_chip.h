/*
 * What a driver must know of a SPI NOR flash, wherever it is known from: the
 * chip's own table (spi_nor_sfdp.h), a list of ids, or a configuration.
 */
#ifndef NORKV_SPI_NOR_CHIP_H
#define NORKV_SPI_NOR_CHIP_H

#include <stdbool.h>
#include <stdint.h>

enum {
    NKV_SPI_NOR_ID_SIZE = 3,
    /* As many as the table of JESD216 has room for. */
    NKV_SPI_NOR_ERASES_MAX = 4
};

/* How a chip of more than 16 MiB is addressed. */
enum nkv_spi_nor_addressing {
    /* Three bytes; it has no other way. */
    NKV_SPI_NOR_3_BYTES,
    /* Four, after command B7h. */
    NKV_SPI_NOR_ENTER_4_BYTES,
    /* The same, with a write enable in front of B7h. */
    NKV_SPI_NOR_ENABLE_AND_ENTER_4_BYTES,
    /* Four, with commands of their own, 13h for 03h: nothing to enter. */
    NKV_SPI_NOR_4_BYTE_COMMANDS,
    /* Four, always. */
    NKV_SPI_NOR_ALWAYS_4_BYTES
};

/* One size that can be erased. */
struct nkv_spi_nor_erase {
    /* Bytes, a power of two; 0: no more of them. */
    uint32_t size;
    uint8_t opcode;
    /* The command that takes four address bytes in any mode; 0: none. */
    uint8_t opcode_4_bytes;
    /* The longest time that the data sheet allows, ms. */
    uint32_t max_ms;
};

struct nkv_spi_nor_chip {
    /* Bytes. */
    uint32_t size;
    /* A program wraps at multiples of this, bytes: a power of two. */
    uint32_t page_size;
    /* The longest time that the data sheet allows for a page, us. */
    uint32_t program_max_us;
    enum nkv_spi_nor_addressing addressing;
    struct nkv_spi_nor_erase erases[NKV_SPI_NOR_ERASES_MAX];
};

/* What is wrong with a chip whose id is all that is known of it. */
enum nkv_spi_nor_id_kind {
    NKV_SPI_NOR_ID_IS_KNOWN,
    NKV_SPI_NOR_ID_IS_UNKNOWN,
    /* Of a family that is programmed or unlocked in another way. */
    NKV_SPI_NOR_ID_IS_REFUSED
};

/* Looks a JEDEC id up in the list of families. chip is filled in when the id
 * is known, and not touched otherwise. */
enum nkv_spi_nor_id_kind
nkv_spi_nor_look_up(const uint8_t id[NKV_SPI_NOR_ID_SIZE],
                    struct nkv_spi_nor_chip *chip);

/* The bits of the status register that protect blocks from being written, for
 * chips of the id's maker. */
uint8_t nkv_spi_nor_protect_mask(const uint8_t id[NKV_SPI_NOR_ID_SIZE]);

/* Whether the maker has a second status register, read with 35h and written as
 * the second byte of 01h, with bit 6 inverting what is protected. */
bool nkv_spi_nor_has_second_status(const uint8_t id[NKV_SPI_NOR_ID_SIZE]);

/* Whether the maker's chips have a number of their own, read with 4Bh. */
bool nkv_spi_nor_has_unique_id(const uint8_t id[NKV_SPI_NOR_ID_SIZE]);

#endif
