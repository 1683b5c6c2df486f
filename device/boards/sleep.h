/* How the programs of all boards sleep. */
#ifndef NORKV_BOARDS_SLEEP_H
#define NORKV_BOARDS_SLEEP_H

#include "board.h"
#include "cortex_m.h"

#include <stdbool.h>

/*
 * Sleeps until an interrupt, or about 100 ms; not at all when the flag stands,
 * which an interrupt sets. One that comes just now is not slept through: before
 * nkv_interrupts_off it sets the flag, afterwards it pends and ends the wait at
 * once.
 */
static inline void nkv_sleep_unless(const volatile bool *flag)
{
    nkv_interrupts_off();
    if (!*flag) {
        nkv_board_wait();
    }
    nkv_interrupts_on();
}

#endif
