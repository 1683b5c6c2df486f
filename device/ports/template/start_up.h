/*
 * What the example of a program, template_main.c, needs besides chip.h.
 * Start-up code, vendors' libraries and systems have each of these, under
 * another name.
 */
#ifndef NORKV_TEMPLATE_START_UP_H
#define NORKV_TEMPLATE_START_UP_H

#include <stdint.h>

/* Starts clocks, pins, flash, UART and the timer; the UART's interrupt is still
 * off. */
void nkv_chip_start(void);

/* Another number after each start, and a text that is another one on each board
 * and stays: docs/porting.md tells where to take them from. */
uint32_t nkv_chip_random(void);
const char *nkv_chip_unit_id(void);

/* Lets the UART's receive interrupt come. From then on it calls
 * nkv_template_line_receive and nkv_template_line_overrun. */
void nkv_chip_uart_interrupt_on(void);

/* All interrupts, which pend meanwhile. No access to memory is moved over these
 * two (with gcc: a clobber of memory). */
void nkv_chip_interrupts_off(void);
void nkv_chip_interrupts_on(void);

/* Sleeps until an interrupt pends, 100 ms at most (a timer's ends it then).
 * Called with interrupts off, which is WFI's way: one that pends already ends
 * it at once. Doing nothing is right too, and costs power. */
void nkv_chip_wait(void);

#endif
