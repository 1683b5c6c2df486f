/* What the UARTs of all chips are joined to, and how they wait to send. */
#ifndef NORKV_PORTS_UART_SETUP_H
#define NORKV_PORTS_UART_SETUP_H

#include <stdbool.h>
#include <stdint.h>

struct nkv_uart_setup {
    /* Called by the interrupt for each byte that came. */
    void (*receive)(uint8_t byte);
    /* Called when the FIFO has overrun, so that a byte or more was lost: by the
     * interrupt, or with interrupts off. */
    void (*overrun)(void);
    /* Sleeps until an interrupt, or a moment; interrupts are off, and stay so.
     */
    void (*wait)(void);
    uint32_t (*now_ms)(void);
};

enum { NKV_UART_STUCK_MS = 2000 };

/*
 * Waits until the UART takes a byte; false: it has not for NKV_UART_STUCK_MS.
 * look says whether it does, after a sleep if it does not and it may sleep.
 * is_stuck is the driver's, false at first: as long as it stands there is one
 * look and no wait.
 */
static inline bool nkv_uart_await(const struct nkv_uart_setup *uart,
                                  bool (*look)(bool may_sleep), bool *is_stuck)
{
    uint32_t start_ms = uart->now_ms();

    while (!look(!*is_stuck)) {
        *is_stuck = *is_stuck || uart->now_ms() - start_ms >= NKV_UART_STUCK_MS;
        if (*is_stuck) {
            return false;
        }
    }
    *is_stuck = false;
    return true;
}

#endif
