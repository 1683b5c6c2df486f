/* The vector table, at address 0: a Cortex-M0 has no register to move it. */
#include "nrf51_timer.h"
#include "nrf51_uart.h"
#include "start.h"

enum { INTERRUPTS = 32 };

struct vectors {
    struct nkv_exceptions exceptions;
    void (*interrupts[INTERRUPTS])(void);
};

extern const struct vectors nkv_vectors;

__attribute__((section(".vectors"), used)) const struct vectors nkv_vectors = {
    .exceptions = {NKV_EXCEPTION_HANDLERS},
    .interrupts[NKV_NRF51_UART0_INTERRUPT] = nkv_nrf51_uart_interrupt,
    .interrupts[NKV_NRF51_TIMER0_INTERRUPT] = nkv_nrf51_timer_interrupt,
};
