/*
 * TIMER0 of an nRF51 as clock and alarm: nRF51 Series Reference Manual v3.0,
 * chapter TIMER. (The part has no SysTick.)
 */
#ifndef NORKV_PORTS_NRF51_TIMER_H
#define NORKV_PORTS_NRF51_TIMER_H

#include <stdint.h>

enum { NKV_NRF51_TIMER0_INTERRUPT = 8 };

/* Starts the clock at 0. It counts as exactly as HFCLK does. */
void nkv_nrf51_timer_start(void);

/*
 * Milliseconds since the start; wraps after 2^32. Must be called at least once
 * an hour (in 71 minutes the counter comes round), and not by interrupts.
 */
uint32_t nkv_nrf51_timer_ms(void);

/* Has TIMER0's interrupt pend in so many ms, up to 1000000, in place of the
 * alarm before. */
void nkv_nrf51_timer_set_alarm(uint32_t delay_ms);

/* TIMER0's interrupt handler: all it does is wake the processor. */
void nkv_nrf51_timer_interrupt(void);

#endif
