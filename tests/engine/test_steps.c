/* Idle steps: what one of them may do, how many there are, and that they come
 * to an end. */
#include "check.h"
#include "load.h"
#include "random.h"

#include <stdio.h>

enum { STEPS_MAX = 20000 };

static struct nkv_bench bench;
static uint64_t random_state;

static void open_bench(const struct nkv_bench_setup *setup)
{
    random_state = 1;
    nkv_bench_init(&bench, setup);
    assert_ok(nkv_bench_mount(&bench));
}

static void close_bench(void)
{
    assert_true(nkv_bench_is_sound(&bench));
    nkv_bench_free(&bench);
}

/* Puts keys of a share of the flash, each twice on average, in any order. */
static void overwrite(uint32_t percent)
{
    uint32_t count = nkv_load_count(&bench, percent);

    for (uint32_t i = 0; i < 3 * count; i++) {
        uint32_t number =
            i < count ? i : nkv_random_below(&random_state, count);

        assert_ok(nkv_load_put(&bench, number, i));
    }
}

static void leave_stale(void)
{
    overwrite(50);
}

static void leave_full(void)
{
    enum nkv_status status = NKV_OK;

    for (uint32_t i = 0; status == NKV_OK; i++) {
        status = nkv_load_put(&bench, i, 0);
        assert_true(i < STEPS_MAX);
    }
    assert_status(status, NKV_RESOURCE_EXHAUSTED);
}

static void leave_damage(void)
{
    uint32_t sector = bench.setup.sector_size;

    overwrite(30);
    for (uint32_t i = 0; i < bench.setup.sector_count; i += 2) {
        uint32_t offset = i * sector + 40;

        nkv_flash_sim_poke(&bench.sim, offset, bench.sim.bytes[offset] & 0x55);
    }
    assert_ok(nkv_bench_mount(&bench));
}

static void leave_missing_copies(void)
{
    uint8_t copies = bench.config.copies;

    bench.config.copies = 1;
    assert_ok(nkv_bench_mount(&bench));
    overwrite(30);
    bench.config.copies = copies;
    assert_ok(nkv_bench_mount(&bench));
}

static void leave_a_cut_collection(void)
{
    struct nkv_sim_cut cut = {NKV_SIM_CUT_TORN, 7, 8, 1};

    overwrite(50);
    nkv_flash_sim_cut(&bench.sim, cut);
    (void)!nkv_maintain(&bench.store, NKV_MAINTAIN_HEAVY);
    nkv_flash_sim_power_on(&bench.sim);
    assert_ok(nkv_bench_mount(&bench));
}

static void leave_tombstones(void)
{
    overwrite(20);
    for (uint32_t i = 0; i < nkv_load_count(&bench, 20); i++) {
        assert_ok(nkv_load_delete(&bench, i));
    }
}

/* The first keys are never written again; the ids come to the top. */
static void leave_old_ids(void)
{
    uint32_t count = nkv_load_count(&bench, 30);

    bench.config.first_id = 0xFEFFFF80;
    assert_ok(nkv_bench_mount(&bench));
    for (uint32_t i = 0; i < count + 150; i++) {
        assert_ok(nkv_load_put(&bench, i < count ? i : 0, i));
    }
}

static const struct scene {
    const char *name;
    void (*leave)(void);
} scenes[] = {
    {"stale entries", leave_stale},
    {"a full store", leave_full},
    {"damage", leave_damage},
    {"missing copies", leave_missing_copies},
    {"a cut collection", leave_a_cut_collection},
    {"tombstones", leave_tombstones},
    {"old ids", leave_old_ids},
};

static const struct nkv_bench_setup setups[] = {
    {NKV_FLASH(4096, 8, 16), .max_keys = 1000},
    {NKV_FLASH(512, 6, 1)},
    {NKV_FLASH(512, 6, 16), .copies = 2},
    {NKV_FLASH(512, 8, 64), .copies = 3},
    {NKV_FLASH(160, 95, 32), .max_keys = 300},
    {NKV_FLASH(1024, 5, 256)},
    {NKV_FLASH(512, 3, 16)},
    {NKV_FLASH(512, 2, 16)},
};

enum { SETUPS = sizeof setups / sizeof *setups };

static void for_each_state(void (*check)(const char *name))
{
    for (size_t i = 0; i < SETUPS; i++) {
        for (size_t j = 0; j < sizeof scenes / sizeof *scenes; j++) {
            open_bench(&setups[i]);
            scenes[j].leave();
            check(scenes[j].name);
            close_bench();
        }
    }
}

static void check_each_step(const char *name)
{
    uint32_t largest = nkv_load_entry_size(&bench), steps = 0;
    bool more = true;

    while (more) {
        assert_true(nkv_load_step(&bench, largest, &more));
        if (++steps > STEPS_MAX) {
            fail_msg("%s: the steps do not end", name);
        }
    }
}

static void a_step_is_one_erase_or_one_copy_in_every_state(void **state)
{
    (void)state;
    for_each_state(check_each_step);
}

/* What the store says is left holds: it is 0 when a step finds nothing, never
 * 0 before, and never too little. */
