/*
 * A sector that fails for good costs no write as long as the others have room:
 * it is left alone, and counted.
 */
#include "bench.h"
#include "check.h"
#include "results.h"
#include "workload.h"

#include <string.h>

enum { SECTOR = 512, SECTORS = 8, PUTS = 300 };

/* One way for a sector to fail, and when it begins. */
struct failing {
    enum nkv_sim_fault_kind kind;
    enum nkv_status status;
    uint32_t sector;
    /* Writes before it does. */
    uint32_t after;
};

static struct nkv_bench bench;
static bool is_open;
static struct nkv_model model;

static struct nkv_workload workload;

static const struct nkv_workload_mix writes = {.puts = 850, .deletes = 150};
static const struct nkv_workload_mix puts_only = {.puts = 1000};

static void open_with(const struct nkv_bench_setup *setup)
{
    nkv_bench_init(&bench, setup);
    is_open = true;
    assert_ok(nkv_bench_mount(&bench));
}

static void free_bench(void)
{
    nkv_model_free(&model);
    nkv_bench_free(&bench);
    is_open = false;
}

/* About a quarter of the flash gets live. */
static void open_bench(uint32_t unit, uint8_t copies, uint64_t seed)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(SECTOR, SECTORS, unit),
                                          .copies = copies, .max_keys = 26};
    uint32_t keys = unit > 16 ? 14 : 22;

    nkv_fault_tried("sector fails for good");
    workload = (struct nkv_workload){.random = seed,
                                     .key_count = keys / copies,
                                     .key_size_max = 8,
                                     .value_size_max = 60,
                                     .mix = &writes};
    open_with(&setup);
}

static void close_bench(void)
{
    assert_true(nkv_bench_is_sound(&bench));
    free_bench();
    nkv_fault_survived();
}

/* After a test that failed half-way. */
static int tear_down(void **state)
{
    (void)state;
    if (is_open) {
        free_bench();
    }
    return 0;
}

static void write_some(const struct nkv_workload_mix *mix, uint32_t count)
{
    workload.mix = mix;
    workload.full_puts = 0;
    assert_true(nkv_workload_run(&workload, &bench, &model, count));
    assert_int_equal(workload.full_puts, 0);
}

static void begin_to_fail(const struct failing *failing)
{
    struct nkv_sim_fault fault = {.kind = failing->kind,
                                  .offset = failing->sector * SECTOR,
                                  .size = SECTOR,
                                  .status = failing->status};

    nkv_flash_sim_add_fault(&bench.sim, fault);
}

static void expect_retired(uint32_t sectors)
{
    struct nkv_statistics now = nkv_bench_statistics(&bench);

    assert_true(now.retired_sectors >= sectors);
    assert_true(now.retired_bytes > 0);
    assert_true(now.retired_bytes <= now.free_bytes + now.stale_bytes);
}

/* Puts go round the flash several times, so each sector is met; then a mount,
 * which has to find out anew. */
static void go_on_with(const struct failing *failing)
{
    write_some(&writes, failing->after);
    begin_to_fail(failing);
    write_some(&puts_only, PUTS);
    expect_retired(1);
    write_some(&writes, PUTS);
    assert_ok(nkv_bench_mount(&bench));
    assert_true(nkv_model_agrees(&model, &bench.store));
    write_some(&writes, PUTS);
    expect_retired(1);
    assert_ok(nkv_bench_mount(&bench));
    assert_true(nkv_model_agrees(&model, &bench.store));
}

/* In each sector in turn: from the first write on, and from later ones. */
static void fail_each_sector(enum nkv_sim_fault_kind kind,
                             enum nkv_status status, uint8_t copies)
{
    static const uint32_t afters[] = {0, 20, 100};

    for (uint32_t sector = 0; sector < SECTORS; sector++) {
        for (size_t i = 0; i < sizeof afters / sizeof *afters; i++) {
            struct failing failing = {kind, status, sector, afters[i]};

            open_bench(16, copies, sector + 1);
            go_on_with(&failing);
            close_bench();
        }
    }
}

