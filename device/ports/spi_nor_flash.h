/* The functions of an nkv_flash, for spi_nor_start.c. */
#ifndef NORKV_SPI_NOR_FLASH_H
#define NORKV_SPI_NOR_FLASH_H

#include "spi_nor.h"

/* Context is a struct nkv_spi_nor. */
enum nkv_status nkv_spi_nor_read(void *context, uint32_t offset, void *to,
                                 size_t size);
enum nkv_status nkv_spi_nor_program(void *context, uint32_t offset,
                                    const void *from, size_t size);
enum nkv_status nkv_spi_nor_erase(void *context, uint32_t sector);

/* Goes over to four address bytes, where there is such a mode and it is used.
 * Before each operation: a chip whose supply dipped has fallen back to three
 * unnoticed, and would program another place than it is told. */
void nkv_spi_nor_enter_mode(const struct nkv_spi_nor *nor);

/* Whether blocks are protected, by the status registers. */
bool nkv_spi_nor_is_protected(const struct nkv_spi_nor *nor);

#endif
