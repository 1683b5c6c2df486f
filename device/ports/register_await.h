/* Waiting for a register, by looking at it. */
#ifndef NORKV_PORTS_REGISTER_AWAIT_H
#define NORKV_PORTS_REGISTER_AWAIT_H

#include <registers.h>

#include <stdbool.h>
#include <stdint.h>

/* Looks until the register is not 0, so many times at most. False: it was 0
 * each time. */
static inline bool nkv_register_await(uintptr_t address, uint32_t looks)
{
    while (looks > 0) {
        if (nkv_register_read(address) != 0) {
            return true;
        }
        looks--;
    }
    return false;
}

#endif
