/* What nkv_report_sector says of each sector, held against what the simulator
 * saw and what lies there. */
#include "check.h"
#include "entry_image.h"
#include "load.h"
#include "random.h"

#include <string.h>

enum { SECTORS = 6 };

static struct nkv_bench bench;

static void open_bench(const struct nkv_bench_setup *setup)
{
    nkv_bench_init(&bench, setup);
    assert_ok(nkv_bench_mount(&bench));
}

static void open_small(void)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(512, SECTORS, 16)};

    open_bench(&setup);
}

static void close_bench(void)
{
    assert_true(nkv_bench_is_sound(&bench));
    nkv_bench_free(&bench);
}

static struct nkv_statistics now(void)
{
    return nkv_bench_statistics(&bench);
}

static struct nkv_sector_report report(uint32_t sector)
{
    struct nkv_sector_report report;

    memset(&report, 0xA5, sizeof report);
    assert_ok(nkv_report_sector(&bench.store, sector, &report));
    return report;
}

static uint32_t count_condition(enum nkv_sector_condition condition)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < bench.setup.sector_count; i++) {
        count += report(i).condition == condition;
    }
    return count;
}

/* The sectors add up to what the statistics say of all. What is erased in a
 * sector that takes no more entries counts as stale; a sector can be damaged
 * and retired. */
static void check_sums(void)
{
    uint32_t damaged = count_condition(NKV_SECTOR_IS_DAMAGED);
    uint32_t retired = count_condition(NKV_SECTOR_IS_RETIRED);
    uint32_t used = 0, live = 0, erases = 0;

    for (uint32_t i = 0; i < bench.setup.sector_count; i++) {
        struct nkv_sector_report sector = report(i);

        assert_true(sector.live_bytes <= sector.used_bytes);
        assert_true(sector.used_bytes <= bench.setup.sector_size);
        if (sector.condition == NKV_SECTOR_IS_ERASED) {
            assert_int_equal(sector.used_bytes, 0);
        }
        used += sector.used_bytes;
        live += sector.live_bytes;
        erases += sector.erases;
    }
    assert_int_equal(live, now().live_bytes);
    assert_true(used <= now().live_bytes + now().stale_bytes);
    if (damaged + retired == 0) {
        assert_int_equal(used, now().live_bytes + now().stale_bytes);
    }
    assert_int_equal(erases, now().erases);
    assert_int_equal(count_condition(NKV_SECTOR_IS_ERASED),
                     now().erased_sectors);
    assert_in_range(now().damaged_sectors, damaged, damaged + retired);
    assert_int_equal(retired, now().retired_sectors);
}

static void a_blank_flash_is_erased_throughout(void **state)
{
    struct nkv_sector_report none;

    (void)state;
    open_small();
    assert_int_equal(count_condition(NKV_SECTOR_IS_ERASED), SECTORS);
    for (uint32_t i = 0; i < SECTORS; i++) {
        assert_int_equal(report(i).used_bytes, 0);
        assert_int_equal(report(i).live_bytes, 0);
        assert_int_equal(report(i).erases, 0);
    }
    assert_status(nkv_report_sector(&bench.store, SECTORS, &none),
                  NKV_OUT_OF_RANGE);
    assert_status(nkv_report_sector(&bench.store, UINT32_MAX, &none),
                  NKV_OUT_OF_RANGE);
    check_sums();
    close_bench();
}

static uint32_t only_open_sector(void)
{
    uint32_t found = SECTORS;

    for (uint32_t i = 0; i < SECTORS; i++) {
        if (report(i).condition == NKV_SECTOR_IS_OPEN) {
            assert_int_equal(found, SECTORS);
            found = i;
        }
    }
    assert_true(found < SECTORS);
    return found;
}

