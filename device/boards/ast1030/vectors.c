/*
 * The vector table, at address 0, where the processor looks for it. What is not
 * named is 0, no Thumb code: if it were ever taken, that is a fault (ARMv7-M
 * Architecture Reference Manual, B1.5).
 */
#include "ast1030_timer.h"
#include "ast1030_uart.h"
#include "start.h"

enum {
    /* Exceptions count from 1. */
    RESET = 1 - 1,
    NMI = 2 - 1,
    HARD_FAULT = 3 - 1,
    SYSTICK = 15 - 1,
    EXCEPTIONS = 15,
    INTERRUPTS = NKV_AST1030_UART5_INTERRUPT + 1
};

struct vectors {
    uint32_t *stack;
    void (*exceptions[EXCEPTIONS])(void);
    void (*interrupts[INTERRUPTS])(void);
};

extern const struct vectors nkv_vectors;

__attribute__((section(".vectors"), used)) const struct vectors nkv_vectors = {
    .stack = nkv_stack_top,
    .exceptions[RESET] = nkv_start,
    .exceptions[NMI] = nkv_fault,
    .exceptions[HARD_FAULT] = nkv_fault,
    .exceptions[SYSTICK] = nkv_ast1030_timer_alarm,
    .interrupts[NKV_AST1030_UART5_INTERRUPT] = nkv_ast1030_uart_interrupt,
};
