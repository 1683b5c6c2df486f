/* In place of device/ports/cortex_m.h: the model's processor. */
#ifndef NORKV_TESTS_MODEL_CORTEX_M_H
#define NORKV_TESTS_MODEL_CORTEX_M_H

#include "registers.h"

void nkv_interrupts_off(void);
void nkv_interrupts_on(void);
void nkv_interrupt_enable(unsigned number);
void nkv_wait_for_writes(void);

#endif
