/* Access to registers by their address: of 32 bits, and of 8. */
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

static inline uint8_t nkv_register_read_byte(uintptr_t address)
{
    return *(const volatile uint8_t *)address;
}

static inline void nkv_register_write_byte(uintptr_t address, uint8_t value)
{
    *(volatile uint8_t *)address = value;
}

#endif
