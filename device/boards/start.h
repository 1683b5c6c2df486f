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
