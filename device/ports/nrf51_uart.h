/*
 * UART0 of an nRF51: nRF51 Series Reference Manual v3.0, chapter UART. 8 data
 * bits, no parity, one stop bit, no flow control, 115200 baud.
 *
 * The FIFO holds 6 bytes, half a millisecond's: while flash is erased
 * (nrf51_nvmc.h) more than that is lost.
 */
#ifndef NORKV_PORTS_NRF51_UART_H
#define NORKV_PORTS_NRF51_UART_H

#include "uart_setup.h"

#include <norkv/status.h>

#include <stddef.h>
#include <stdint.h>

enum { NKV_NRF51_UART0_INTERRUPT = 2 };

struct nkv_nrf51_uart_setup {
    /* Numbers of the pins, P0.00 to P0.31. */
    uint8_t tx_pin;
    uint8_t rx_pin;
    struct nkv_uart_setup line;
};

/* Starts the UART. Call it once; setup must outlive it and stay as it is, as
 * the interrupt reads it. The baud rate is exact only with HFCLK from the
 * crystal (nrf51_clock.h). */
void nkv_nrf51_uart_start(const struct nkv_nrf51_uart_setup *setup);

/*
 * Sends bytes; returns when the last but one has left. Sleeps meanwhile.
 *
 * - NKV_UNAVAILABLE: no byte has left for two seconds, so the rest is lost; and
 *   as long as that goes on, at once. (The part's own UART always sends. An
 *   emulator's waits for whoever is to read.)
 */
NKV_MUST_USE enum nkv_status nkv_nrf51_uart_write(const uint8_t *from,
                                                  size_t size);

/* UART0's interrupt handler. */
void nkv_nrf51_uart_interrupt(void);

#endif
