/*
 * An nRF51's peripherals as its reference manual describes them, stricter than
 * QEMU's: the flash is busy after each operation, the UART's FIFO overruns and
 * stops until the error is cleared, a byte takes time to leave.
 */
#ifndef NKV_NRF51_MODEL_H
#define NKV_NRF51_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NKV_NRF51_FIFO = 6,
    NKV_NRF51_SENT_MAX = 64,
    NKV_NRF51_FLASH_PAGES = 16,
    NKV_NRF51_FLASH_SIZE = NKV_NRF51_FLASH_PAGES * 1024
};

struct nkv_nrf51_model {
    /* What a driver must not do; NULL: nothing of it was done. */
    const char *violation;

    /* Flash: it begins at flash_start, an address of 32 bits. chip_pages is
     * what the chip says of itself. busy_looks: how often it is not ready after
     * an operation. */
    uint8_t *flash;
    uint32_t flash_start;
    uint32_t chip_pages;
    uint32_t busy_looks;
    uint32_t busy_left;
    uint32_t nvmc_config;
    uint32_t words_programmed;
    uint32_t pages_erased;

    /* UART. A byte has left after so many sleeps; UINT32_MAX: never. */
    uint8_t fifo[NKV_NRF51_FIFO];
    size_t fifo_size;
    bool rx_ready;
    bool uart_error;
    uint32_t error_source;
    uint8_t sent[NKV_NRF51_SENT_MAX];
    size_t sent_size;
    uint32_t send_sleeps;
    uint32_t send_left;
    bool is_sending;
    bool tx_ready;
    uint32_t uart_interrupts;
    bool are_interrupts_on;
    bool is_in_handler;
    uint32_t enabled_interrupts;

    /* TIMER0. */
    uint32_t counter_us;
    uint32_t captured_us;
    uint32_t alarm_us;
    /* For so long something halts the processor when the alarm is next set. */
    uint32_t halt_us;

    /* RNG and CLOCK: answers after so many looks; UINT32_MAX: never. */
    uint32_t random_looks;
    uint32_t random_left;
    uint8_t random_next;
    uint32_t crystal_looks;
};

extern struct nkv_nrf51_model nkv_nrf51;

/* A chip after power on, with erased flash. */
void nkv_nrf51_reset(void);

/* Frees the flash. */
void nkv_nrf51_end(void);

/* A byte comes in over the line; takes the interrupt unless it is off. */
void nkv_nrf51_line_byte(uint8_t byte);

/* Bytes come in while the processor stands still. */
void nkv_nrf51_line_bytes_at_once(const char *bytes);

/* The processor sleeps: time goes on by a millisecond. */
void nkv_nrf51_sleep(void);

#endif
