/*
 * The peripherals of an AST1030 that its drivers use: the flash controller in
 * user mode, with the strict chip of spi_nor_model.h behind it, UART5 and the
 * timers. Stricter than QEMU's: registers lie in what the processor takes for
 * memory, so the controller's and the chip's accesses want a barrier in
 * between, bytes that find the UART's FIFO full are lost, and some take time to
 * leave.
 */
#ifndef NKV_AST1030_MODEL_H
#define NKV_AST1030_MODEL_H

#include "spi_nor_model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NKV_AST1030_FIFO = 16, NKV_AST1030_SENT_MAX = 64 };

struct nkv_ast1030_model {
    /* What a driver must not do; NULL: nothing of it was done. */
    const char *violation;

    /* Flash controller. accesses: of any width, to the chip's window. */
    struct nkv_spi_nor_model *chip;
    uint32_t fmc_conf;
    uint32_t fmc_control;
    uint32_t accesses;
    /* Of the last access to the controller, and to the window, nothing says
     * that it comes before what follows. */
    bool is_control_loose;
    bool is_window_loose;

    /* UART5. What was written has left after a sleep, unless it is stuck.
     * is_late: fewer bytes than the trigger have waited long enough. */
    uint8_t fifo[NKV_AST1030_FIFO];
    size_t fifo_size;
    size_t fifo_trigger;
    bool is_late;
    bool has_overrun;
    uint8_t sent[NKV_AST1030_SENT_MAX];
    size_t sent_size;
    size_t send_fifo_size;
    bool is_stuck;
    uint32_t line_control;
    uint32_t divisor;
    uint32_t uart_interrupts;
    uint32_t interrupts_taken;
    uint32_t sleeps;

    /* Timer 1, and how often SysTick was set. */
    uint32_t counter_us;
    uint32_t systick_reload;
    uint32_t systick_sets;

    bool are_interrupts_on;
    bool is_in_handler;
    bool is_uart_enabled;
};

extern struct nkv_ast1030_model nkv_ast1030;

/* After power on, with that chip on the bus. */
void nkv_ast1030_reset(struct nkv_spi_nor_model *chip);

/* Bytes come in one behind the other, each of which may interrupt. */
void nkv_ast1030_line_bytes(const char *bytes);

/* Bytes come in while interrupts are kept off by something. */
void nkv_ast1030_line_bytes_at_once(const char *bytes);

/* No byte comes for the time of four. */
void nkv_ast1030_line_idle(void);

/* The processor sleeps: time goes on by a millisecond. */
void nkv_ast1030_sleep(void);

#endif
