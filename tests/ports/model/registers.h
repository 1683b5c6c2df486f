/* In place of device/ports/registers.h: registers of a chip that is a model. */
#ifndef NORKV_TESTS_MODEL_REGISTERS_H
#define NORKV_TESTS_MODEL_REGISTERS_H

#include <stdint.h>

uint32_t nkv_register_read(uintptr_t address);
void nkv_register_write(uintptr_t address, uint32_t value);
uint8_t nkv_register_read_byte(uintptr_t address);
void nkv_register_write_byte(uintptr_t address, uint8_t value);

#endif
