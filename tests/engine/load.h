/*
 * Many entries of one size, keys of 12 bytes with values of 32, and the idle
 * steps between writes, each held to what a step may do.
 */
#ifndef NORKV_TESTS_LOAD_H
#define NORKV_TESTS_LOAD_H

#include "bench.h"

enum { NKV_LOAD_KEY_SIZE = 12, NKV_LOAD_VALUE_SIZE = 32 };

/* Writes the key with a number below 10^8. */
struct nkv_span nkv_load_key(uint32_t number, char to[NKV_LOAD_KEY_SIZE + 1]);

/* Puts the key's value that follows from salt. */
enum nkv_status nkv_load_put(struct nkv_bench *bench, uint32_t number,
                             uint32_t salt);

enum nkv_status nkv_load_delete(struct nkv_bench *bench, uint32_t number);

/* Whether the key has the value that follows from salt. */
bool nkv_load_gives(struct nkv_bench *bench, uint32_t number, uint32_t salt);

/* Bytes that one of them takes on flash. */
uint32_t nkv_load_entry_size(const struct nkv_bench *bench);

/* How many of them, in all copies, make this share of the flash live. */
uint32_t nkv_load_count(const struct nkv_bench *bench, uint32_t percent);

/* What has been done to the flash since before. */
struct nkv_sim_counts nkv_load_cost(const struct nkv_bench *bench,
                                    const struct nkv_sim_counts *before);

/* A call of nkv_step. Whether it returned NKV_OK and did at most one erase or
 * one copy of an entry of at most `largest` bytes; prints what it did. */
bool nkv_load_step(struct nkv_bench *bench, uint32_t largest, bool *more);

/* Such steps until nothing is left to do, or until there were more than a
 * hundred for each sector and each entry that fits one. */
bool nkv_load_settle(struct nkv_bench *bench);

#endif
