/*
 * The flash controller of an AST1030 (FMC), chip select 0, in user mode: the
 * SPI bus of the flash that the processor starts from.
 *
 * In user mode an access to the flash's window is a byte on the line, or four.
 * The clock is that of HCLK / 16, 12.5 MHz, which every SPI NOR flash takes for
 * all commands.
 */
#ifndef NORKV_PORTS_AST1030_FMC_H
#define NORKV_PORTS_AST1030_FMC_H

#include "spi_bus.h"

/* Takes the controller over, and fills in the bus but for the time: now_us and
 * pause stay as they are. */
void nkv_ast1030_fmc_start(struct nkv_spi_bus *bus);

#endif
