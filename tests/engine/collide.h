/* Keys whose 32-bit hashes are equal, in bulk. */
#ifndef NORKV_TESTS_COLLIDE_H
#define NORKV_TESTS_COLLIDE_H

#include <stddef.h>
#include <stdint.h>

enum {
    /* Keys that share the engine's hash (FNV-1a); their size in bytes. */
    NKV_COLLIDING_KEYS = 64,
    NKV_COLLIDING_KEY_SIZE = 30,
    /* Keys of one given hash, and their size. */
    NKV_KEYS_OF_HASH = 256,
    NKV_KEY_OF_HASH_SIZE = 45,
    /* Keys that share the hash of pw_kvs, and their size. */
    NKV_PW_COLLIDING_KEYS = 256,
    NKV_PW_COLLIDING_KEY_SIZE = 40
};

/* Writes the colliding key with a number below NKV_COLLIDING_KEYS; returns its
 * size. */
size_t nkv_colliding_key(uint32_t number, uint8_t *to);

/* Writes a key that the engine hashes to hash; number is below
 * NKV_KEYS_OF_HASH. Returns its size. */
size_t nkv_key_of_hash(uint32_t hash, uint32_t number, uint8_t *to);

/* The hash of pw_kvs. */
uint32_t nkv_pw_hash(const uint8_t *key, size_t size);

/* Writes the key with a number below NKV_PW_COLLIDING_KEYS of those that pw_kvs
 * cannot tell apart; returns its size. */
size_t nkv_pw_colliding_key(uint32_t number, uint8_t *to);

#endif
