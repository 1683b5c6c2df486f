/* Access to 32-bit registers by their address. */
#ifndef NORKV_PORTS_REGISTERS_H
#define NORKV_PORTS_REGISTERS_H

#include <stdint.h>

static inline uint32_t nkv_register_read(uintptr_t address)
{
    return *(const volatile uint32_t *)address;
}

static inline void nkv_register_write(uintptr_t address, uint32_t value)
{
    *(volatile uint32_t *)address = value;
}

#endif
