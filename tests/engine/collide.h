/* Keys whose 32-bit hashes are equal, in bulk. */
#ifndef NORKV_TESTS_COLLIDE_H
#define NORKV_TESTS_COLLIDE_H

#include <stddef.h>
#include <stdint.h>

/* Keys that share the engine's hash (FNV-1a); their size in bytes. */
enum { NKV_COLLIDING_KEYS = 64, NKV_COLLIDING_KEY_SIZE = 30 };

/* Writes the colliding key with a number below NKV_COLLIDING_KEYS; returns its
 * size. */
size_t nkv_colliding_key(uint32_t number, uint8_t *to);

#endif
