/*
 * The flash inside an nRF51, through its NVMC: nRF51 Series Reference Manual
 * v3.0, chapters Memory, NVMC and FICR.
 *
 * Pages of 1024 bytes, programmed in aligned words of 32 bits. On the part the
 * processor stands still meanwhile when it runs from this flash: up to 46.3 us
 * a word, 22.3 ms an erase (nRF51822 Product Specification v3.1, NVMC
 * specifications). Interrupts wait: a UART loses what its FIFO does not hold.
 */
#ifndef NORKV_PORTS_NRF51_NVMC_H
#define NORKV_PORTS_NRF51_NVMC_H

#include <norkv/flash.h>

#include <stdint.h>

enum { NKV_NRF51_PAGE_SIZE = 1024 };

/* A partition: whole pages. Lives as long as the flash that is made of it. */
struct nkv_nrf51_partition {
    uint32_t start;
    uint32_t size;
};

/* Bytes of flash that the chip says it has: there are kinds with half as much.
 * What lies behind cannot even be read, that is a fault. */
uint32_t nkv_nrf51_flash_size(void);

/*
 * Describes the partition as the store wants it. Touches no flash. The
 * partition must lie in the chip's flash when the functions are called.
 *
 * They give, besides what norkv/flash.h says,
 * - NKV_DEADLINE_EXCEEDED: the NVMC did not become ready.
 * What was programmed is not read back here: the store does that.
 */
void nkv_nrf51_flash_init(struct nkv_flash *flash,
                          struct nkv_nrf51_partition *partition);

#endif
