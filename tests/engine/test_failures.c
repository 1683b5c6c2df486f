/* What holds after a call of the flash has failed. */
#include "bench.h"
#include "check.h"
#include "random.h"

#include <stdio.h>
#include <string.h>

enum { SECTOR = 512 };

static struct nkv_bench bench;

static void open_bench(uint32_t sectors, uint8_t copies)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(SECTOR, sectors, 16),
                                          .copies = copies, .max_keys = 24};

    nkv_bench_init(&bench, &setup);
    assert_ok(nkv_bench_mount(&bench));
}

static void close_bench(void)
{
    assert_true(nkv_bench_is_sound(&bench));
    nkv_bench_free(&bench);
}

static void fail_all(enum nkv_sim_fault_kind kind, uint32_t skip,
                     uint32_t times)
{
    struct nkv_sim_fault fault = {.kind = kind,
                                  .size = bench.sim.size,
                                  .status = NKV_UNAVAILABLE,
                                  .times = times,
                                  .skip = skip};

    nkv_flash_sim_add_fault(&bench.sim, fault);
}

static void fail_in_sector(enum nkv_sim_fault_kind kind, uint32_t sector)
{
    struct nkv_sim_fault fault = {.kind = kind,
                                  .offset = sector * SECTOR,
                                  .size = SECTOR,
                                  .status = NKV_UNAVAILABLE};

    nkv_flash_sim_add_fault(&bench.sim, fault);
}

static void expect(const char *key, const char *value)
{
    assert_string_equal(nkv_bench_get(&bench, key), value);
}

/* The flash wrote, but said that it had failed: the old value is in force, and
 * putting it again must not be taken for nothing to do. */
static void the_old_value_put_after_a_failed_put_stays(void **state)
{
    (void)state;
    for (uint32_t sectors = 2; sectors <= 6; sectors++) {
        enum nkv_status status;

        open_bench(sectors, 1);
        assert_ok(nkv_bench_put(&bench, "k", "A"));
        fail_all(NKV_SIM_FAULT_LATE_PROGRAM, 0, 0);
        status = nkv_bench_put(&bench, "k", "B");
        nkv_flash_sim_clear_faults(&bench.sim);
        assert_int_not_equal(status, NKV_OK);
        expect("k", "A");
        assert_ok(nkv_bench_put(&bench, "k", "A"));
        expect("k", "A");
        assert_ok(nkv_bench_mount(&bench));
        expect("k", "A");
        close_bench();
    }
}

static void the_value_put_after_a_failed_delete_stays(void **state)
{
    (void)state;
    for (uint32_t sectors = 2; sectors <= 6; sectors++) {
        open_bench(sectors, 1);
        assert_ok(nkv_bench_put(&bench, "k", "A"));
        fail_all(NKV_SIM_FAULT_LATE_PROGRAM, 0, 0);
        assert_int_not_equal(nkv_bench_delete(&bench, "k"), NKV_OK);
        nkv_flash_sim_clear_faults(&bench.sim);
        expect("k", "A");
        assert_ok(nkv_bench_put(&bench, "k", "A"));
        assert_ok(nkv_bench_mount(&bench));
        expect("k", "A");
        close_bench();
    }
}

static void a_key_whose_first_put_failed_can_be_deleted_for_good(void **state)
{
    enum nkv_status status;

    (void)state;
    open_bench(4, 1);
    assert_ok(nkv_bench_put(&bench, "other", "value"));
    fail_all(NKV_SIM_FAULT_LATE_PROGRAM, 0, 0);
    assert_int_not_equal(nkv_bench_put(&bench, "k", "A"), NKV_OK);
    nkv_flash_sim_clear_faults(&bench.sim);
    expect("k", "(NOT_FOUND)");
    status = nkv_bench_delete(&bench, "k");
    assert_true(status == NKV_OK || status == NKV_NOT_FOUND);
    assert_ok(nkv_bench_mount(&bench));
    expect("k", "(NOT_FOUND)");
    expect("other", "value");
    close_bench();
}

/* Each program call of a put with two copies fails in turn. */
static void a_put_that_says_it_failed_has_changed_nothing(void **state)
{
    (void)state;
    for (uint32_t skip = 0; skip < 8; skip++) {
        enum nkv_status status;

        open_bench(4, 2);
        assert_ok(nkv_bench_put(&bench, "k", "A"));
        fail_all(NKV_SIM_FAULT_PROGRAM, skip, 0);
        status = nkv_bench_put(&bench, "k", "B");
        nkv_flash_sim_clear_faults(&bench.sim);
        expect("k", status == NKV_OK ? "B" : "A");
        assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_FULL));
        expect("k", status == NKV_OK ? "B" : "A");
        assert_int_equal(nkv_bench_statistics(&bench).missing_copies, 0);
        close_bench();
    }
}

/* Fills two thirds of a small store and overwrites, while one call fails for
 * good: whatever a put says holds. */
static void a_put_that_collects_says_what_is_so(void **state)
{
    static const enum nkv_sim_fault_kind kinds[] = {
        NKV_SIM_FAULT_PROGRAM, NKV_SIM_FAULT_ERASE, NKV_SIM_FAULT_LATE_PROGRAM};

    (void)state;
    for (uint32_t i = 0; i < 120; i++) {
        char last[4][8] = {"", "", "", ""};

        open_bench(2, 1);
        for (unsigned j = 0; j < 60; j++) {
            char key[2] = {(char)('a' + j % 4), '\0'}, value[8];
            enum nkv_status status;

            if (j == 10) {
                fail_all(kinds[i % 3], i / 3, 3);
            }
            snprintf(value, sizeof value, "%u", j);
            status = nkv_bench_put(&bench, key, value);
            if (status == NKV_OK) {
                memcpy(last[j % 4], value, sizeof value);
            }
            expect(key, last[j % 4]);
        }
        close_bench();
    }
}

