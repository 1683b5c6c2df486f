/* The vector table, at address 0, where the processor looks for it. */
#include "ast1030_timer.h"
#include "ast1030_uart.h"
#include "start.h"

enum { INTERRUPTS = NKV_AST1030_UART5_INTERRUPT + 1 };

struct vectors {
    struct nkv_exceptions exceptions;
    void (*interrupts[INTERRUPTS])(void);
};

extern const struct vectors nkv_vectors;

__attribute__((section(".vectors"), used)) const struct vectors nkv_vectors = {
    .exceptions = {NKV_EXCEPTION_HANDLERS,
                   .handlers[NKV_EXCEPTION_SYSTICK] = nkv_ast1030_timer_alarm},
    .interrupts[NKV_AST1030_UART5_INTERRUPT] = nkv_ast1030_uart_interrupt,
};
