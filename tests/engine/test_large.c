/* Large sectors: 64 KiB, which is more than pw_kvs takes, and the largest that
 * there can be, with values up to the largest. */
#include "check.h"
#include "load.h"
#include "random.h"
#include "workload.h"

#include <stdlib.h>
#include <string.h>

static struct nkv_bench bench;

static const struct nkv_bench_setup setups[] = {
    {NKV_FLASH(65536, 3, 16), .buffer_size = 256, .max_keys = 40},
    {NKV_FLASH(65536, 2, 256), .buffer_size = 256, .max_keys = 40},
    {NKV_FLASH(65536, 5, 1), .buffer_size = 64, .copies = 2, .max_keys = 40},
    {NKV_FLASH(131072, 3, 64), .buffer_size = 256, .max_keys = 40},
    {NKV_FLASH(NKV_SECTOR_SIZE_MAX, 2, 16), .buffer_size = 256, .max_keys = 80},
};

enum { SETUPS = sizeof setups / sizeof *setups };

static void open_bench(const struct nkv_bench_setup *setup)
{
    nkv_bench_init(&bench, setup);
    assert_ok(nkv_bench_mount(&bench));
}

static void close_bench(void)
{
    assert_true(nkv_bench_is_sound(&bench));
    nkv_bench_free(&bench);
}

/* Random operations with values of any size that fits. */
static void large_sectors_keep_to_the_model(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETUPS; i++) {
        struct nkv_workload workload = {
            .random = i,
            .key_count = 12,
            .key_size_max = 20,
            .value_size_max = NKV_VALUE_SIZE_MAX,
            .mix = &nkv_mix_full,
            .full_percent = 1,
        };
        struct nkv_model model = {0};

        open_bench(&setups[i]);
        if (setups[i].sector_size == 65536) {
            workload.value_size_max = 65536 - 16 - 20;
        }
        assert_true(nkv_workload_run(&workload, &bench, &model, 300));
        nkv_model_free(&model);
        close_bench();
    }
}

static struct nkv_span value_of(uint8_t *bytes, uint32_t size, uint32_t salt)
{
    uint64_t random = salt;

    nkv_random_fill(&random, bytes, size);
    return (struct nkv_span){bytes, size};
}

/* The largest value there is, and one byte more. */
static void the_largest_value_there_is_fits_where_its_sector_does(void **state)
{
    static uint8_t bytes[NKV_VALUE_SIZE_MAX + 1];
    struct nkv_span key = nkv_text("k");

    (void)state;
    for (size_t i = 0; i < SETUPS; i++) {
        uint32_t sector = setups[i].sector_size, largest;

        open_bench(&setups[i]);
        largest = nkv_value_size_max(&bench.store, 1);
        assert_int_equal(largest, sector - 17 < NKV_VALUE_SIZE_MAX
                                      ? sector - 17
                                      : NKV_VALUE_SIZE_MAX);
        for (uint32_t j = 0; j < 6; j++) {
            assert_ok(nkv_put(&bench.store, key, value_of(bytes, largest, j)));
            assert_true(nkv_store_gives(&bench.store, key,
                                        value_of(bytes, largest, j)));
        }
        assert_status(
            nkv_put(&bench.store, key, value_of(bytes, largest + 1, 7)),
            NKV_INVALID_ARGUMENT);
        assert_ok(nkv_bench_mount(&bench));
        assert_true(
            nkv_store_gives(&bench.store, key, value_of(bytes, largest, 5)));
        assert_ok(nkv_delete(&bench.store, key));
        assert_ok(nkv_bench_put(&bench, "k", "small"));
        close_bench();
    }
}

/* More small entries in a sector than 16 bits count bytes. */
static void
a_sector_of_the_largest_size_is_filled_with_small_entries(void **state)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(NKV_SECTOR_SIZE_MAX, 2, 16),
                                          .buffer_size = 256,
                                          .max_keys = 20000};
    uint32_t count;

    (void)state;
    open_bench(&setup);
    count = nkv_load_count(&bench, 49);
    assert_true(count > 15000);
    for (uint32_t i = 0; i < count; i++) {
        assert_ok(nkv_load_put(&bench, i, 1));
    }
    for (uint32_t i = 0; i < count; i += 16) {
        assert_ok(nkv_load_put(&bench, i, 2));
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(nkv_bench_statistics(&bench).keys, count);
        for (uint32_t j = 0; j < count; j += 7) {
            assert_true(nkv_load_gives(&bench, j, j % 16 ? 1 : 2));
        }
        assert_ok(nkv_bench_mount(&bench));
    }
    close_bench();
}

static void a_larger_sector_than_the_largest_is_refused(void **state)
{
    (void)state;
    nkv_bench_init(&bench, &setups[0]);
    bench.sim.flash.sector_size = NKV_SECTOR_SIZE_MAX + 16;
    assert_status(nkv_bench_mount(&bench), NKV_INVALID_ARGUMENT);
    assert_int_equal(bench.sim.counts.reads, 0);
    nkv_bench_free(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_sectors_keep_to_the_model),
        cmocka_unit_test(the_largest_value_there_is_fits_where_its_sector_does),
        cmocka_unit_test(
            a_sector_of_the_largest_size_is_filled_with_small_entries),
        cmocka_unit_test(a_larger_sector_than_the_largest_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
