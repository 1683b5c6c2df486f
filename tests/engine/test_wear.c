/* Erases spread over the sectors. */
#include "bench.h"
#include "check.h"

#include <stdio.h>
#include <string.h>

static struct nkv_bench bench;

static int set_up(void **state)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(512, 16, 16)};

    (void)state;
    nkv_bench_init(&bench, &setup);
    assert_ok(nkv_bench_mount(&bench));
    return 0;
}

static int tear_down(void **state)
{
    bool good = nkv_bench_is_sound(&bench);

    (void)state;
    nkv_bench_free(&bench);
    return good ? 0 : -1;
}

struct wear {
    uint32_t least;
    uint32_t most;
    uint32_t sum;
};

static struct wear wear(void)
{
    struct wear wear = {.least = UINT32_MAX};

    for (uint32_t i = 0; i < bench.setup.sector_count; i++) {
        uint32_t erases = bench.sim.erases[i];

        wear.least = erases < wear.least ? erases : wear.least;
        wear.most = erases > wear.most ? erases : wear.most;
        wear.sum += erases;
    }
    return wear;
}

/* Puts a value of this size whose bytes follow from number. */
static void put_value(const char *key, size_t size, unsigned number)
{
    uint8_t bytes[512];

    memset(bytes, (int)number, sizeof bytes);
    nkv_store_le32(bytes, number);
    assert_ok(
        nkv_put(&bench.store, nkv_text(key), (struct nkv_span){bytes, size}));
}

static void one_large_value_wears_all_sectors_alike(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 160; i++) {
        put_value("large", 470, i);
    }
    assert_true(wear().least >= 7);
    assert_true(wear().most <= wear().least + 2);
}

static void no_sector_wears_twice_as_fast_as_the_average(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 14; i++) {
        put_value("some", 400, i);
    }
    for (unsigned i = 0; i < 3200; i++) {
        put_value("large", 470, i);
    }
    assert_int_equal(nkv_bench_statistics(&bench).keys, 2);
    assert_true(wear().most < 2 * wear().sum / 16);
}

/* Nine sectors' worth of data that never changes, and one key that does. */
static void data_that_never_changes_does_not_pin_its_sectors(void **state)
{
    char key[8];

    (void)state;
    for (unsigned i = 0; i < 72; i++) {
        snprintf(key, sizeof key, "s%u", i);
        put_value(key, 40, i);
    }
    for (unsigned i = 0; i < 30000; i++) {
        put_value("hot", 40, i);
    }
    assert_int_equal(nkv_bench_statistics(&bench).keys, 73);
    assert_true(wear().least > 0);
    assert_true(wear().most < 3 * wear().sum / 16);
}

/* Remounts forget what is in RAM; wear must not depend on it. */
static void remounts_do_not_wear_the_first_sectors(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        put_value("large", 200, i);
        assert_ok(nkv_bench_mount(&bench));
    }
    assert_true(wear().least > 0);
    assert_true(wear().most <= wear().least + 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_large_value_wears_all_sectors_alike),
        TEST(no_sector_wears_twice_as_fast_as_the_average),
        TEST(data_that_never_changes_does_not_pin_its_sectors),
        TEST(remounts_do_not_wear_the_first_sectors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