static void a_sector_that_takes_no_program_costs_no_write(void **state)
{
    (void)state;
    fail_each_sector(NKV_SIM_FAULT_PROGRAM, NKV_UNAVAILABLE, 1);
    fail_each_sector(NKV_SIM_FAULT_PROGRAM, NKV_DATA_LOSS, 1);
}

static void a_sector_that_takes_no_erase_costs_no_write(void **state)
{
    (void)state;
    fail_each_sector(NKV_SIM_FAULT_ERASE, NKV_UNAVAILABLE, 1);
    fail_each_sector(NKV_SIM_FAULT_ERASE, NKV_DATA_LOSS, 1);
}

static void programs_that_silently_do_nothing_cost_no_write(void **state)
{
    (void)state;
    fail_each_sector(NKV_SIM_FAULT_SILENT_PROGRAM, NKV_OK, 1);
}

static void erases_that_silently_do_nothing_cost_no_write(void **state)
{
    (void)state;
    fail_each_sector(NKV_SIM_FAULT_SILENT_ERASE, NKV_OK, 1);
}

static void with_two_copies_a_failing_sector_costs_no_write(void **state)
{
    (void)state;
    fail_each_sector(NKV_SIM_FAULT_PROGRAM, NKV_UNAVAILABLE, 2);
    fail_each_sector(NKV_SIM_FAULT_ERASE, NKV_UNAVAILABLE, 2);
    fail_each_sector(NKV_SIM_FAULT_SILENT_PROGRAM, NKV_OK, 2);
    fail_each_sector(NKV_SIM_FAULT_SILENT_ERASE, NKV_OK, 2);
}

/* The second one fails while the first is retired already. */
static void two_failing_sectors_cost_no_write(void **state)
{
    static const enum nkv_sim_fault_kind kinds[] = {
        NKV_SIM_FAULT_PROGRAM, NKV_SIM_FAULT_ERASE,
        NKV_SIM_FAULT_SILENT_PROGRAM, NKV_SIM_FAULT_SILENT_ERASE};

    (void)state;
    for (uint32_t i = 0; i < 16; i++) {
        struct failing first = {kinds[i % 4], NKV_UNAVAILABLE, i % SECTORS, 0};
        struct failing second = {kinds[i / 4], NKV_UNAVAILABLE,
                                 (i + 3) % SECTORS, 0};

        open_bench(16, 1, i + 1);
        begin_to_fail(&first);
        write_some(&puts_only, PUTS);
        begin_to_fail(&second);
        write_some(&writes, PUTS);
        expect_retired(2);
        /* It is not known any more which ones they are, and the only erased
         * ones may be those two: writes may fail then, but lose nothing. */
        assert_ok(nkv_bench_mount(&bench));
        assert_true(nkv_model_agrees(&model, &bench.store));
        close_bench();
    }
}

static void other_program_units_retire_sectors_too(void **state)
{
    static const uint32_t units[] = {1, 4, 64};

    (void)state;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        for (uint32_t sector = 0; sector < SECTORS; sector += 3) {
            struct failing program = {NKV_SIM_FAULT_PROGRAM, NKV_UNAVAILABLE,
                                      sector, 0};
            struct failing erase = {NKV_SIM_FAULT_SILENT_ERASE, NKV_OK, sector,
                                    40};

            open_bench(units[i], 1, sector + 1);
            go_on_with(&program);
            close_bench();
            open_bench(units[i], 1, sector + 1);
            go_on_with(&erase);
            close_bench();
        }
    }
}

/* What failed works again after the next mount: nothing is retired for good by
 * one bad hour. */
static void a_sector_that_works_again_is_used_after_a_mount(void **state)
{
    struct failing failing = {NKV_SIM_FAULT_PROGRAM, NKV_UNAVAILABLE, 2, 0};

    (void)state;
    open_bench(16, 1, 1);
    begin_to_fail(&failing);
    write_some(&puts_only, PUTS);
    expect_retired(1);
    nkv_flash_sim_clear_faults(&bench.sim);
    assert_ok(nkv_bench_mount(&bench));
    bench.sim.erases[2] = 0;
    write_some(&writes, PUTS);
    assert_int_equal(nkv_bench_statistics(&bench).retired_sectors, 0);
    assert_int_equal(nkv_bench_statistics(&bench).retired_bytes, 0);
    assert_true(bench.sim.erases[2] > 0);
    close_bench();
}

