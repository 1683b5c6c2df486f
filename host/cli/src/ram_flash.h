/* NOR flash in memory. */
#ifndef NORKV_CLI_RAM_FLASH_H
#define NORKV_CLI_RAM_FLASH_H

#include <norkv/flash.h>

/*
 * The functions for flash whose bytes are in memory: context is a struct
 * nkv_ram_flash. Programming a unit that is not erased gives NKV_INTERNAL and
 * changes nothing, as norkv-sim has it.
 */
struct nkv_ram_flash {
    uint8_t *bytes;
    uint32_t size;
    uint32_t sector_size;
};

void nkv_ram_flash_connect(struct nkv_ram_flash *ram, struct nkv_flash *flash);

#endif
