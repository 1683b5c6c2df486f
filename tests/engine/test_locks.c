/* Calls from several threads: lock and unlock around each call, and what two
 * threads do to one store. */
#include "check.h"
#include "load.h"

#include <norkv/survey.h>
#include <stdio.h>
#include <string.h>

static struct nkv_bench bench;

/* Counts the calls of lock and unlock, and the calls of the flash outside. */
struct guard {
    struct nkv_flash flash;
    uint32_t locks;
    uint32_t unlocks;
    uint32_t nested;
    uint32_t unguarded;
};

static struct guard guard;

static bool is_locked(void)
{
    return guard.locks == guard.unlocks + 1;
}

static void lock(void *context)
{
    struct guard *held = context;

    held->nested += held->locks != held->unlocks;
    held->locks++;
}

static void unlock(void *context)
{
    struct guard *held = context;

    held->nested += held->locks != held->unlocks + 1;
    held->unlocks++;
}

static enum nkv_status read_guarded(void *context, uint32_t offset, void *to,
                                    size_t size)
{
    guard.unguarded += !is_locked();
    return bench.sim.flash.read(context, offset, to, size);
}

static enum nkv_status program_guarded(void *context, uint32_t offset,
                                       const void *from, size_t size)
{
    guard.unguarded += !is_locked();
    return bench.sim.flash.program(context, offset, from, size);
}

static enum nkv_status erase_guarded(void *context, uint32_t sector)
{
    guard.unguarded += !is_locked();
    return bench.sim.flash.erase(context, sector);
}

static void open_bench(uint8_t copies)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(512, 6, 16),
                                          .copies = copies};

    nkv_bench_init(&bench, &setup);
    guard = (struct guard){.flash = bench.sim.flash};
    guard.flash.read = read_guarded;
    guard.flash.program = program_guarded;
    guard.flash.erase = erase_guarded;
    bench.config.flash = &guard.flash;
    bench.config.lock = lock;
    bench.config.unlock = unlock;
    bench.config.lock_context = &guard;
}

/* Lock and unlock have been called in turn since the last time, at least once,
 * and with every call of the flash inside. */
static void check_guarded(const char *what)
{
    if (guard.locks == 0 || guard.locks != guard.unlocks || guard.nested > 0 ||
        guard.unguarded > 0) {
        fail_msg("%s: %u locks, %u unlocks, %u nested, %u flash calls without",
                 what, guard.locks, guard.unlocks, guard.nested,
                 guard.unguarded);
    }
    guard.locks = 0;
    guard.unlocks = 0;
}

static bool visit(void *context, const struct nkv_place *place)
{
    (void)context;
    (void)place;
    return true;
}

static void call_for_values(void)
{
    uint8_t bytes[8];
    struct nkv_buffer to = {bytes, sizeof bytes};
    struct nkv_iterator iterator = {0};
    struct nkv_value value;

    (void)!nkv_bench_put(&bench, "key", "value");
    check_guarded("put");
    (void)!nkv_bench_put(&bench, "key", "value");
    check_guarded("put of the same");
    (void)!nkv_get(&bench.store, nkv_text("key"), 0, to, NULL);
    check_guarded("get");
    (void)!nkv_get(&bench.store, nkv_text("key"), 100, to, &value);
    check_guarded("get from beyond");
    (void)!nkv_get(&bench.store, nkv_text("missing"), 0, to, NULL);
    check_guarded("get of nothing");
    (void)!nkv_describe(&bench.store, nkv_text("key"), &value);
    check_guarded("describe");
    (void)!nkv_next(&bench.store, &iterator);
    check_guarded("next");
    (void)!nkv_bench_delete(&bench, "key");
    check_guarded("delete");
    (void)!nkv_bench_delete(&bench, "missing");
    check_guarded("delete of nothing");
    (void)!nkv_next(&bench.store, &iterator);
    check_guarded("next at the end");
}

static void call_for_work(void)
{
    struct nkv_maintenance maintenance = {.kind = NKV_MAINTAIN_FULL};
    struct nkv_sector_report report;
    struct nkv_statistics statistics;
    bool more;

    (void)!nkv_step(&bench.store, &more);
    check_guarded("step");
    (void)!nkv_maintain_step(&bench.store, &maintenance, &more);
    check_guarded("maintain_step");
    (void)!nkv_maintain(&bench.store, NKV_MAINTAIN_PARTIAL);
    check_guarded("maintain partial");
    (void)!nkv_maintain(&bench.store, NKV_MAINTAIN_HEAVY);
    check_guarded("maintain heavy");
    nkv_statistics(&bench.store, &statistics);
    check_guarded("statistics");
    (void)nkv_value_size_free(&bench.store, 3);
    check_guarded("value_size_free");
    (void)nkv_pending_steps(&bench.store);
    check_guarded("pending_steps");
    (void)!nkv_report_sector(&bench.store, 0, &report);
    check_guarded("report_sector");
    (void)nkv_transaction_count(&bench.store);
    check_guarded("transaction_count");
    (void)!nkv_survey(&bench.store, visit, NULL);
    check_guarded("survey");
    (void)!nkv_survey_sector(&bench.store, 0, visit, NULL);
    check_guarded("survey_sector");
}

static void every_call_locks_and_unlocks_once(void **state)
{
    (void)state;
    for (uint8_t copies = 1; copies <= 2; copies++) {
        open_bench(copies);
        assert_ok(nkv_bench_mount(&bench));
        check_guarded("mount");
        for (int i = 0; i < 40; i++) {
            call_for_values();
            call_for_work();
        }
        assert_ok(nkv_erase_all(&bench.store));
        check_guarded("erase_all");
        nkv_bench_free(&bench);
    }
}

