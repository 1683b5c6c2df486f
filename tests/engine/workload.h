/*
 * Random operations on a store, each held against a model.
 *
 * The same seed gives the same operations.
 */
#ifndef NORKV_TESTS_WORKLOAD_H
#define NORKV_TESTS_WORKLOAD_H

#include "bench.h"
#include "model.h"

/* How often, of 1000 operations, each kind comes; the rest are gets. */
struct nkv_workload_mix {
    uint16_t puts;
    uint16_t deletes;
    uint16_t same_puts;
    uint16_t describes;
    uint16_t remounts;
    uint16_t steps;
    uint16_t maintenances;
    uint16_t iterations;
    uint16_t erases;
};

/* Puts, deletes and remounts only. */
extern const struct nkv_workload_mix nkv_mix_simple;
/* All there is. */
extern const struct nkv_workload_mix nkv_mix_full;

struct nkv_workload {
    uint64_t random;
    /* The keys come from a pool of this many. */
    uint32_t key_count;
    /* At least 2. */
    uint32_t key_size_max;
    uint32_t value_size_max;
    const struct nkv_workload_mix *mix;
    /* Keys by number; NULL: binary keys of the workload's own. */
    size_t (*make_key)(uint32_t number, uint8_t *to);
    /* A put may find the store full only if, with it, more than this share of
     * the sectors but the spare ones would be live. 0: 50 percent. */
    uint32_t full_percent;
    /* Puts that found the store or its key table full. */
    uint32_t full_puts;
    uint32_t done;
    /* The flash holds damage from the start, which mounts may find. */
    bool is_damaged;
    /* A collection by steps may be under way, which mounting has to end. */
    bool is_collecting;
    /* What the last operations were, newest last, for a failure's text. */
    const char *last[4];
};

/* Writes the key with a number below key_count; returns its size. */
size_t nkv_workload_key(const struct nkv_workload *workload, uint32_t number,
                        uint8_t *to);

/* Writes a random value of at most value_size_max bytes; returns its size. */
size_t nkv_workload_value(struct nkv_workload *workload, uint8_t *to);

/* Whether a store that keeps this entry as well may call itself full: the key
 * table is, or more than percent of the sectors but the spare ones is live. */
bool nkv_may_be_full(const struct nkv_bench *bench, bool is_new_key,
                     size_t entry_size, uint32_t percent);

/* Does one random operation on store and model. Whether the store did right;
 * prints what it did wrong. */
bool nkv_workload_do(struct nkv_workload *workload, struct nkv_bench *bench,
                     struct nkv_model *model);

/* Does count of them, and compares everything in the end. */
bool nkv_workload_run(struct nkv_workload *workload, struct nkv_bench *bench,
                      struct nkv_model *model, uint32_t count);

#endif
