/*
 * The table that a SPI NOR flash has of itself: Serial Flash Discoverable
 * Parameters, JEDEC standard JESD216 and its later revisions.
 */
#ifndef NORKV_SPI_NOR_SFDP_H
#define NORKV_SPI_NOR_SFDP_H

#include "spi_nor_chip.h"

#include <stddef.h>

/* Where the table is read from: command 5Ah of a chip. */
struct nkv_sfdp_source {
    void *context;
    /* Fills to with size bytes at address, below 2^24. */
    void (*read)(void *context, uint32_t address, uint8_t *to, size_t size);
};

enum nkv_sfdp_result {
    /* The chip is described. */
    NKV_SFDP_IS_READ,
    /* There is no table, or it makes no sense: the chip is not touched. */
    NKV_SFDP_IS_MISSING,
    /* Sectors of different sizes in different places: not supported. */
    NKV_SFDP_IS_MIXED
};

/*
 * Reads the table: size, page size, what erases what and how long that may
 * take, and how addresses beyond 16 MiB are given. Sizes and times that a table
 * of the first revision (JESD216 without A or B) does not have are 256 bytes a
 * page, and times beyond those of all data sheets known.
 */
enum nkv_sfdp_result nkv_sfdp_read(const struct nkv_sfdp_source *source,
                                   struct nkv_spi_nor_chip *chip);

#endif
