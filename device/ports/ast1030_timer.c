/*
 * Timers: Linux, drivers/clocksource/timer-fttmr010.c, and QEMU,
 * hw/timer/aspeed_timer.c. SysTick: ARMv7-M Architecture Reference Manual (DDI
 * 0403), B3.3.
 */
#include "ast1030_timer.h"
#include "ms_clock.h"

#include <registers.h>

enum {
    TIMER_1_COUNT = 0x7E782000,
    TIMER_1_RELOAD = 0x7E782004,
    TIMER_CONTROL = 0x7E782030,
    /* Clears the bits written as 1. */
    TIMER_CONTROL_CLEAR = 0x7E78203C,
    TIMER_1_ENABLE = 1 << 0,
    /* 1 MHz, in the place of the bus's clock. */
    TIMER_1_EXTERNAL = 1 << 1,
    TIMER_1_MASK = 0xF,

    CYCLES_PER_MS = 200000,
    SYSTICK_ENABLE = 1 << 0,
    SYSTICK_INTERRUPT = 1 << 1,
    SYSTICK_PROCESSOR_CLOCK = 1 << 2
};

#define SYSTICK_CONTROL 0xE000E010u
#define SYSTICK_RELOAD 0xE000E014u
#define SYSTICK_CURRENT 0xE000E018u

static struct nkv_ms_clock clock;
/* SysTick's; 0: it is off. The main program's alone. */
static uint32_t period_ms;

void nkv_ast1030_timer_start(void)
{
    nkv_register_write(TIMER_CONTROL_CLEAR, TIMER_1_MASK);
    nkv_register_write(TIMER_1_COUNT, UINT32_MAX);
    nkv_register_write(TIMER_1_RELOAD, UINT32_MAX);
    nkv_register_write(TIMER_CONTROL,
                       nkv_register_read(TIMER_CONTROL) |
                           (uint32_t)(TIMER_1_ENABLE | TIMER_1_EXTERNAL));
}

/* It counts down. */
uint32_t nkv_ast1030_timer_us(void)
{
    return ~nkv_register_read(TIMER_1_COUNT);
}

uint32_t nkv_ast1030_timer_ms(void)
{
    return nkv_ms_clock_tell(&clock, nkv_ast1030_timer_us());
}

void nkv_ast1030_timer_set_alarm(uint32_t delay_ms)
{
    if (delay_ms == period_ms) {
        return;
    }
    period_ms = delay_ms;
    nkv_register_write(SYSTICK_RELOAD, delay_ms * CYCLES_PER_MS - 1);
    /* Writing clears it: the next period begins now. */
    nkv_register_write(SYSTICK_CURRENT, 0);
    nkv_register_write(SYSTICK_CONTROL, SYSTICK_ENABLE | SYSTICK_INTERRUPT |
                                            SYSTICK_PROCESSOR_CLOCK);
}

/* To wake is all that it is for. */
void nkv_ast1030_timer_alarm(void)
{
}
