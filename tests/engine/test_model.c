/*
 * Tens of thousands of random operations, after each of which the store is
 * equal to a plain map.
 *
 * test_model [NAME [OPERATIONS [SEED]]]: only the case with this name. Without
 * a seed, each case runs with several.
 */
#include "collide.h"
#include "random.h"
#include "workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct model_case {
    const char *name;
    struct nkv_bench_setup setup;
    uint32_t key_count;
    uint32_t key_size_max;
    uint32_t value_size_max;
    uint32_t operations;
    size_t (*make_key)(uint32_t number, uint8_t *to);
    /* The case is to find the store or its key table full. */
    bool fills;
};

static const struct model_case cases[] = {
    {"two_small_sectors", {NKV_FLASH(512, 2, 16)}, 4, 6, 24, 8000, NULL, false},
    {"two_small_sectors_unit_1",
     {NKV_FLASH(512, 2, 1), .max_keys = 8},
     5,
     12,
     20,
     6000,
     NULL,
     false},
    {"two_sectors_unit_64",
     {NKV_FLASH(4096, 2, 64)},
     12,
     63,
     150,
     4000,
     NULL,
     false},
    {"six_small_sectors",
     {NKV_FLASH(512, 6, 16)},
     12,
     16,
     40,
     8000,
     NULL,
     false},
    {"six_small_sectors_two_copies",
     {NKV_FLASH(512, 6, 16), .copies = 2},
     7,
     16,
     30,
     6000,
     NULL,
     false},
    {"six_small_sectors_three_copies",
     {NKV_FLASH(512, 6, 8), .copies = 3},
     4,
     16,
     20,
     5000,
     NULL,
     false},
    {"large_values",
     {NKV_FLASH(4096, 4, 16), .buffer_size = 256},
     5,
     63,
     900,
     4000,
     NULL,
     false},
    {"largest_values",
     {NKV_FLASH(4096, 16, 16)},
     7,
     63,
     4017,
     2000,
     NULL,
     false},
    {"many_tiny_sectors",
     {NKV_FLASH(160, 95, 32)},
     40,
     20,
     70,
     5000,
     NULL,
     false},
    {"many_tiny_sectors_two_copies",
     {NKV_FLASH(160, 95, 32), .copies = 2},
     24,
     20,
     60,
     4000,
     NULL,
     false},
    {"many_keys", {NKV_FLASH(4096, 16, 16)}, 300, 20, 60, 5000, NULL, false},
    {"unit_256", {NKV_FLASH(4096, 16, 256)}, 50, 40, 500, 3000, NULL, false},
    {"unit_256_two_copies",
     {NKV_FLASH(2048, 12, 256), .copies = 2},
     14,
     40,
     300,
     3000,
     NULL,
     false},
    {"full_key_table",
     {NKV_FLASH(4096, 4, 16), .max_keys = 20},
     40,
     10,
     30,
     8000,
     NULL,
     true},
    {"full_key_table_of_one",
     {NKV_FLASH(512, 4, 16), .max_keys = 1},
     3,
     10,
     30,
     3000,
     NULL,
     true},
    {"full_store", {NKV_FLASH(512, 4, 16)}, 40, 10, 60, 6000, NULL, true},
    {"full_store_two_sectors",
     {NKV_FLASH(512, 2, 16)},
     16,
     6,
     40,
     6000,
     NULL,
     true},
    {"full_store_large_values",
     {NKV_FLASH(1024, 6, 16)},
     12,
     10,
     990,
     3000,
     NULL,
     true},
    {"full_store_two_copies",
     {NKV_FLASH(512, 5, 64), .copies = 2},
     16,
     10,
     100,
     4000,
     NULL,
     true},
    {"colliding_keys",
     {NKV_FLASH(4096, 4, 16), .max_keys = 64},
     NKV_COLLIDING_KEYS,
     0,
     40,
     5000,
     nkv_colliding_key,
     false},
    {"colliding_keys_full_table",
     {NKV_FLASH(4096, 4, 16), .max_keys = 30},
     NKV_COLLIDING_KEYS,
     0,
     40,
     5000,
     nkv_colliding_key,
     true},
    {"ids_that_wrap",
     {NKV_FLASH(512, 6, 16), .first_id = 0xFFFFFC00},
     10,
     10,
     40,
     5000,
     NULL,
     false},
};

enum { SEEDS = 3 };

static bool run_case(const struct model_case *the_case, uint32_t operations,
                     uint64_t seed)
{
    struct nkv_workload workload = {
        .random = seed,
        .key_count = the_case->key_count,
        .key_size_max = the_case->key_size_max,
        .value_size_max = the_case->value_size_max,
        .mix = &nkv_mix_full,
        .make_key = the_case->make_key,
    };
    struct nkv_model model = {0};
    struct nkv_bench bench;
    bool good;

    nkv_bench_init(&bench, &the_case->setup);
    good = nkv_bench_mount(&bench) == NKV_OK &&
           nkv_workload_run(&workload, &bench, &model, operations);
    if (good && the_case->fills != (workload.full_puts > 0)) {
        fprintf(stderr, "%u puts found the store full\n", workload.full_puts);
        good = false;
    }
    printf("%s: %u operations, %u full, %llu programs, %llu erases: %s\n",
           the_case->name, workload.done, workload.full_puts,
           (unsigned long long)bench.sim.counts.programs,
           (unsigned long long)bench.sim.counts.erases, good ? "ok" : "FAILED");
    nkv_model_free(&model);
    nkv_bench_free(&bench);
    return good;
}

int main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : NULL;
    uint32_t operations = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 0) : 0;
    uint64_t first = argc > 3 ? strtoull(argv[3], NULL, 0) : 1;
    uint64_t last = argc > 3 ? first : SEEDS;
    int run = 0, failed = 0;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct model_case *it = &cases[i];

        if (only != NULL && strcmp(only, it->name) != 0) {
            continue;
        }
        for (uint64_t seed = first; seed <= last; seed++) {
            run++;
            failed +=
                !run_case(it, operations ? operations : it->operations, seed);
        }
    }
    if (run == 0) {
        fprintf(stderr, "no case named %s\n", only);
    }
    return run == 0 || failed > 0;
}
