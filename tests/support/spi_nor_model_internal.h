/* What the model's files share. */
#ifndef NORKV_TESTS_SPI_NOR_MODEL_INTERNAL_H
#define NORKV_TESTS_SPI_NOR_MODEL_INTERNAL_H

#include "spi_nor_model.h"

enum {
    NKV_MODEL_BUSY = 0x01,
    NKV_MODEL_LATCH = 0x02,
    /* What 01h writes of the first status register. */
    NKV_MODEL_STATUS_WRITABLE = 0xFC,
    NKV_MODEL_COMPLEMENT = 0x40,
    NKV_MODEL_SUSPENDED = 0x80
};

/* Counts what no driver should do. */
void nkv_model_violate(struct nkv_spi_nor_model *model, const char *what);

bool nkv_model_is_busy(const struct nkv_spi_nor_model *model);

/* Address bytes that the command under way takes. */
uint32_t nkv_model_address_bytes(const struct nkv_spi_nor_model *model);

/* What the chip does when the command under way ends. */
void nkv_model_carry_out(struct nkv_spi_nor_model *model);

#endif
