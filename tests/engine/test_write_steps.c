/* What one put or delete does beside its own entry: no erase when idle steps
 * ran before, one erase and one sector's copies without them, and no more than
 * steps_per_write while there is room. */
#include "check.h"
#include "load.h"
#include "random.h"

#include <stdio.h>
#include <string.h>

static struct nkv_bench bench, twin;
static uint64_t random_state;

/* Keys of 12 bytes and values of 32 in forty sectors of 4 KiB. */
static const struct nkv_bench_setup large = {
    NKV_FLASH(4096, 40, 16), .max_keys = 2400, .buffer_size = 256};
static const struct nkv_bench_setup middle = {NKV_FLASH(1024, 12, 16),
                                              .max_keys = 200};

static uint32_t open_bench(const struct nkv_bench_setup *setup,
                           uint32_t percent, uint16_t steps_per_write)
{
    uint32_t count;

    random_state = percent;
    nkv_bench_init(&bench, setup);
    bench.config.steps_per_write = steps_per_write;
    assert_ok(nkv_bench_mount(&bench));
    count = nkv_load_count(&bench, percent);
    for (uint32_t i = 0; i < count; i++) {
        assert_ok(nkv_load_put(&bench, i, 0));
    }
    return count;
}

static void close_bench(void)
{
    assert_true(nkv_bench_is_sound(&bench));
    nkv_bench_free(&bench);
}

/* Any key, or one of a tenth of them nine times in ten. */
static uint32_t pick(uint32_t count, bool is_skewed)
{
    if (is_skewed && nkv_random_below(&random_state, 10) > 0) {
        count = (count + 9) / 10;
    }
    return nkv_random_below(&random_state, count);
}

static void check_rested_puts(uint32_t count, bool is_skewed, uint32_t puts)
{
    for (uint32_t i = 0; i < puts; i++) {
        struct nkv_sim_counts before, cost;

        assert_true(nkv_load_settle(&bench));
        before = bench.sim.counts;
        assert_ok(nkv_load_put(&bench, pick(count, is_skewed), i + 1));
        cost = nkv_load_cost(&bench, &before);
        assert_int_equal(cost.erases, 0);
        assert_int_equal(cost.programmed_bytes, nkv_load_entry_size(&bench));
    }
}

static void no_put_erases_when_idle_steps_run_in_between(void **state)
{
    (void)state;
    for (uint32_t percent = 50; percent <= 80; percent += 15) {
        for (int skewed = 0; skewed < 2; skewed++) {
            uint32_t count = open_bench(&large, percent, 0);

            check_rested_puts(count, skewed, 4000);
            close_bench();
        }
    }
}

static void no_delete_erases_when_idle_steps_run_in_between(void **state)
{
    uint32_t count = open_bench(&large, 70, 0);

    (void)state;
    for (uint32_t i = 0; i < 3000; i++) {
        uint32_t number = pick(count, false);
        uint64_t erases;

        assert_true(nkv_load_settle(&bench));
        erases = bench.sim.counts.erases;
        assert_ok(nkv_load_delete(&bench, number));
        assert_int_equal(bench.sim.counts.erases, erases);
        assert_ok(nkv_load_put(&bench, number, i));
    }
    close_bench();
}

/* One erase, and the copying of one sector, beside the entry itself. */
static void check_unrested_puts(uint32_t count, bool is_skewed, uint32_t puts)
{
    uint32_t limit = nkv_load_entry_size(&bench) + bench.setup.sector_size;

    for (uint32_t i = 0; i < puts; i++) {
        struct nkv_sim_counts before = bench.sim.counts, cost;

        assert_ok(nkv_load_put(&bench, pick(count, is_skewed), i + 1));
        cost = nkv_load_cost(&bench, &before);
        if (cost.erases > 1 || cost.programmed_bytes > limit) {
            fail_msg("put %u of %u keys: %u erases, %u bytes", i, count,
                     (unsigned)cost.erases, (unsigned)cost.programmed_bytes);
        }
    }
}

static void no_put_erases_twice_or_copies_more_than_a_sector(void **state)
{
    (void)state;
    for (uint32_t percent = 50; percent <= 80; percent += 15) {
        for (int skewed = 0; skewed < 2; skewed++) {
            check_unrested_puts(open_bench(&large, percent, 0), skewed, 20000);
            close_bench();
            check_unrested_puts(open_bench(&middle, percent, 0), skewed, 10000);
            close_bench();
        }
    }
}

/* A delete may have to collect for its tombstone, too. */
static void no_delete_erases_twice_or_copies_more_than_a_sector(void **state)
{
    uint32_t count = open_bench(&middle, 70, 0);
    uint32_t limit = nkv_load_entry_size(&bench) + bench.setup.sector_size;

    (void)state;
    for (uint32_t i = 0; i < 10000; i++) {
        uint32_t number = pick(count, false);
        struct nkv_sim_counts before = bench.sim.counts, cost;

        assert_ok(nkv_load_delete(&bench, number));
        cost = nkv_load_cost(&bench, &before);
        assert_true(cost.erases <= 1);
        assert_true(cost.programmed_bytes <= limit);
        assert_ok(nkv_load_put(&bench, number, i));
    }
    close_bench();
}

