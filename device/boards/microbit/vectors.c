/*
 * The vector table, at address 0: a Cortex-M0 has no register to move it. What
 * is not named is 0, no Thumb code: if it were ever taken, that is a HardFault
 * (ARMv6-M Architecture Reference Manual, B1.5).
 */
#include "nrf51_timer.h"
#include "nrf51_uart.h"
#include "start.h"

enum {
    /* Exceptions count from 1. */
    RESET = 1 - 1,
    NMI = 2 - 1,
    HARD_FAULT = 3 - 1,
    EXCEPTIONS = 15,
    INTERRUPTS = 32
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
    .interrupts[NKV_NRF51_UART0_INTERRUPT] = nkv_nrf51_uart_interrupt,
    .interrupts[NKV_NRF51_TIMER0_INTERRUPT] = nkv_nrf51_timer_interrupt,
};
