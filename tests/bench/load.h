/*
 * The load that the reference was measured with: 4 KiB sectors, a program unit
 * of 16 bytes, CRC-16, keys of 12 bytes and values of 32. An entry takes 64
 * bytes, 44 of them payload.
 *
 * Whatever goes wrong ends the program.
 */
#ifndef NORKV_TESTS_LOAD_H
#define NORKV_TESTS_LOAD_H

#include "bench.h"
#include "meter.h"

enum {
    NKV_LOAD_SECTOR_SIZE = 4096,
    NKV_LOAD_ENTRY_SIZE = 64,
    NKV_LOAD_KEY_SIZE = 12,
    NKV_LOAD_VALUE_SIZE = 32,
    NKV_LOAD_PAYLOAD = NKV_LOAD_KEY_SIZE + NKV_LOAD_VALUE_SIZE
};

/* Which keys are overwritten: hot_writes percent of the writes go to the first
 * hot_keys percent of the keys, the rest to the others. */
struct nkv_pattern {
    uint32_t hot_keys;
    uint32_t hot_writes;
};

struct nkv_load {
    struct nkv_bench bench;
    struct nkv_meter meter;
    uint32_t keys;
    uint8_t (*names)[NKV_LOAD_KEY_SIZE];
    /* Puts done; each one's value holds its number, so no two are equal. */
    uint64_t puts;
    uint64_t random;
};

/* Sectors that make the flash 2.5 times as large as the live data. */
uint32_t nkv_load_sectors(uint32_t keys);

/* Makes a mounted, empty store for so many keys. A load does not move in
 * memory. */
void nkv_load_init(struct nkv_load *load, uint32_t keys, uint32_t sectors);

void nkv_load_free(struct nkv_load *load);

/* Ends the program with this text unless status is NKV_OK. */
void nkv_expect_ok(enum nkv_status status, const char *what);

void nkv_load_mount(struct nkv_load *load);

struct nkv_span nkv_load_key(const struct nkv_load *load, uint32_t number);

/* The number of a key to write next. */
uint32_t nkv_load_choose(struct nkv_load *load, struct nkv_pattern pattern);

void nkv_load_put(struct nkv_load *load, uint32_t number);

/* Puts each key once. */
void nkv_load_fill(struct nkv_load *load);

void nkv_load_overwrite(struct nkv_load *load, struct nkv_pattern pattern,
                        uint32_t puts);

/* Nanoseconds of a clock that never goes back. */
uint64_t nkv_now_ns(void);

/* Sorts the values. */
double nkv_median(double *values, size_t count);

#endif