/* Makes the same put on a twin without steps_per_write; whether it got along
 * without any step, which means that there was room. */
static bool had_room(uint32_t number, uint32_t salt)
{
    uint32_t steps;

    nkv_bench_copy(&twin, &bench);
    steps = nkv_bench_statistics(&twin).steps;
    return nkv_load_put(&twin, number, salt) == NKV_OK &&
           nkv_bench_statistics(&twin).steps == steps;
}

static void check_step_limit(const struct nkv_bench_setup *setup,
                             uint32_t percent, uint16_t limit)
{
    uint32_t count = open_bench(setup, percent, limit), longest = 0;

    longest = nkv_bench_statistics(&bench).longest_write_steps;
    nkv_bench_init(&twin, setup);
    for (uint32_t i = 0; i < 1500; i++) {
        uint32_t number = pick(count, i % 2);
        bool is_roomy = had_room(number, i + 1);
        uint32_t steps = nkv_bench_statistics(&bench).steps;

        assert_ok(nkv_load_put(&bench, number, i + 1));
        steps = nkv_bench_statistics(&bench).steps - steps;
        longest = steps > longest ? steps : longest;
        if (is_roomy && steps > limit) {
            fail_msg("%u %% full: %u steps, not %u", percent, steps, limit);
        }
        assert_int_equal(nkv_bench_statistics(&bench).longest_write_steps,
                         longest);
    }
    assert_true(nkv_bench_statistics(&bench).steps > 0);
    nkv_bench_free(&twin);
    close_bench();
}

static void a_put_with_room_does_no_more_steps_than_configured(void **state)
{
    static const uint16_t limits[] = {1, 4, 16};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (uint32_t percent = 50; percent <= 80; percent += 15) {
            check_step_limit(&middle, percent, limits[i]);
        }
        check_step_limit(&large, 60, limits[i]);
    }
}

/* With enough of them no put is ever out of room. */
static void steps_per_write_keep_collections_out_of_the_way(void **state)
{
    static const struct {
        uint32_t percent;
        uint16_t limit;
    } loads[] = {{50, 4}, {50, 16}, {65, 16}, {80, 16}};

    (void)state;
    for (size_t i = 0; i < sizeof loads / sizeof *loads; i++) {
        uint32_t count = open_bench(&large, loads[i].percent, loads[i].limit);

        for (uint32_t j = 0; j < 10000; j++) {
            assert_ok(nkv_load_put(&bench, pick(count, j % 2), j + 1));
        }
        assert_in_range(nkv_bench_statistics(&bench).longest_write_steps, 1,
                        loads[i].limit);
        close_bench();
    }
}

/* Few steps a write are no reason to fail: a store that is nearly full takes
 * what the one without a limit takes. */
static void a_put_without_room_does_as_many_steps_as_it_takes(void **state)
{
    static const uint16_t limits[] = {0, 1, 4, 16};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        for (uint32_t percent = 80; percent <= 86; percent += 3) {
            uint32_t count = open_bench(&middle, percent, limits[i]);

            for (uint32_t j = 0; j < 1500; j++) {
                assert_ok(nkv_load_put(&bench, pick(count, false), j + 1));
            }
            for (uint32_t j = 0; j < count; j++) {
                assert_ok(nkv_load_put(&bench, j, j));
            }
            assert_ok(nkv_bench_mount(&bench));
            for (uint32_t j = 0; j < count; j++) {
                assert_true(nkv_load_gives(&bench, j, j));
            }
            close_bench();
        }
    }
}

static void without_steps_per_write_a_put_with_room_does_no_step(void **state)
{
    uint32_t count = open_bench(&large, 50, 0);

    (void)state;
    assert_int_equal(nkv_bench_statistics(&bench).steps, 0);
    for (uint32_t i = 0; i < 5000; i++) {
        uint32_t steps = nkv_bench_statistics(&bench).steps;
        struct nkv_sim_counts before = bench.sim.counts, cost;
        bool has_worked;

        assert_ok(nkv_load_put(&bench, pick(count, false), i + 1));
        cost = nkv_load_cost(&bench, &before);
        has_worked = cost.erases > 0 ||
                     cost.programmed_bytes > nkv_load_entry_size(&bench);
        assert_int_equal(nkv_bench_statistics(&bench).steps > steps,
                         has_worked);
    }
    close_bench();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_put_erases_when_idle_steps_run_in_between),
        cmocka_unit_test(no_delete_erases_when_idle_steps_run_in_between),
        cmocka_unit_test(no_put_erases_twice_or_copies_more_than_a_sector),
        cmocka_unit_test(no_delete_erases_twice_or_copies_more_than_a_sector),
        cmocka_unit_test(a_put_with_room_does_no_more_steps_than_configured),
        cmocka_unit_test(steps_per_write_keep_collections_out_of_the_way),
        cmocka_unit_test(a_put_without_room_does_as_many_steps_as_it_takes),
        cmocka_unit_test(without_steps_per_write_a_put_with_room_does_no_step),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
