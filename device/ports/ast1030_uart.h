/*
 * UART5 of an AST1030, the console of its boards: a 16550 with registers of 32
 * bits. 8 data bits, no parity, one stop bit, no flow control, 115200 baud.
 */
#ifndef NORKV_PORTS_AST1030_UART_H
#define NORKV_PORTS_AST1030_UART_H

#include "uart_setup.h"

#include <norkv/status.h>

#include <stddef.h>
#include <stdint.h>

enum { NKV_AST1030_UART5_INTERRUPT = 8 };

/* Starts the UART. Call it once; setup must outlive it and stay as it is, as
 * the interrupt reads it. */
void nkv_ast1030_uart_start(const struct nkv_uart_setup *setup);

/*
 * Sends bytes; returns when the last of them are in the transmitter's FIFO.
 * Sleeps meanwhile.
 *
 * - NKV_UNAVAILABLE: no byte has left for two seconds, so the rest is lost; and
 *   as long as that goes on, at once. (The part's own UART always sends. An
 *   emulator's waits for whoever is to read.)
 */
NKV_MUST_USE enum nkv_status nkv_ast1030_uart_write(const uint8_t *from,
                                                    size_t size);

/* UART5's interrupt handler. */
void nkv_ast1030_uart_interrupt(void);

#endif
