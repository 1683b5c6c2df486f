/* Erases spread over the sectors. */
#include "check.h"
#include "load.h"
#include "random.h"

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

/* A tenth of the keys is written again and again, the rest never: how much of
 * the flash they take, and what comes between the writes. */
struct wear_case {
    struct nkv_bench_setup setup;
    uint32_t percent;
    uint32_t puts_a_mount;
    uint32_t steps_a_put;
};

/* Half the average for each sector, and no more than half above it; three
 * quarters where mounts keep interrupting. */
static void check_spread(const struct wear_case *run)
{
    uint32_t count = bench.setup.sector_count;
    uint32_t most = run->puts_a_mount > 0 ? 7 : 6;
    struct wear now = wear();

    printf("%2u sectors, %2u %%, %u copies, mount every %3u puts: erases %u to "
           "%u, mean %.1f\n",
           count, run->percent, bench.setup.copies, run->puts_a_mount,
           now.least, now.most, (double)now.sum / count);
    if (2 * now.least * count < now.sum ||
        4 * now.most * count > most * now.sum) {
        fail_msg("%u sectors: erases %u to %u, mean %u", count, now.least,
                 now.most, now.sum / count);
    }
}

/* Writes until the sectors were erased a hundred times on average. */
static void wear_down(const struct wear_case *run)
{
    uint32_t count, hot;
    uint64_t random = 1;

    nkv_bench_free(&bench);
    nkv_bench_init(&bench, &run->setup);
    assert_ok(nkv_bench_mount(&bench));
    count = nkv_load_count(&bench, run->percent);
    hot = (count + 9) / 10;
    for (uint32_t i = 0; i < count; i++) {
        assert_ok(nkv_load_put(&bench, i, 0));
    }
    for (uint32_t i = 1; wear().sum < 100 * run->setup.sector_count; i++) {
        uint32_t number = nkv_random_below(&random, hot);
        bool more = true;

        assert_ok(nkv_load_put(&bench, number * (count / hot), i));
        for (uint32_t j = 0; more && j < run->steps_a_put; j++) {
            assert_ok(nkv_step(&bench.store, &more));
        }
        if (run->puts_a_mount > 0 && i % run->puts_a_mount == 0) {
            assert_ok(nkv_bench_mount(&bench));
        }
    }
    check_spread(run);
    assert_int_equal(nkv_bench_statistics(&bench).keys, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(i % (count / hot) == 0 || nkv_load_gives(&bench, i, 0));
    }
    assert_true(nkv_bench_is_sound(&bench));
}

static void wear_down_all(const struct wear_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        wear_down(&cases[i]);
    }
}

static void keys_that_are_never_rewritten_do_not_pin_their_sectors(void **state)
{
    static const struct wear_case cases[] = {
        {{NKV_FLASH(512, 16, 16)}, .percent = 50},
        {{NKV_FLASH(512, 16, 16)}, .percent = 65},
        {{NKV_FLASH(512, 16, 16)}, .percent = 80},
        {{NKV_FLASH(4096, 10, 16), .max_keys = 600}, .percent = 65},
        {{NKV_FLASH(1024, 12, 64)}, .percent = 65, .steps_a_put = 1},
        {{NKV_FLASH(512, 16, 16)}, .percent = 65, .steps_a_put = 100},
    };

    (void)state;
    wear_down_all(cases, sizeof cases / sizeof *cases);
}

static void no_sector_is_left_behind_by_remounts(void **state)
{
    static const struct wear_case cases[] = {
        {{NKV_FLASH(512, 16, 16)}, .percent = 65, .puts_a_mount = 7},
        {{NKV_FLASH(512, 16, 16)}, .percent = 65, .puts_a_mount = 50},
        {{NKV_FLASH(512, 16, 16)}, .percent = 65, .puts_a_mount = 333},
        {{NKV_FLASH(512, 16, 16)}, 65, .puts_a_mount = 7, .steps_a_put = 3},
        {{NKV_FLASH(512, 16, 16)}, 65, .puts_a_mount = 50, .steps_a_put = 100},
        {{NKV_FLASH(1024, 12, 16)}, 50, .puts_a_mount = 333, .steps_a_put = 3},
    };

    (void)state;
    wear_down_all(cases, sizeof cases / sizeof *cases);
}

static void two_copies_wear_all_sectors_alike(void **state)
{
    static const struct wear_case cases[] = {
        {{NKV_FLASH(512, 16, 16), .copies = 2}, .percent = 60},
        {{NKV_FLASH(512, 16, 16), .copies = 2}, 60, .puts_a_mount = 7},
        {{NKV_FLASH(512, 16, 16), .copies = 2}, 60, .puts_a_mount = 50},
        {{NKV_FLASH(1024, 12, 16), .copies = 2}, 50, 333, .steps_a_put = 100},
    };

    (void)state;
    wear_down_all(cases, sizeof cases / sizeof *cases);
}

static void small_stores_wear_all_sectors_alike(void **state)
{
    static const struct wear_case cases[] = {
        {{NKV_FLASH(512, 3, 16)}, .percent = 40},
        {{NKV_FLASH(512, 4, 16)}, .percent = 50},
        {{NKV_FLASH(512, 6, 16)}, .percent = 60},
        {{NKV_FLASH(512, 3, 16)}, .percent = 40, .puts_a_mount = 7},
        {{NKV_FLASH(512, 4, 16)}, .percent = 50, .puts_a_mount = 50},
        {{NKV_FLASH(512, 6, 16)}, .percent = 60, .puts_a_mount = 7},
        {{NKV_FLASH(512, 6, 16)}, 60, .puts_a_mount = 333, .steps_a_put = 100},
        {{NKV_FLASH(512, 4, 16), .copies = 2}, .percent = 40},
        {{NKV_FLASH(512, 6, 16), .copies = 2}, 50, .puts_a_mount = 50},
    };

    (void)state;
    wear_down_all(cases, sizeof cases / sizeof *cases);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_large_value_wears_all_sectors_alike),
        TEST(no_sector_wears_twice_as_fast_as_the_average),
        TEST(data_that_never_changes_does_not_pin_its_sectors),
        TEST(remounts_do_not_wear_the_first_sectors),
        TEST(keys_that_are_never_rewritten_do_not_pin_their_sectors),
        TEST(no_sector_is_left_behind_by_remounts),
        TEST(two_copies_wear_all_sectors_alike),
        TEST(small_stores_wear_all_sectors_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
