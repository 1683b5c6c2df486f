/* Which sector to collect. */
#ifndef NKV_VICTIM_H
#define NKV_VICTIM_H

#include "core.h"

/*
 * The sector that is worth most to collect, gains at least so many bytes (1 or
 * more) and leaves room for so many beside its live ones, or NKV_NONE. When no
 * sector is erased, only one whose entries find room in open ones.
 */
uint32_t nkv_victim_choose(const struct nkv_store *store, uint32_t gain,
                           uint32_t room);

/* A sector that is to be erased whatever it gains, because it is damaged or
 * dirty; NKV_NONE: there is none. */
uint32_t nkv_victim_damaged(const struct nkv_store *store);

/* Runs a collection of the victim that is worth most and leaves so much room
 * (or the one in progress) to its end. NKV_RESOURCE_EXHAUSTED: there is no such
 * sector, or no room to copy to. */
enum nkv_status nkv_collect_best(struct nkv_store *store, uint32_t room);

#endif