/* Random puts of 20 keys, about a quarter of the store. */
static void put_some(uint64_t *random, unsigned count, unsigned *failed)
{
    for (unsigned i = 0; i < count; i++) {
        uint8_t bytes[60];
        char key[8];
        struct nkv_span value = {bytes, nkv_random_below(random, 60)};

        snprintf(key, sizeof key, "k%u", nkv_random_below(random, 20));
        nkv_random_fill(random, bytes, value.size);
        *failed += nkv_put(&bench.store, nkv_text(key), value) != NKV_OK;
    }
}

static void erases_that_fail_twice_do_not_end_the_session(void **state)
{
    static const enum nkv_sim_fault_kind kinds[] = {NKV_SIM_FAULT_ERASE,
                                                    NKV_SIM_FAULT_SILENT_ERASE};

    (void)state;
    for (uint32_t skip = 0; skip < 60; skip++) {
        uint64_t random = skip;
        unsigned failed = 0;

        open_bench(8, 1);
        fail_all(kinds[skip % 2], skip, 2);
        put_some(&random, 1500, &failed);
        assert_int_equal(failed, 0);
        close_bench();
    }
}

/* A factory reset on a part with a bad block. */
static void a_sector_that_cannot_be_erased_does_not_stop_erase_all(void **state)
{
    (void)state;
    for (uint32_t sector = 0; sector < 4; sector++) {
        for (unsigned puts = 0; puts < 60; puts += 12) {
            uint64_t random = sector;
            unsigned failed = 0;
            enum nkv_status status;

            open_bench(4, 1);
            put_some(&random, puts, &failed);
            fail_in_sector(NKV_SIM_FAULT_ERASE, sector);
            status = nkv_erase_all(&bench.store);
            if (status == NKV_OK) {
                assert_int_equal(nkv_bench_statistics(&bench).keys, 0);
            }
            status = nkv_bench_mount(&bench);
            if (status != NKV_OK) {
                assert_status(status, NKV_FAILED_PRECONDITION);
                nkv_flash_sim_clear_faults(&bench.sim);
                assert_ok(nkv_erase_all(&bench.store));
            }
            assert_ok(nkv_bench_put(&bench, "new", "value"));
            assert_ok(nkv_bench_mount(&bench));
            expect("new", "value");
            close_bench();
        }
    }
}

/* The marker itself fails: nothing was erased, and the store goes on. */
static void an_erase_all_that_could_not_begin_changes_nothing(void **state)
{
    (void)state;
    open_bench(4, 1);
    assert_ok(nkv_bench_put(&bench, "k", "A"));
    fail_all(NKV_SIM_FAULT_PROGRAM, 0, 0);
    assert_status(nkv_erase_all(&bench.store), NKV_UNAVAILABLE);
    nkv_flash_sim_clear_faults(&bench.sim);
    expect("k", "A");
    assert_ok(nkv_bench_put(&bench, "k", "B"));
    assert_ok(nkv_bench_mount(&bench));
    expect("k", "B");
    close_bench();
}

/* After a mount that failed at a read, erasing all still is all or nothing. */
static void erase_all_after_a_failed_mount_can_be_cut(void **state)
{
    (void)state;
    for (uint64_t at = 1; at < 12; at++) {
        struct nkv_sim_cut cut = {NKV_SIM_CUT_AFTER, at, 0, 0};
        uint64_t random = 6;
        unsigned failed = 0;
        uint32_t keys;
        enum nkv_status status;

        open_bench(4, 1);
        put_some(&random, 60, &failed);
        keys = nkv_bench_statistics(&bench).keys;
        fail_all(NKV_SIM_FAULT_READ, 5, 3);
        assert_status(nkv_bench_mount(&bench), NKV_UNAVAILABLE);
        nkv_flash_sim_clear_faults(&bench.sim);
        nkv_flash_sim_cut(&bench.sim, cut);
        (void)!nkv_erase_all(&bench.store);
        nkv_flash_sim_power_on(&bench.sim);
        status = nkv_bench_mount(&bench);
        if (status == NKV_FAILED_PRECONDITION) {
            status = nkv_erase_all(&bench.store);
        }
        assert_ok(status);
        assert_true(nkv_bench_statistics(&bench).keys == 0 ||
                    nkv_bench_statistics(&bench).keys == keys);
        close_bench();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_old_value_put_after_a_failed_put_stays),
        cmocka_unit_test(the_value_put_after_a_failed_delete_stays),
        cmocka_unit_test(a_key_whose_first_put_failed_can_be_deleted_for_good),
        cmocka_unit_test(a_put_that_says_it_failed_has_changed_nothing),
        cmocka_unit_test(a_put_that_collects_says_what_is_so),
        cmocka_unit_test(erases_that_fail_twice_do_not_end_the_session),
        cmocka_unit_test(
            a_sector_that_cannot_be_erased_does_not_stop_erase_all),
        cmocka_unit_test(an_erase_all_that_could_not_begin_changes_nothing),
        cmocka_unit_test(erase_all_after_a_failed_mount_can_be_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