static void expect_one_emptied(void)
{
    struct nkv_sector_report one, other;

    assert_ok(nkv_report_sector(&bench.store, 0, &one));
    assert_ok(nkv_report_sector(&bench.store, 1, &other));
    assert_true(one.live_bytes == 0 || other.live_bytes == 0);
}

/*
 * A sector of two that could not be read for a moment while it was collected.
 * The store does not go on without an erased one and live entries in both, or
 * the next cut could make an end of it: what can be read again is emptied.
 * Where the copying failed too there is no place left before the next mount.
 */
static void a_sector_that_can_be_read_again_is_emptied(void **state)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(SECTOR, 2, 16)};
    uint32_t mounts = 0;

    (void)state;
    for (uint32_t skip = 0; skip < 200; skip++) {
        const struct nkv_sim_fault fault = {.kind = NKV_SIM_FAULT_READ,
                                            .size = 2 * SECTOR,
                                            .status = NKV_UNAVAILABLE,
                                            .times = 6,
                                            .skip = skip};
        bool more = true;

        open_with(&setup);
        assert_ok(nkv_bench_put(&bench, "a", "one"));
        assert_ok(nkv_bench_put(&bench, "b", "two"));
        assert_ok(nkv_bench_put(&bench, "c", "three"));
        assert_ok(nkv_bench_put(&bench, "a", "four"));
        nkv_flash_sim_add_fault(&bench.sim, fault);
        (void)!nkv_maintain(&bench.store, NKV_MAINTAIN_HEAVY);
        nkv_flash_sim_clear_faults(&bench.sim);
        if (nkv_bench_put(&bench, "b", "five") != NKV_OK) {
            assert_ok(nkv_bench_mount(&bench));
            assert_ok(nkv_bench_put(&bench, "b", "five"));
            mounts++;
        }
        for (unsigned steps = 0; more; steps++) {
            assert_true(steps < 100);
            assert_ok(nkv_step(&bench.store, &more));
        }
        expect_one_emptied();
        for (unsigned i = 0; i < SECTOR / 32; i++)
            assert_ok(nkv_bench_put(&bench, "b", i % 2 == 0 ? "s" : "six"));
        assert_int_equal(nkv_bench_statistics(&bench).erased_sectors, 1);
        assert_string_equal(nkv_bench_get(&bench, "a"), "four");
        assert_string_equal(nkv_bench_get(&bench, "b"), "six");
        assert_string_equal(nkv_bench_get(&bench, "c"), "three");
        assert_true(nkv_bench_is_sound(&bench));
        free_bench();
    }
    assert_true(mounts <= 1);
}

/* The same by puts alone, which have to collect: reads fail in one of them.
 * Where it was not known any more what lies where, after a mount. */
static void puts_empty_a_sector_that_can_be_read_again(void **state)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(SECTOR, 2, 16)};
    static const char *const keys[] = {"a", "b", "c", "d"};

    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        const struct nkv_sim_fault fault = {.kind = NKV_SIM_FAULT_READ,
                                            .size = 2 * SECTOR,
                                            .status = NKV_UNAVAILABLE,
                                            .times = 3 + i % 7,
                                            .skip = i / 2};
        const char *value = "";
        bool was_mounted = false;

        open_with(&setup);
        for (unsigned n = 0; n < 14; n++)
            assert_ok(nkv_bench_put(&bench, keys[n < 4 ? n : n % 2],
                                    n % 4 < 2 ? "one" : "two"));
        nkv_flash_sim_add_fault(&bench.sim, fault);
        for (unsigned n = 0; n < 12; n++)
            (void)!nkv_bench_put(&bench, keys[n % 2], n % 4 < 2 ? "3" : "4");
        nkv_flash_sim_clear_faults(&bench.sim);
        for (unsigned n = 0; n < 100; n++) {
            value = n % 4 < 2 ? "five" : "six";
            if (nkv_bench_put(&bench, keys[n % 2], value) != NKV_OK) {
                assert_false(was_mounted);
                was_mounted = true;
                assert_ok(nkv_bench_mount(&bench));
                assert_ok(nkv_bench_put(&bench, keys[n % 2], value));
            }
        }
        assert_string_equal(nkv_bench_get(&bench, "b"), value);
        assert_string_equal(nkv_bench_get(&bench, "c"), "two");
        assert_string_equal(nkv_bench_get(&bench, "d"), "two");
        assert_true(nkv_bench_is_sound(&bench));
        free_bench();
    }
}

