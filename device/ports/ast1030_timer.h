/*
 * Time on an AST1030: timer 1 counts microseconds, and the processor's SysTick
 * ends sleeps.
 */
#ifndef NORKV_PORTS_AST1030_TIMER_H
#define NORKV_PORTS_AST1030_TIMER_H

#include <stdint.h>

enum {
    /* What 24 bits of SysTick hold at 200 MHz. */
    NKV_AST1030_ALARM_MAX_MS = 80
};

void nkv_ast1030_timer_start(void);

/* Microseconds since the start; wraps at 2^32. May be called anywhere. */
uint32_t nkv_ast1030_timer_us(void);

/* Milliseconds since the start; wraps at 2^32. Not called by interrupts, and at
 * least once an hour. */
uint32_t nkv_ast1030_timer_ms(void);

/* An interrupt in delay_ms at the latest, NKV_AST1030_ALARM_MAX_MS at most, and
 * every so many from then on. Costs next to nothing when that is what was asked
 * for last. */
void nkv_ast1030_timer_set_alarm(uint32_t delay_ms);

/* SysTick's handler. */
void nkv_ast1030_timer_alarm(void);

#endif