/* Eight entries fill a sector to its end. */
static void a_sector_is_open_until_it_is_full(void **state)
{
    uint32_t first;

    (void)state;
    open_small();
    assert_ok(nkv_load_put(&bench, 0, 0));
    first = only_open_sector();
    assert_int_equal(report(first).used_bytes, 64);
    assert_int_equal(report(first).live_bytes, 64);
    for (uint32_t i = 1; i < 7; i++) {
        assert_ok(nkv_load_put(&bench, 0, i));
        assert_int_equal(only_open_sector(), first);
        assert_int_equal(report(first).used_bytes, 64 * (i + 1));
        assert_int_equal(report(first).live_bytes, 64);
        check_sums();
    }
    assert_ok(nkv_load_put(&bench, 1, 0));
    assert_int_equal(report(first).condition, NKV_SECTOR_IS_FULL);
    assert_int_equal(report(first).used_bytes, 512);
    assert_int_equal(report(first).live_bytes, 128);
    assert_ok(nkv_load_delete(&bench, 0));
    assert_int_equal(report(first).live_bytes, 64);
    assert_int_not_equal(only_open_sector(), first);
    check_sums();
    assert_ok(nkv_bench_mount(&bench));
    assert_int_equal(report(first).condition, NKV_SECTOR_IS_FULL);
    assert_int_equal(report(first).used_bytes, 512);
    assert_int_equal(report(first).live_bytes, 64);
    check_sums();
    close_bench();
}

static void the_sums_hold_in_the_long_run(void **state)
{
    static const struct nkv_bench_setup setups[] = {
        {NKV_FLASH(512, 8, 16)},
        {NKV_FLASH(1024, 5, 256)},
        {NKV_FLASH(512, 6, 1), .copies = 2},
        {NKV_FLASH(160, 8, 32)},
    };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        uint64_t random = i;
        uint32_t count;

        open_bench(&setups[i]);
        count = nkv_load_count(&bench, 40);
        for (uint32_t j = 0; j < 600; j++) {
            bool more;

            assert_ok(
                nkv_load_put(&bench, nkv_random_below(&random, count), j));
            if (j % 5 == 0) {
                (void)!nkv_load_delete(&bench,
                                       nkv_random_below(&random, count));
            }
            assert_ok(nkv_step(&bench.store, &more));
            check_sums();
            if (j % 70 == 0) {
                assert_ok(nkv_bench_mount(&bench));
                check_sums();
            }
        }
        close_bench();
    }
}

/* Since mount; the simulator counts them too. */
static void erases_are_those_that_the_flash_saw(void **state)
{
    (void)state;
    open_small();
    for (int round = 0; round < 3; round++) {
        nkv_flash_sim_reset_counts(&bench.sim);
        for (uint32_t i = 0; i < 500; i++) {
            assert_ok(nkv_load_put(&bench, i % 17, i));
        }
        assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_HEAVY));
        assert_true(bench.sim.counts.erases > SECTORS);
        for (uint32_t i = 0; i < SECTORS; i++) {
            assert_int_equal(report(i).erases, bench.sim.erases[i]);
        }
        check_sums();
        assert_ok(nkv_bench_mount(&bench));
        for (uint32_t i = 0; i < SECTORS; i++) {
            assert_int_equal(report(i).erases, 0);
        }
    }
    close_bench();
}

/* The highest id of an entry in a sector, by another reader than the engine. */
static uint32_t newest_in(uint32_t sector)
{
    uint32_t size = bench.setup.sector_size, at = 0, entry, newest = 0;
    const uint8_t *bytes = bench.sim.bytes + sector * size;

    while ((entry = (uint32_t)nkv_image_intact(bytes + at, size - at,
                                               NKV_DEFAULT_MAGIC)) > 0) {
        uint32_t id = nkv_load_le32(bytes + at + 12);

        newest = id > newest ? id : newest;
        at += entry;
    }
    return newest;
}

static bool is_in_use(uint32_t sector)
{
    enum nkv_sector_condition condition = report(sector).condition;

    return condition == NKV_SECTOR_IS_OPEN || condition == NKV_SECTOR_IS_FULL;
}

/* To the transaction, give or take the one that is just being made when a
 * collection writes. */
static void check_ages(const uint32_t *written, const bool *is_known)
{
    for (uint32_t i = 0; i < SECTORS; i++) {
        uint32_t expected = now().transaction_count - written[i];
        uint32_t age = report(i).age;

        if (is_in_use(i) && is_known[i]) {
            assert_true(age <= expected + 1 && expected <= age + 1);
        } else if (is_in_use(i)) {
            assert_true(age <= now().transaction_count - newest_in(i));
        }
    }
}

