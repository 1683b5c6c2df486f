/*
 * A flash whose programs and erases go wrong at random, in part or in full,
 * with or without saying so. Whatever a call says holds; a write that failed
 * has the old value until the store is mounted again, and then that or a new
 * one.
 *
 * test_flaky [SEED]: only the runs with this seed.
 */
#include "bench.h"
#include "random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS = 8, ATTEMPTS_MAX = 32, OPERATIONS = 3000, SEEDS = 12 };

/* A key's value is a number; 0: it is not there. */
struct key_state {
    unsigned value;
    /* What failed writes may have left, until a write succeeds. */
    unsigned attempts[ATTEMPTS_MAX];
    unsigned attempt_count;
};

struct run {
    struct nkv_bench bench;
    struct key_state keys[KEYS];
    uint64_t random;
    unsigned number;
    unsigned failed;
    unsigned mounts;
    /* A write has failed since the last mount. */
    bool is_in_doubt;
};

static bool complain(const struct run *run, const char *what, unsigned key,
                     enum nkv_status status)
{
    fprintf(stderr, "write %u, key %u: %s (%s)\n", run->number, key, what,
            nkv_status_name(status));
    return false;
}

static struct nkv_span key_of(unsigned number, uint8_t *byte)
{
    *byte = (uint8_t)('a' + number);
    return (struct nkv_span){byte, 1};
}

static struct nkv_span value_of(unsigned number, uint8_t *bytes)
{
    size_t size = 4 + number % 30;

    memset(bytes, (int)number, size);
    nkv_store_le32(bytes, number);
    return (struct nkv_span){bytes, size};
}

/* Reads a key's number, 0 when it is not there. */
static bool read_key(struct run *run, unsigned number, unsigned *value)
{
    uint8_t byte, bytes[40], expected[40];
    struct nkv_buffer to = {bytes, sizeof bytes};
    struct nkv_value got = {0};
    enum nkv_status status =
        nkv_get(&run->bench.store, key_of(number, &byte), 0, to, &got);

    *value = 0;
    if (status == NKV_NOT_FOUND) {
        return true;
    }
    if (status != NKV_OK) {
        return complain(run, "get", number, status);
    }
    *value = nkv_load_le32(bytes);
    if (got.size != value_of(*value, expected).size ||
        memcmp(bytes, expected, got.size) != 0) {
        return complain(run, "a value that was never written", number, status);
    }
    return true;
}

static bool check_session(struct run *run)
{
    for (unsigned i = 0; i < KEYS; i++) {
        unsigned value;

        if (!read_key(run, i, &value)) {
            return false;
        }
        if (value != run->keys[i].value) {
            return complain(run, "another value than acknowledged", i, NKV_OK);
        }
    }
    return true;
}

static bool was_attempted(const struct key_state *key, unsigned value)
{
    for (unsigned i = 0; i < key->attempt_count; i++) {
        if (key->attempts[i] == value) {
            return true;
        }
    }
    return false;
}

static bool mount(struct run *run)
{
    enum nkv_status status = nkv_bench_mount(&run->bench);

    run->mounts++;
    run->is_in_doubt = false;
    if (status != NKV_OK) {
        return complain(run, "mount", 0, status);
    }
    for (unsigned i = 0; i < KEYS; i++) {
        struct key_state *key = &run->keys[i];
        unsigned value;

        if (!read_key(run, i, &value)) {
            return false;
        }
        if (value != key->value && !was_attempted(key, value)) {
            return complain(run, "a lost or returned value after mount", i,
                            NKV_OK);
        }
        key->value = value;
        key->attempt_count = 0;
    }
    return true;
}

