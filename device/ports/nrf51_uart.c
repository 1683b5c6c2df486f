#include "nrf51_uart.h"

#include <cortex_m.h>

#include <stdbool.h>

enum {
    UART_STARTRX = 0x40002000,
    UART_STARTTX = 0x40002008,
    UART_RXDRDY = 0x40002108,
    UART_TXDRDY = 0x4000211C,
    UART_ERROR = 0x40002124,
    UART_INTENSET = 0x40002304,
    UART_INTENCLR = 0x40002308,
    UART_ERRORSRC = 0x40002480,
    UART_ENABLE = 0x40002500,
    UART_PSELTXD = 0x4000250C,
    UART_PSELRXD = 0x40002514,
    UART_RXD = 0x40002518,
    UART_TXD = 0x4000251C,
    UART_BAUDRATE = 0x40002524,
    INT_RXDRDY = 1 << 2,
    INT_TXDRDY = 1 << 7,
    INT_ERROR = 1 << 9,
    ERRORSRC_OVERRUN = 1 << 0,
    ENABLE_UART = 4,
    BAUD_115200 = 0x01D7E000,
    /* Chapter GPIO. */
    GPIO_OUTSET = 0x50000508,
    GPIO_PIN_CNF = 0x50000700,
    PIN_OUTPUT = 3,
    PIN_INPUT_PULLED_UP = 3 << 2
};

/*
 * The main program's and the interrupt's. It is written once, and so is what it
 * points to, before nkv_interrupt_enable, which keeps that order; from then on
 * both only read. So it needs neither volatile nor an access that is atomic.
 */
static const struct nkv_nrf51_uart_setup *uart;
/* A byte has been given to the transmitter and has not left. Only the main
 * program uses these two. */
static bool is_sending;
static bool is_stuck;

/* An idle line is high: TXD is so from the start, and RXD also when nothing is
 * connected. */
static void set_up_pins(void)
{
    nkv_register_write(GPIO_OUTSET, 1u << uart->tx_pin);
    nkv_register_write(GPIO_PIN_CNF + 4u * uart->tx_pin, PIN_OUTPUT);
    nkv_register_write(GPIO_PIN_CNF + 4u * uart->rx_pin, PIN_INPUT_PULLED_UP);
    nkv_register_write(UART_PSELTXD, uart->tx_pin);
    nkv_register_write(UART_PSELRXD, uart->rx_pin);
}

void nkv_nrf51_uart_start(const struct nkv_nrf51_uart_setup *setup)
{
    uart = setup;
    set_up_pins();
    nkv_register_write(UART_BAUDRATE, BAUD_115200);
    nkv_register_write(UART_ENABLE, ENABLE_UART);
    nkv_register_write(UART_INTENSET, INT_RXDRDY | INT_ERROR);
    nkv_interrupt_enable(NKV_NRF51_UART0_INTERRUPT);
    nkv_register_write(UART_STARTTX, 1);
    nkv_register_write(UART_STARTRX, 1);
}

/* One look, and a sleep when the byte has not left. TXDRDY's interrupt is to
 * wake, not to be handled: it is on only while interrupts are off, so nothing
 * keeps it pending afterwards. */
static bool look_or_sleep(bool may_sleep)
{
    bool is_sent;

    nkv_interrupts_off();
    nkv_register_write(UART_INTENSET, INT_TXDRDY);
    is_sent = nkv_register_read(UART_TXDRDY) != 0;
    if (!is_sent && may_sleep) {
        uart->line.wait();
    }
    nkv_register_write(UART_INTENCLR, INT_TXDRDY);
    nkv_interrupts_on();
    return is_sent;
}

enum nkv_status nkv_nrf51_uart_write(const uint8_t *from, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (is_sending &&
            !nkv_uart_await(&uart->line, look_or_sleep, &is_stuck)) {
            return NKV_UNAVAILABLE;
        }
        /* Before the byte: its own event may come at once. */
        nkv_register_write(UART_TXDRDY, 0);
        nkv_register_write(UART_TXD, from[i]);
        is_sending = true;
    }
    return NKV_OK;
}

/* Of errors only an overrun is of interest: the others show in a frame's check.
 * Left standing, they would keep the interrupt pending. */
static void take_error(void)
{
    uint32_t errors = nkv_register_read(UART_ERRORSRC);

    nkv_register_write(UART_ERROR, 0);
    nkv_register_write(UART_ERRORSRC, errors);
    if ((errors & ERRORSRC_OVERRUN) != 0) {
        uart->line.overrun();
    }
}

void nkv_nrf51_uart_interrupt(void)
{
    if (nkv_register_read(UART_ERROR) != 0) {
        take_error();
    }
    while (nkv_register_read(UART_RXDRDY) != 0) {
        /* Before the byte is taken: the next one's event may come at once. */
        nkv_register_write(UART_RXDRDY, 0);
        uart->line.receive((uint8_t)nkv_register_read(UART_RXD));
    }
}
