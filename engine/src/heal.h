/* Adding the copies that entries lack. */
#ifndef NKV_HEAL_H
#define NKV_HEAL_H

#include "core.h"

/* Keys and tombstones with fewer copies than configured. */
uint32_t nkv_heal_count(const struct nkv_store *store);

/*
 * Adds one copy, or does one step of a collection that makes room for it.
 * *more: call again.
 *
 * - NKV_RESOURCE_EXHAUSTED: no room; the entry still lacks copies.
 */
enum nkv_status nkv_heal_step(struct nkv_store *store, bool *more);

/* Completes all of them as far as there is room. */
enum nkv_status nkv_heal_all(struct nkv_store *store);

#endif