/* A call that finds fault with its arguments may do so without the lock, but
 * does not keep it. */
static void invalid_calls_do_not_keep_the_lock(void **state)
{
    static const uint8_t bytes[64] = {1};
    const struct nkv_span none = {bytes, 0}, large = {bytes, sizeof bytes};
    const struct nkv_span keys[] = {none, large};

    (void)state;
    open_bench(1);
    assert_ok(nkv_bench_mount(&bench));
    for (size_t i = 0; i < 2; i++) {
        struct nkv_value value;

        assert_status(nkv_put(&bench.store, keys[i], large),
                      NKV_INVALID_ARGUMENT);
        assert_status(nkv_delete(&bench.store, keys[i]), NKV_INVALID_ARGUMENT);
        assert_status(nkv_describe(&bench.store, keys[i], &value),
                      NKV_INVALID_ARGUMENT);
    }
    assert_int_equal(nkv_value_size_max(&bench.store, 3), 512 - 16 - 3);
    check_guarded("after invalid calls");
    bench.config.max_keys = 0;
    assert_status(nkv_bench_mount(&bench), NKV_INVALID_ARGUMENT);
    assert_int_equal(guard.locks, guard.unlocks);
    assert_int_equal(guard.nested, 0);
    nkv_bench_free(&bench);
}

static void calls_that_fail_do_not_keep_the_lock(void **state)
{
    static const enum nkv_sim_fault_kind kinds[] = {
        NKV_SIM_FAULT_READ, NKV_SIM_FAULT_PROGRAM, NKV_SIM_FAULT_ERASE};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct nkv_sim_fault fault = {
            .kind = kinds[i], .size = 6 * 512, .status = NKV_UNAVAILABLE};

        open_bench(2);
        assert_ok(nkv_bench_mount(&bench));
        for (uint32_t j = 0; j < 60; j++) {
            assert_ok(nkv_load_put(&bench, j % 5, j));
        }
        check_guarded("puts");
        nkv_flash_sim_add_fault(&bench.sim, fault);
        for (int j = 0; j < 20; j++) {
            call_for_values();
            call_for_work();
        }
        (void)!nkv_bench_mount(&bench);
        check_guarded("mount that failed");
        call_for_values();
        call_for_work();
        (void)!nkv_erase_all(&bench.store);
        check_guarded("erase_all that failed");
        nkv_bench_free(&bench);
    }
}

/* Keys that stay come once each, whatever moves them meanwhile. */
static void keys_are_iterated_once_while_collections_move_them(void **state)
{
    enum { STAY = 16 };
    struct nkv_iterator iterator = {0};

    (void)state;
    open_bench(1);
    assert_ok(nkv_bench_mount(&bench));
    for (uint32_t i = 0; i < STAY; i++) {
        assert_ok(nkv_load_put(&bench, i, 1));
    }
    for (uint32_t round = 0; round < 40; round++) {
        uint32_t seen[STAY] = {0}, next = 0;
        uint64_t erases = bench.sim.counts.erases;

        memset(&iterator, 0, sizeof iterator);
        while (nkv_next(&bench.store, &iterator) == NKV_OK) {
            char name[16] = {0};
            unsigned number;
            bool more;

            memcpy(name, iterator.key, NKV_LOAD_KEY_SIZE);
            assert_int_equal(sscanf(name, "key-%u", &number), 1);
            if (number < STAY) {
                seen[number]++;
            }
            for (int i = 0; i < 4; i++) {
                assert_ok(nkv_load_put(&bench, 100 + next % 8, round));
                assert_ok(nkv_load_delete(&bench, 100 + next++ % 8));
                assert_ok(nkv_step(&bench.store, &more));
            }
            if (round % 2) {
                assert_ok(nkv_load_put(&bench, number % STAY, round));
            }
        }
        for (uint32_t i = 0; i < STAY; i++) {
            assert_int_equal(seen[i], 1);
        }
        assert_true(bench.sim.counts.erases > erases);
    }
    nkv_bench_free(&bench);
}

/* Two reads of parts: equal versions mean that they are of one value. */
static void a_version_tells_whether_two_reads_saw_one_value(void **state)
{
    (void)state;
    open_bench(1);
    assert_ok(nkv_bench_mount(&bench));
    for (uint32_t i = 0; i < 300; i++) {
        uint8_t whole[8], part[4];
        struct nkv_buffer first = {part, 4}, rest = {whole + 4, 4};
        struct nkv_value before, after;
        bool is_same = i % 3 == 0, more;

        nkv_store_le32(whole, i);
        nkv_store_le32(whole + 4, ~i);
        assert_ok(nkv_put(&bench.store, nkv_text("key"),
                          (struct nkv_span){whole, 8}));
        assert_status(nkv_get(&bench.store, nkv_text("key"), 0, first, &before),
                      NKV_RESOURCE_EXHAUSTED);
        if (!is_same) {
            assert_ok(nkv_bench_put(&bench, "key", "another one"));
        }
        assert_ok(nkv_load_put(&bench, 1, i));
        assert_ok(nkv_step(&bench.store, &more));
        rest.capacity = is_same ? 4 : 0;
        (void)!nkv_get(&bench.store, nkv_text("key"), 4, rest, &after);
        assert_int_equal(before.version == after.version, is_same);
        assert_int_equal(nkv_load_le32(part), i);
    }
    nkv_bench_free(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_locks_and_unlocks_once),
        cmocka_unit_test(invalid_calls_do_not_keep_the_lock),
        cmocka_unit_test(calls_that_fail_do_not_keep_the_lock),
        cmocka_unit_test(keys_are_iterated_once_while_collections_move_them),
        cmocka_unit_test(a_version_tells_whether_two_reads_saw_one_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
