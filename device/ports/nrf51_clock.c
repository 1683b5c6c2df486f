#include "nrf51_clock.h"

#include "register_await.h"

enum {
    CLOCK_HFCLKSTART = 0x40000000,
    CLOCK_HFCLKSTARTED = 0x40000100,
    /* The slowest crystal takes 0.8 ms (nRF51822 Product Specification v3.1,
     * 16 MHz crystal startup), 13000 cycles; a look takes more than four. */
    STARTED_LOOKS = 20000
};

void nkv_nrf51_clock_start(void)
{
    nkv_register_write(CLOCK_HFCLKSTARTED, 0);
    nkv_register_write(CLOCK_HFCLKSTART, 1);
    /* Without the crystal it runs on, by the RC oscillator. */
    (void)nkv_register_await(CLOCK_HFCLKSTARTED, STARTED_LOOKS);
}
