/*
 * What a port needs of the processor itself: ARMv6-M Architecture Reference
 * Manual (DDI 0419), and the same in ARMv7-M (DDI 0403).
 */
#ifndef NORKV_PORTS_CORTEX_M_H
#define NORKV_PORTS_CORTEX_M_H

#include "registers.h"

#include <stdint.h>

/* System Control Space: interrupt set-enable (B3.4.3), application interrupt
 * and reset control (B3.2.6), whose key and SYSRESETREQ reset the chip. Too
 * large for an enum. */
#define NKV_NVIC_ISER 0xE000E100u
#define NKV_SCB_AIRCR 0xE000ED0Cu
#define NKV_SCB_AIRCR_RESET 0x05FA0004u

/* The compiler moves no access to memory over these. */
static inline void nkv_interrupts_off(void)
{
    __asm__ volatile("cpsid i" ::: "memory");
}

static inline void nkv_interrupts_on(void)
{
    __asm__ volatile("cpsie i" ::: "memory");
}

/* What was written before it has arrived before anything behind it begins (data
 * synchronization barrier): where registers lie in what the processor takes for
 * memory. The compiler moves no access over it either. */
static inline void nkv_wait_for_writes(void)
{
    __asm__ volatile("dsb" ::: "memory");
}

/*
 * Sleeps until an interrupt is pending; it is taken at once only if interrupts
 * are on. One that became pending while they were off wakes too, so between
 * nkv_interrupts_off and this none is missed (B1.5.19, WFI).
 */
static inline void nkv_wait_for_interrupt(void)
{
    __asm__ volatile("dsb\n\twfi" ::: "memory");
}

/*
 * Lets an interrupt come. Its handler finds in memory all that was written
 * before: the compiler moves no access from before this behind it, and a
 * processor sees its own writes in the order of the program.
 */
static inline void nkv_interrupt_enable(unsigned number)
{
    __asm__ volatile("" ::: "memory");
    nkv_register_write(NKV_NVIC_ISER + 4u * (number / 32u),
                       1u << (number % 32u));
}

/* Resets the chip. */
_Noreturn static inline void nkv_system_reset(void)
{
    __asm__ volatile("dsb" ::: "memory");
    nkv_register_write(NKV_SCB_AIRCR, NKV_SCB_AIRCR_RESET);
    for (;;) {
    }
}

#endif