/*
 * The last entry of a full sector was cut short and one of its bits reads at
 * random; the sector cannot be erased, and the other erased one neither be
 * programmed nor erased. Each write reads the flash anew and fails, and the
 * entry stays in doubt: what the key had when the store was mounted stands.
 */
static void what_a_cut_left_stays_in_doubt_in_a_failing_sector(void **state)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(SECTOR, 3, 16)};
    const struct nkv_sim_cut cut = {
        .at = 2, .kind = NKV_SIM_CUT_WEAK, .amount = 2};
    const struct nkv_sim_fault erases = {.kind = NKV_SIM_FAULT_ERASE,
                                         .size = 3 * SECTOR,
                                         .status = NKV_UNAVAILABLE};
    const struct nkv_sim_fault programs = {.kind = NKV_SIM_FAULT_PROGRAM,
                                           .offset = 2 * SECTOR,
                                           .size = SECTOR,
                                           .status = NKV_UNAVAILABLE};

    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        open_with(&setup);
        bench.sim.random = seed;
        assert_ok(nkv_bench_put(&bench, "key", "one"));
        for (char name[] = "a"; name[0] < 'a' + 14; name[0]++)
            assert_ok(nkv_bench_put(&bench, name, "full"));
        nkv_flash_sim_cut(&bench.sim, cut);
        assert_int_not_equal(nkv_bench_put(&bench, "key", "two"), NKV_OK);
        nkv_flash_sim_power_on(&bench.sim);
        nkv_flash_sim_add_fault(&bench.sim, erases);
        nkv_flash_sim_add_fault(&bench.sim, programs);
        assert_ok(nkv_bench_mount(&bench));
        assert_string_equal(nkv_bench_get(&bench, "key"), "one");
        assert_ok(nkv_bench_put(&bench, "z", "fits"));
        for (unsigned i = 0; i < 10; i++) {
            assert_int_not_equal(nkv_bench_put(&bench, "z", "no"), NKV_OK);
            assert_string_equal(nkv_bench_get(&bench, "key"), "one");
        }
        free_bench();
    }
}

/* Idle steps come to an end, and so does maintenance. */
static void steps_end_with_a_retired_sector(void **state)
{
    static const enum nkv_sim_fault_kind kinds[] = {
        NKV_SIM_FAULT_PROGRAM, NKV_SIM_FAULT_ERASE,
        NKV_SIM_FAULT_SILENT_PROGRAM, NKV_SIM_FAULT_SILENT_ERASE};

    (void)state;
    for (uint32_t i = 0; i < 4 * SECTORS; i++) {
        struct failing failing = {kinds[i % 4], NKV_UNAVAILABLE, i / 4, 0};
        bool more = true;

        open_bench(16, 1, i + 1);
        begin_to_fail(&failing);
        write_some(&writes, PUTS);
        for (unsigned steps = 0; more; steps++) {
            assert_true(steps < 1000);
            assert_ok(nkv_step(&bench.store, &more));
        }
        assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_FULL));
        assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_HEAVY));
        assert_true(nkv_model_agrees(&model, &bench.store));
        write_some(&writes, PUTS);
        close_bench();
    }
}

/* It is empty then, and after a mount too, or asks to be erased again. */
static void expect_erased(void)
{
    enum nkv_status status;

    assert_ok(nkv_erase_all(&bench.store));
    nkv_model_free(&model);
    assert_true(nkv_model_agrees(&model, &bench.store));
    status = nkv_bench_mount(&bench);
    if (status == NKV_FAILED_PRECONDITION) {
        status = nkv_erase_all(&bench.store);
    }
    assert_ok(status);
    assert_true(nkv_model_agrees(&model, &bench.store));
}

