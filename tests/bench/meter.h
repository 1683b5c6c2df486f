/*
 * How long a flash would have taken for what a store asked of it, on two real
 * parts. It passes each call on to a simulated flash and adds up the time that
 * the data sheet gives. Time of the processor is not in it.
 */
#ifndef NORKV_TESTS_METER_H
#define NORKV_TESTS_METER_H

#include "flash_sim.h"

enum nkv_part_kind {
    /* A serial NOR flash: Winbond W25Q256JV. */
    NKV_PART_SPI,
    /* Flash inside a microcontroller: Nordic nRF52840. */
    NKV_PART_MCU,
    NKV_PARTS
};

struct nkv_meter {
    /* Give this to the store. */
    struct nkv_flash flash;
    struct nkv_flash_sim *sim;
    /* Nanoseconds by part. */
    uint64_t ns[NKV_PARTS];
};

/* "spi" or "mcu". */
const char *nkv_part_name(enum nkv_part_kind part);

/* sim outlives the meter, and neither moves in memory. */
void nkv_meter_init(struct nkv_meter *meter, struct nkv_flash_sim *sim);

#endif
