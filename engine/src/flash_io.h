/*
 * The flash driver with a safety net: reads are repeated, programs are read
 * back, everything is counted.
 */
#ifndef NKV_FLASH_IO_H
#define NKV_FLASH_IO_H

#include "core.h"

/* What a driver says, as the engine takes it: NKV_INTERNAL in place of what the
 * engine itself says of entries, keys and room. */
enum nkv_status nkv_flash_status(enum nkv_status status);

/* Reads; NKV_DATA_LOSS for bytes that are damaged for good, another status when
 * the flash does not answer. */
enum nkv_status nkv_flash_read(struct nkv_store *store, uint32_t address,
                               uint8_t *to, uint32_t size);

/* Whether these bytes are on flash. *same is false after an error. */
enum nkv_status nkv_flash_equals(struct nkv_store *store, uint32_t address,
                                 const uint8_t *bytes, uint32_t size,
                                 bool *same);

/* Programs and reads back. NKV_DATA_LOSS: other bytes came back. */
enum nkv_status nkv_flash_program(struct nkv_store *store, uint32_t address,
                                  const uint8_t *from, uint32_t size);

/* Sets *end to the first address from address on, in steps of NKV_UNIT, whose
 * unit holds a byte other than the given one, or to limit. Bytes that are
 * damaged for good are other ones. */
enum nkv_status nkv_flash_skip(struct nkv_store *store, uint32_t address,
                               uint32_t limit, uint8_t byte, uint32_t *end);

#endif
