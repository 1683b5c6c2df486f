/* Registers: Texas Instruments, TL16C550C data sheet (SLLS177), table 4 on. */
#include "ast1030_uart.h"

#include <cortex_m.h>

#include <stdbool.h>

enum {
    /* Received and to be sent; with the divisor's bit set the divisor. */
    UART_DATA = 0x7E784000,
    UART_DIVISOR_LOW = 0x7E784000,
    UART_INTERRUPTS = 0x7E784004,
    UART_DIVISOR_HIGH = 0x7E784004,
    UART_FIFO = 0x7E784008,
    UART_LINE = 0x7E78400C,
    UART_STATUS = 0x7E784014,
    INTERRUPT_RECEIVED = 1 << 0,
    INTERRUPT_EMPTY = 1 << 1,
    INTERRUPT_STATUS = 1 << 2,
    /* On, both emptied; an interrupt for each 14 bytes of the 16 that there is
     * room for, and when fewer have waited for the time of 4. The two that are
     * left take 174 us to come; interrupts are off for some 10 instructions. */
    FIFO_START = 0xC7,
    LINE_8_BITS = 0x03,
    LINE_DIVISOR = 0x80,
    STATUS_RECEIVED = 1 << 0,
    STATUS_OVERRUN = 1 << 1,
    STATUS_EMPTY = 1 << 5,
    /* The UART's clock is 24 MHz / 13: Linux, aspeed-g6.dtsi and clk-ast2600.c.
     */
    DIVISOR_115200 = 1,
    FIFO_SIZE = 16
};

/*
 * The main program's and the interrupt's. It is written once, and so is what it
 * points to, before nkv_interrupt_enable, which keeps that order; from then on
 * both only read. So it needs neither volatile nor an access that is atomic.
 */
static const struct nkv_uart_setup *uart;
/* Only the main program uses it. */
static bool is_stuck;

void nkv_ast1030_uart_start(const struct nkv_uart_setup *setup)
{
    uart = setup;
    nkv_register_write(UART_LINE, LINE_8_BITS | LINE_DIVISOR);
    nkv_register_write(UART_DIVISOR_LOW, DIVISOR_115200);
    nkv_register_write(UART_DIVISOR_HIGH, 0);
    nkv_register_write(UART_LINE, LINE_8_BITS);
    nkv_register_write(UART_FIFO, FIFO_START);
    /* What came before; an emulator gives no further byte until it is read. */
    (void)nkv_register_read(UART_DATA);
    nkv_register_write(UART_INTERRUPTS, INTERRUPT_RECEIVED | INTERRUPT_STATUS);
    nkv_interrupt_enable(NKV_AST1030_UART5_INTERRUPT);
}

static void take_overrun(uint32_t status)
{
    if ((status & STATUS_OVERRUN) != 0) {
        uart->overrun();
    }
}

/* Reading the status clears what it says of an overrun: with interrupts off, so
 * that it is told once, and not while the interrupt puts a byte. */
static bool is_empty(void)
{
    uint32_t status = nkv_register_read(UART_STATUS);

    take_overrun(status);
    return (status & STATUS_EMPTY) != 0;
}

/* One look, and a sleep when the FIFO is not empty. The interrupt of an empty
 * one is to wake, not to be handled: it is on only while interrupts are off, so
 * nothing keeps it pending afterwards. */
static bool look_or_sleep(bool may_sleep)
{
    bool is_sent;

    nkv_interrupts_off();
    is_sent = is_empty();
    if (!is_sent && may_sleep) {
        nkv_register_write(UART_INTERRUPTS, INTERRUPT_RECEIVED |
                                                INTERRUPT_STATUS |
                                                INTERRUPT_EMPTY);
        uart->wait();
        nkv_register_write(UART_INTERRUPTS,
                           INTERRUPT_RECEIVED | INTERRUPT_STATUS);
    }
    nkv_interrupts_on();
    return is_sent;
}

enum nkv_status nkv_ast1030_uart_write(const uint8_t *from, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (i % FIFO_SIZE == 0 &&
            !nkv_uart_await(uart, look_or_sleep, &is_stuck)) {
            return NKV_UNAVAILABLE;
        }
        nkv_register_write(UART_DATA, from[i]);
    }
    return NKV_OK;
}

void nkv_ast1030_uart_interrupt(void)
{
    uint32_t status = nkv_register_read(UART_STATUS);

    take_overrun(status);
    while ((status & STATUS_RECEIVED) != 0) {
        uart->receive((uint8_t)nkv_register_read(UART_DATA));
        status = nkv_register_read(UART_STATUS);
        take_overrun(status);
    }
}