static void check_pending(const char *name)
{
    uint32_t promised = nkv_pending_steps(&bench.store), done = 0;
    bool more = true;

    while (more) {
        uint32_t before = nkv_pending_steps(&bench.store);
        uint32_t steps = nkv_bench_statistics(&bench).steps;
        uint64_t operations = bench.sim.counts.operations;

        assert_ok(nkv_step(&bench.store, &more));
        steps = nkv_bench_statistics(&bench).steps - steps;
        done += steps;
        if (done > promised) {
            fail_msg("%s: more than %u steps", name, promised);
        }
        assert_true(steps <= 1);
        assert_true(steps == 1 || bench.sim.counts.operations == operations);
        assert_true(before > 0 || (!more && steps == 0));
        /* Copies that turn out to find no room take no step. */
        assert_true(before == 0 || more || steps == 1 ||
                    nkv_bench_statistics(&bench).missing_copies > 0);
    }
    assert_int_equal(nkv_pending_steps(&bench.store), 0);
}

static void the_pending_steps_are_as_many_as_promised_or_fewer(void **state)
{
    (void)state;
    for_each_state(check_pending);
}

/* Right after mounting as well, and with writes between the steps. */
static void no_pending_step_means_that_a_step_finds_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETUPS; i++) {
        uint32_t count, zeros = 0, others = 0;

        open_bench(&setups[i]);
        count = nkv_load_count(&bench, 40);
        for (uint32_t j = 0; j < 1500; j++) {
            uint32_t number = nkv_random_below(&random_state, count);
            uint32_t pending = nkv_pending_steps(&bench.store);
            uint64_t operations = bench.sim.counts.operations;
            bool more = false;

            assert_ok(nkv_step(&bench.store, &more));
            zeros += pending == 0;
            others += pending > 0;
            assert_true(pending > 0 ||
                        (!more && bench.sim.counts.operations == operations));
            assert_ok(nkv_load_put(&bench, number, j));
            if (j % 100 == 0) {
                assert_ok(nkv_bench_mount(&bench));
            }
        }
        assert_true(zeros > 0);
        assert_true(others > 0);
        close_bench();
    }
}

/* Collections, the sweep that wears all sectors alike and damage that is found
 * meanwhile, between writes. */
static void steps_between_writes_are_small_over_long_runs(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETUPS; i++) {
        uint32_t count, largest;

        open_bench(&setups[i]);
        largest = nkv_load_entry_size(&bench);
        count = nkv_load_count(&bench, 40);
        for (uint32_t j = 0; j < 3000; j++) {
            uint32_t steps = nkv_random_below(&random_state, 6);
            bool is_hot = j > count && nkv_random_below(&random_state, 20) > 0;
            bool more = true;

            assert_ok(nkv_load_put(&bench, j % (is_hot ? 3 : count), j));
            while (more && steps-- > 0) {
                assert_true(nkv_load_step(&bench, largest, &more));
            }
        }
        close_bench();
    }
}

static void fail_sector(uint32_t sector, enum nkv_sim_fault_kind kind)
{
    struct nkv_sim_fault fault = {.kind = kind,
                                  .offset = sector * bench.setup.sector_size,
                                  .size = bench.setup.sector_size,
                                  .status = NKV_UNAVAILABLE};

    nkv_flash_sim_add_fault(&bench.sim, fault);
}

/* Whatever the steps say, an idle hook that calls them until nothing is left
 * does not hang, and the next steps do no more for it. */
static void check_end(const char *name)
{
    enum nkv_status status = NKV_OK;
    uint64_t operations;
    bool more = true;

    for (uint32_t i = 0; more && i <= STEPS_MAX; i++) {
        status = nkv_step(&bench.store, &more);
    }
    if (more) {
        fail_msg("%s: the steps do not end (%s)", name,
                 nkv_status_name(status));
    }
    operations = bench.sim.counts.operations;
    for (uint32_t i = 0; i < 100; i++) {
        (void)!nkv_step(&bench.store, &more);
    }
    assert_true(bench.sim.counts.operations - operations <=
                (8 + (uint64_t)bench.setup.sector_size / 32) *
                    bench.setup.sector_count);
}

static void steps_come_to_an_end_when_a_sector_has_failed(void **state)
{
    (void)state;
    for (uint32_t sector = 0; sector < 6; sector++) {
        for (size_t j = 0; j < 3; j++) {
            for (size_t k = 0; k < sizeof scenes / sizeof *scenes; k++) {
                open_bench(&setups[1 + j / 2]);
                scenes[k].leave();
                if (j != 1) {
                    fail_sector(sector, NKV_SIM_FAULT_ERASE);
                }
                if (j > 0) {
                    fail_sector(sector, NKV_SIM_FAULT_PROGRAM);
                }
                check_end(scenes[k].name);
                close_bench();
            }
        }
    }
}

static void steps_come_to_an_end_when_nothing_can_be_written(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof scenes / sizeof *scenes; k++) {
        open_bench(&setups[2]);
        scenes[k].leave();
        for (uint32_t sector = 0; sector < 3; sector++) {
            fail_sector(sector, NKV_SIM_FAULT_ERASE);
            fail_sector(sector, NKV_SIM_FAULT_PROGRAM);
        }
        check_end(scenes[k].name);
        close_bench();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_is_one_erase_or_one_copy_in_every_state),
        cmocka_unit_test(the_pending_steps_are_as_many_as_promised_or_fewer),
        cmocka_unit_test(no_pending_step_means_that_a_step_finds_nothing),
        cmocka_unit_test(steps_between_writes_are_small_over_long_runs),
        cmocka_unit_test(steps_come_to_an_end_when_a_sector_has_failed),
        cmocka_unit_test(steps_come_to_an_end_when_nothing_can_be_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
