/* The hash of a key. */
#ifndef NKV_HASH_H
#define NKV_HASH_H

#include "core.h"

/* FNV-1a with a final mix, so that the top bits depend on all of the key:
 * start, add the key in pieces, end. */
#define NKV_HASH_START 2166136261u
uint32_t nkv_hash_add(uint32_t state, const uint8_t *data, size_t size);
uint32_t nkv_hash_end(uint32_t state);
uint32_t nkv_hash(struct nkv_span key);

#endif