/* A put, or a delete when value is 0. */
static bool write_key(struct run *run, unsigned number, unsigned value)
{
    struct key_state *key = &run->keys[number];
    struct nkv_store *store = &run->bench.store;
    uint8_t byte, bytes[40];
    struct nkv_span name = key_of(number, &byte);
    enum nkv_status status = value == 0
                                 ? nkv_delete(store, name)
                                 : nkv_put(store, name, value_of(value, bytes));

    if (status == NKV_OK || (value == 0 && status == NKV_NOT_FOUND)) {
        /* After a failure a tombstone may be written for what is not there. */
        if (value == 0 && (status == NKV_OK) != (key->value != 0) &&
            !run->is_in_doubt) {
            return complain(run, "delete", number, status);
        }
        key->value = value;
        key->attempt_count = 0;
        return true;
    }
    run->failed++;
    run->is_in_doubt = true;
    key->attempts[key->attempt_count++] = value;
    return key->attempt_count < ATTEMPTS_MAX || mount(run);
}

static bool do_operation(struct run *run)
{
    uint32_t die = nkv_random_below(&run->random, 100);
    unsigned number = nkv_random_below(&run->random, KEYS);
    bool more;

    if (die < 70) {
        return write_key(run, number, ++run->number);
    }
    if (die < 85) {
        return write_key(run, number, 0);
    }
    if (die < 88) {
        return mount(run);
    }
    if (die < 96) {
        (void)!nkv_step(&run->bench.store, &more);
    } else {
        (void)!nkv_maintain(&run->bench.store,
                            (enum nkv_maintenance_kind)(die % 3));
    }
    return true;
}

/* Once the flash is well, everything is. */
static bool check_recovered(struct run *run)
{
    unsigned failed = run->failed;
    bool good;

    run->bench.sim.flaky_every = 0;
    good = mount(run);
    for (unsigned i = 0; good && i < 100; i++) {
        good = write_key(run, i % KEYS, ++run->number) && check_session(run);
    }
    return good && run->failed == failed && mount(run) &&
           nkv_bench_is_sound(&run->bench);
}

static bool run_one(const struct nkv_bench_setup *setup, uint64_t seed,
                    uint32_t flaky_every)
{
    static struct run run;
    /* With two sectors there is nowhere else to go: one write in four may fail
     * where one call in twenty does, else one in twenty. */
    unsigned most = setup->sector_count == 2 ? 4 : 20;
    bool good;

    memset(&run, 0, sizeof run);
    run.random = seed;
    nkv_bench_init(&run.bench, setup);
    good = mount(&run);
    run.bench.sim.random = seed;
    run.bench.sim.flaky_every = flaky_every;
    for (unsigned i = 0; good && i < OPERATIONS; i++) {
        good = do_operation(&run) && check_session(&run) &&
               nkv_bench_is_sound(&run.bench);
    }
    if (good && run.failed * most > run.number) {
        fprintf(stderr, "%u of %u writes failed\n", run.failed, run.number);
        good = false;
    }
    good = good && check_recovered(&run);
    printf("%u x %u, copies %u, one in %u, seed %llu: %u of %u writes failed, "
           "%u mounts: %s\n",
           setup->sector_count, setup->sector_size, setup->copies, flaky_every,
           (unsigned long long)seed, run.failed, run.number, run.mounts,
           good ? "ok" : "FAILED");
    nkv_bench_free(&run.bench);
    return good;
}

int main(int argc, char **argv)
{
    static const struct nkv_bench_setup setups[] = {
        {NKV_FLASH(1024, 2, 16), .copies = 1, .max_keys = 16},
        {NKV_FLASH(512, 6, 16), .copies = 1, .max_keys = 16},
        {NKV_FLASH(512, 6, 1), .copies = 1, .max_keys = 16},
        {NKV_FLASH(512, 8, 64), .copies = 1, .max_keys = 16},
        {NKV_FLASH(512, 8, 16), .copies = 2, .max_keys = 16},
        {NKV_FLASH(512, 10, 16), .copies = 3, .max_keys = 16},
    };
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
    uint64_t last = argc > 1 ? first : SEEDS;
    unsigned failed = 0;

    for (size_t i = 0; i < sizeof setups / sizeof *setups; i++) {
        for (uint64_t seed = first; seed <= last; seed++) {
            failed +=
                !run_one(&setups[i], seed, 20 + 60 * (uint32_t)(seed % 4));
        }
    }
    return failed > 0;
}