static void erase_all_works_with_a_failing_sector(void **state)
{
    static const enum nkv_sim_fault_kind kinds[] = {
        NKV_SIM_FAULT_PROGRAM, NKV_SIM_FAULT_ERASE,
        NKV_SIM_FAULT_SILENT_PROGRAM, NKV_SIM_FAULT_SILENT_ERASE};

    (void)state;
    for (uint32_t i = 0; i < 4 * SECTORS; i++) {
        for (uint32_t puts = 0; puts <= 60; puts += 20) {
            struct failing failing = {kinds[i % 4], NKV_UNAVAILABLE, i / 4, 0};

            open_bench(16, 1, i + 1);
            write_some(&writes, puts);
            begin_to_fail(&failing);
            expect_erased();
            write_some(&writes, PUTS);
            expect_erased();
            write_some(&writes, PUTS);
            assert_ok(nkv_bench_mount(&bench));
            assert_true(nkv_model_agrees(&model, &bench.store));
            close_bench();
        }
    }
}

/* The keys are in the sector that takes no erase; of the two others one has the
 * marker. */
static void erase_all_works_with_three_sectors_and_one_failing(void **state)
{
    (void)state;
    for (int fast = 0; fast < 2; fast++) {
        const struct nkv_bench_setup setup = {NKV_FLASH(SECTOR, 3, 16),
                                              .fast_mount = fast == 1};
        const struct nkv_sim_fault fault = {NKV_SIM_FAULT_ERASE, 0, SECTOR,
                                            .status = NKV_INTERNAL};
        char key[] = "a";

        nkv_fault_tried("sector fails for good");
        open_with(&setup);
        for (; key[0] < 'i'; key[0]++) {
            assert_ok(nkv_bench_put(&bench, key, "value"));
        }
        assert_ok(nkv_bench_mount(&bench));
        nkv_flash_sim_add_fault(&bench.sim, fault);
        expect_erased();
        close_bench();
    }
}

/* Full, so that the marker's only place is the erased sector, which fails. */
static void
erase_all_works_on_a_full_store_whose_erased_sector_fails(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        const struct nkv_bench_setup setup = {NKV_FLASH(SECTOR, 4, 16)};
        static char value[SECTOR];
        struct nkv_sim_fault fault = {
            .kind = kind == 0 ? NKV_SIM_FAULT_PROGRAM
                              : NKV_SIM_FAULT_SILENT_PROGRAM,
            .size = SECTOR,
            .status = NKV_UNAVAILABLE};
        char key[] = "A";

        nkv_fault_tried("sector fails for good");
        open_with(&setup);
        memset(value, 'v', sizeof value - 1);
        for (size_t size = SECTOR - 32;; size -= 16) {
            value[size] = '\0';
            while (nkv_bench_put(&bench, key, value) == NKV_OK) {
                key[0]++;
            }
            if (size == 0) {
                break;
            }
        }
        assert_int_equal(nkv_bench_statistics(&bench).erased_sectors, 1);
        for (uint32_t i = 0; i < 4; i++) {
            struct nkv_sector_report report;

            assert_ok(nkv_report_sector(&bench.store, i, &report));
            if (report.condition == NKV_SECTOR_IS_ERASED) {
                fault.offset = i * SECTOR;
            }
        }
        nkv_flash_sim_add_fault(&bench.sim, fault);
        expect_erased();
        close_bench();
    }
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_sector_that_takes_no_program_costs_no_write),
        TEST(a_sector_that_takes_no_erase_costs_no_write),
        TEST(programs_that_silently_do_nothing_cost_no_write),
        TEST(erases_that_silently_do_nothing_cost_no_write),
        TEST(with_two_copies_a_failing_sector_costs_no_write),
        TEST(two_failing_sectors_cost_no_write),
        TEST(other_program_units_retire_sectors_too),
        TEST(a_sector_that_works_again_is_used_after_a_mount),
        TEST(a_sector_that_can_be_read_again_is_emptied),
        TEST(puts_empty_a_sector_that_can_be_read_again),
        TEST(what_a_cut_left_stays_in_doubt_in_a_failing_sector),
        TEST(steps_end_with_a_retired_sector),
        TEST(erase_all_works_with_a_failing_sector),
        TEST(erase_all_works_with_three_sectors_and_one_failing),
        TEST(erase_all_works_on_a_full_store_whose_erased_sector_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
