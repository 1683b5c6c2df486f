/*
 * A store on a simulated flash, with memory of just the size it asks for, so
 * that the address sanitizer sees every step beyond it.
 */
#ifndef NORKV_TESTS_BENCH_H
#define NORKV_TESTS_BENCH_H

#include "flash_sim.h"

#include <norkv/store.h>

enum { NKV_BENCH_FORMATS_MAX = 4, NKV_BENCH_VALUE_MAX = 65536 };

/* Members left 0 mean: 256 keys, 1 copy, the default format, a buffer of one
 * program unit but at least 16 bytes. */
struct nkv_bench_setup {
    uint32_t sector_size;
    uint32_t sector_count;
    uint32_t program_unit;
    uint32_t max_keys;
    uint32_t buffer_size;
    uint32_t first_id;
    struct nkv_format formats[NKV_BENCH_FORMATS_MAX];
    uint8_t format_count;
    uint8_t copies;
    uint16_t steps_per_write;
    bool manual_repair;
    bool fast_mount;
};

/* The first members of a setup. */
#define NKV_FLASH(size, count, unit)                                           \
    .sector_size = (size), .sector_count = (count), .program_unit = (unit)

struct nkv_bench {
    struct nkv_flash_sim sim;
    struct nkv_bench_setup setup;
    struct nkv_config config;
    struct nkv_store store;
    uint32_t *index;
    struct nkv_sector *sectors;
    uint8_t *buffer;
};

/* Makes an erased flash and a config for it; does not mount. The bench may not
 * move in memory afterwards. */
void nkv_bench_init(struct nkv_bench *bench,
                    const struct nkv_bench_setup *setup);

void nkv_bench_free(struct nkv_bench *bench);

/* Mounts anew, in memory that is full of garbage. */
enum nkv_status nkv_bench_mount(struct nkv_bench *bench);

/* Keeps in to, initialized with the same setup, all that from is at the moment:
 * flash, memory and the mounted store; and the other way round brings it back.
 * What is kept leads to the memory of where it came from: it is no store to
 * call. */
void nkv_bench_keep(struct nkv_bench *to, const struct nkv_bench *from);

/* Makes to, initialized with the same setup, the twin of from: flash, memory
 * and the mounted store. */
void nkv_bench_copy(struct nkv_bench *to, const struct nkv_bench *from);

/* A string as a key or value. */
struct nkv_span nkv_text(const char *text);

/* Calls with strings for keys and values. */
enum nkv_status nkv_bench_put(struct nkv_bench *bench, const char *key,
                              const char *value);
enum nkv_status nkv_bench_delete(struct nkv_bench *bench, const char *key);

/* A get into a buffer of the bench's own; the value has a NUL behind it.
 * "(STATUS)" when the get fails. Valid until the next call. */
const char *nkv_bench_get(struct nkv_bench *bench, const char *key);

struct nkv_statistics nkv_bench_statistics(const struct nkv_bench *bench);

/* Whether live, stale and free bytes add up to the partition, and nothing was
 * done to the flash that may not be done. Prints what is wrong. */
bool nkv_bench_is_sound(const struct nkv_bench *bench);

#endif