static void age_is_the_number_of_transactions_since_the_last_write(void **state)
{
    uint8_t before[SECTORS * 512];
    uint32_t written[SECTORS] = {0};
    bool is_known[SECTORS] = {false};

    (void)state;
    open_small();
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t number = i % 4 ? i % 3 : i % 24;

        memcpy(before, bench.sim.bytes, sizeof before);
        assert_ok(nkv_load_put(&bench, number, i));
        for (uint32_t j = 0; j < SECTORS; j++) {
            if (memcmp(before + j * 512, bench.sim.bytes + j * 512, 512) != 0) {
                written[j] = now().transaction_count;
                is_known[j] = true;
            }
        }
        check_ages(written, is_known);
        if (i % 170 == 169) {
            assert_ok(nkv_bench_mount(&bench));
            memset(is_known, 0, sizeof is_known);
            check_ages(written, is_known);
        }
    }
    close_bench();
}

static void a_sector_with_damage_is_damaged_until_it_is_erased(void **state)
{
    uint32_t first;

    (void)state;
    open_small();
    assert_ok(nkv_load_put(&bench, 0, 0));
    assert_ok(nkv_load_put(&bench, 1, 0));
    assert_ok(nkv_load_put(&bench, 2, 0));
    first = only_open_sector();
    nkv_flash_sim_poke(&bench.sim, first * 512 + 64 + 40, 0);
    bench.config.manual_repair = true;
    assert_status(nkv_bench_mount(&bench), NKV_DATA_LOSS);
    assert_int_equal(report(first).condition, NKV_SECTOR_IS_DAMAGED);
    assert_int_equal(report(first).live_bytes, 128);
    check_sums();
    assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_FULL));
    assert_int_equal(report(first).condition, NKV_SECTOR_IS_ERASED);
    assert_int_equal(report(first).erases, 1);
    check_sums();
    close_bench();
}

static void fail_sector(uint32_t sector, enum nkv_sim_fault_kind kind)
{
    struct nkv_sim_fault fault = {.kind = kind,
                                  .offset = sector * 512,
                                  .size = 512,
                                  .status = NKV_UNAVAILABLE};

    nkv_flash_sim_add_fault(&bench.sim, fault);
}

/* It takes neither a program nor an erase, until the next mount finds that it
 * does again. */
static void a_sector_that_fails_is_retired_until_the_next_mount(void **state)
{
    uint32_t first;

    (void)state;
    open_small();
    for (uint32_t i = 0; i < 4; i++) {
        assert_ok(nkv_load_put(&bench, i, 0));
    }
    first = only_open_sector();
    assert_int_equal(now().retired_sectors, 0);
    assert_int_equal(now().retired_bytes, 0);
    fail_sector(first, NKV_SIM_FAULT_PROGRAM);
    fail_sector(first, NKV_SIM_FAULT_ERASE);
    for (uint32_t i = 0; i < 300; i++) {
        bool more;

        assert_ok(nkv_load_put(&bench, i % 4, i + 1));
        (void)!nkv_step(&bench.store, &more);
        check_sums();
    }
    assert_int_equal(report(first).condition, NKV_SECTOR_IS_RETIRED);
    assert_int_equal(now().retired_sectors, 1);
    assert_int_equal(now().retired_bytes, 512 - report(first).live_bytes);
    assert_true(now().program_errors > 0);
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(nkv_load_gives(&bench, i, 297 + i));
    }
    nkv_flash_sim_clear_faults(&bench.sim);
    assert_ok(nkv_bench_mount(&bench));
    assert_true(nkv_load_settle(&bench));
    assert_int_equal(now().retired_sectors, 0);
    assert_int_equal(now().retired_bytes, 0);
    check_sums();
    close_bench();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_blank_flash_is_erased_throughout),
        cmocka_unit_test(a_sector_is_open_until_it_is_full),
        cmocka_unit_test(the_sums_hold_in_the_long_run),
        cmocka_unit_test(erases_are_those_that_the_flash_saw),
        cmocka_unit_test(
            age_is_the_number_of_transactions_since_the_last_write),
        cmocka_unit_test(a_sector_with_damage_is_damaged_until_it_is_erased),
        cmocka_unit_test(a_sector_that_fails_is_retired_until_the_next_mount),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
