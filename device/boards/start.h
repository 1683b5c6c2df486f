/* The first instructions of a Cortex-M board. */
#ifndef NORKV_BOARDS_START_H
#define NORKV_BOARDS_START_H

#include <stdint.h>

enum {
    /*
     * What unused stack holds: start-up paints all of it, from nkv_stack_bottom
     * to nkv_stack_top. The lowest word that is something else tells how much
     * has been used.
     */
    NKV_STACK_PAINT = 0x53544B21
};

/* Symbols of the linker script. Stack lies below all variables: what runs over
 * it leaves RAM, which is a fault, and overwrites nothing. */
extern uint32_t nkv_stack_bottom[];
extern uint32_t nkv_stack_top[];
extern uint32_t nkv_data_start[];
extern uint32_t nkv_data_end[];
extern const uint32_t nkv_data_load[];
extern uint32_t nkv_bss_start[];
extern uint32_t nkv_bss_end[];

enum {
    /* Places in nkv_exceptions: the exceptions of every Cortex-M count from 1.
     */
    NKV_EXCEPTION_RESET = 1 - 1,
    NKV_EXCEPTION_NMI = 2 - 1,
    NKV_EXCEPTION_HARD_FAULT = 3 - 1,
    NKV_EXCEPTION_SYSTICK = 15 - 1,
    NKV_EXCEPTIONS = 15
};

/* What a vector table begins with; the interrupts follow. What is 0 is no Thumb
 * code: if it were ever taken, that is a fault (ARMv6-M and ARMv7-M
 * Architecture Reference Manual, B1.5). */
struct nkv_exceptions {
    uint32_t *stack;
    void (*handlers[NKV_EXCEPTIONS])(void);
};

/* Its members, as every board has them. */
#define NKV_EXCEPTION_HANDLERS                                                 \
    .stack = nkv_stack_top, .handlers[NKV_EXCEPTION_RESET] = nkv_start,        \
    .handlers[NKV_EXCEPTION_NMI] = nkv_fault,                                  \
    .handlers[NKV_EXCEPTION_HARD_FAULT] = nkv_fault

/* The reset vector: paints the stack, sets the variables, calls main. */
_Noreturn void nkv_start(void);

/*
 * The vector of everything that must not happen: HardFault, NMI, interrupts
 * that nobody has turned on. Resets the chip: no instruction after a fault can
 * be trusted, the store takes a reset at any point as it takes a power cut, and
 * a device that starts again answers, which one that hangs does not. A host
 * sees it by the new boot_id and uptime.
 */
_Noreturn void nkv_fault(void);

int main(void);

#endif
