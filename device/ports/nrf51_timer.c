#include "nrf51_timer.h"

#include "ms_clock.h"

#include <cortex_m.h>

enum {
    TIMER_START = 0x40008000,
    TIMER_CAPTURE1 = 0x40008044,
    TIMER_COMPARE0 = 0x40008140,
    TIMER_INTENSET = 0x40008304,
    TIMER_BITMODE = 0x40008508,
    TIMER_PRESCALER = 0x40008510,
    TIMER_CC0 = 0x40008540,
    TIMER_CC1 = 0x40008544,
    INTEN_COMPARE0 = 1 << 16,
    BITMODE_32 = 3,
    /* 16 MHz / 2^4. */
    PRESCALER_1_MHZ = 4
};

static struct nkv_ms_clock clock;

void nkv_nrf51_timer_start(void)
{
    nkv_register_write(TIMER_BITMODE, BITMODE_32);
    nkv_register_write(TIMER_PRESCALER, PRESCALER_1_MHZ);
    nkv_register_write(TIMER_INTENSET, INTEN_COMPARE0);
    nkv_interrupt_enable(NKV_NRF51_TIMER0_INTERRUPT);
    nkv_register_write(TIMER_START, 1);
}

static uint32_t now_us(void)
{
    nkv_register_write(TIMER_CAPTURE1, 1);
    return nkv_register_read(TIMER_CC1);
}

uint32_t nkv_nrf51_timer_ms(void)
{
    return nkv_ms_clock_tell(&clock, now_us());
}

/* An alarm that lies behind the counter already, since something kept the
 * processor from setting it, would come in 71 minutes: it is set again. */
void nkv_nrf51_timer_set_alarm(uint32_t delay_ms)
{
    uint32_t delay_us = delay_ms * NKV_US_PER_MS;
    uint32_t start_us;

    do {
        start_us = now_us();
        nkv_register_write(TIMER_CC0, start_us + delay_us);
    } while (now_us() - start_us >= delay_us);
}

void nkv_nrf51_timer_interrupt(void)
{
    nkv_register_write(TIMER_COMPARE0, 0);
    /* The register must have it before the handler ends, or it is entered once
     * more. */
    (void)nkv_register_read(TIMER_COMPARE0);
}
