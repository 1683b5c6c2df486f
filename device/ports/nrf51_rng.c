#include "nrf51_rng.h"

#include "register_await.h"

enum {
    RNG_START = 0x4000D000,
    RNG_STOP = 0x4000D004,
    RNG_VALRDY = 0x4000D100,
    RNG_CONFIG = 0x4000D504,
    RNG_VALUE = 0x4000D508,
    /* Bias correction. */
    CONFIG_DERCEN = 1,
    /* With it a byte takes 0.7 ms on average, and varies (nRF51822 Product
     * Specification v3.1, RNG specifications); a look takes more than four
     * cycles of 16 MHz. */
    VALRDY_LOOKS = 100000
};

static uint8_t random_byte(void)
{
    if (!nkv_register_await(RNG_VALRDY, VALRDY_LOOKS)) {
        return 0;
    }
    nkv_register_write(RNG_VALRDY, 0);
    return (uint8_t)nkv_register_read(RNG_VALUE);
}

uint32_t nkv_nrf51_random(void)
{
    uint32_t value = 0;

    nkv_register_write(RNG_CONFIG, CONFIG_DERCEN);
    nkv_register_write(RNG_VALRDY, 0);
    nkv_register_write(RNG_START, 1);
    for (int i = 0; i < 4; i++) {
        value = value << 8 | random_byte();
    }
    nkv_register_write(RNG_STOP, 1);
    return value;
}
