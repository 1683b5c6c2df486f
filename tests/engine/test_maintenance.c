/* Maintenance, and long runs that collection has to keep going. */
#include "bench.h"
#include "check.h"
#include "model.h"
#include "random.h"

#include <stdio.h>
#include <string.h>

static struct nkv_bench bench;

static void open_bench(const struct nkv_bench_setup *setup)
{
    nkv_bench_init(&bench, setup);
    assert_ok(nkv_bench_mount(&bench));
}

static int set_up(void **state)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(512, 6, 16)};

    (void)state;
    open_bench(&setup);
    return 0;
}

static int tear_down(void **state)
{
    bool good = nkv_bench_is_sound(&bench);

    (void)state;
    nkv_bench_free(&bench);
    return good ? 0 : -1;
}

static void reopen(const struct nkv_bench_setup *setup)
{
    nkv_bench_free(&bench);
    open_bench(setup);
}

static struct nkv_statistics now(void)
{
    return nkv_bench_statistics(&bench);
}

static void full_leaves_a_store_with_room_alone(void **state)
{
    (void)state;
    assert_ok(nkv_bench_put(&bench, "a", "1"));
    assert_ok(nkv_bench_put(&bench, "b", "2"));
    assert_ok(nkv_bench_put(&bench, "a", "3"));
    assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_FULL));
    assert_int_equal(bench.sim.counts.erases, 0);
    assert_int_equal(now().stale_bytes, 32);
}

static void heavy_reclaims_all_with_one_erase_a_sector(void **state)
{
    (void)state;
    assert_ok(nkv_bench_put(&bench, "a", "1"));
    assert_ok(nkv_bench_put(&bench, "b", "2"));
    assert_ok(nkv_bench_put(&bench, "a", "3"));
    assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_HEAVY));
    assert_int_equal(bench.sim.counts.erases, 1);
    assert_int_equal(now().stale_bytes, 0);
    assert_string_equal(nkv_bench_get(&bench, "a"), "3");
    assert_string_equal(nkv_bench_get(&bench, "b"), "2");
}

static void full_reclaims_all_of_a_store_more_than_70_percent_full(void **state)
{
    char value[100];

    (void)state;
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    for (unsigned i = 0; i < 18; i++) {
        char key[8];

        snprintf(key, sizeof key, "key%u", i);
        assert_ok(nkv_bench_put(&bench, key, value));
        if (i % 3 == 0) {
            value[0]++;
            assert_ok(nkv_bench_put(&bench, key, value));
        }
    }
    assert_true(now().live_bytes * 10 > 7 * 5 * 512);
    assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_FULL));
    assert_int_equal(now().stale_bytes, 0);
    assert_int_equal(now().keys, 18);
}

static void each_partial_reclaims_something_until_nothing_gains(void **state)
{
    uint32_t stale, rounds = 0;
    enum nkv_status status;

    (void)state;
    for (unsigned i = 0; i < 60; i++) {
        char key[8], value[8];

        snprintf(key, sizeof key, "key%u", i % 7);
        snprintf(value, sizeof value, "%u", i);
        assert_ok(nkv_bench_put(&bench, key, value));
    }
    do {
        stale = now().stale_bytes;
        status = nkv_maintain(&bench.store, NKV_MAINTAIN_PARTIAL);
        if (status == NKV_OK) {
            assert_true(now().stale_bytes < stale);
        }
        assert_true(++rounds < 20);
    } while (status == NKV_OK);
    assert_status(status, NKV_NOT_FOUND);
    assert_int_equal(now().stale_bytes, 0);
    assert_int_equal(stale, 0);
    assert_true(rounds > 1);
    assert_int_equal(now().keys, 7);
}

static void maintenance_of_an_empty_store_does_nothing(void **state)
{
    (void)state;
    assert_status(nkv_maintain(&bench.store, NKV_MAINTAIN_PARTIAL),
                  NKV_NOT_FOUND);
    assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_FULL));
    assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_HEAVY));
    assert_int_equal(bench.sim.counts.operations, 0);
}

static void a_put_and_a_delete_leave_a_tombstone_and_no_erase(void **state)
{
    (void)state;
    assert_ok(nkv_bench_put(&bench, "key", "value"));
    assert_ok(nkv_bench_delete(&bench, "key"));
    assert_int_equal(now().keys, 0);
    assert_int_equal(now().tombstones, 1);
    assert_int_equal(now().erases, 0);
    assert_int_equal(now().stale_bytes, 32);
}

/* The newest tombstone stays: it carries the highest transaction id. */
static void heavy_drops_all_tombstones_but_the_newest_entry(void **state)
{
    (void)state;
    assert_ok(nkv_bench_put(&bench, "a", "1"));
    assert_ok(nkv_bench_put(&bench, "b", "2"));
    assert_ok(nkv_bench_delete(&bench, "a"));
    assert_ok(nkv_bench_delete(&bench, "b"));
    assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_HEAVY));
    assert_int_equal(now().stale_bytes, 0);
    assert_int_equal(now().tombstones, 1);
    assert_int_equal(now().transaction_count, 4);
    assert_ok(nkv_bench_put(&bench, "c", "3"));
    assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_HEAVY));
    assert_int_equal(now().tombstones, 0);
    assert_int_equal(now().live_bytes, 32);
    assert_int_equal(now().stale_bytes, 0);
    assert_ok(nkv_bench_mount(&bench));
    assert_int_equal(now().tombstones, 0);
    assert_string_equal(nkv_bench_get(&bench, "c"), "3");
    assert_string_equal(nkv_bench_get(&bench, "a"), "(NOT_FOUND)");
}

static void heavy_drops_one_keys_tombstone_and_keeps_the_other_key(void **state)
{
    (void)state;
    assert_ok(nkv_bench_put(&bench, "gone", "1"));
    assert_ok(nkv_bench_delete(&bench, "gone"));
    assert_ok(nkv_bench_put(&bench, "stays", "2"));
    assert_ok(nkv_maintain(&bench.store, NKV_MAINTAIN_HEAVY));
    assert_int_equal(now().keys, 1);
    assert_int_equal(now().tombstones, 0);
    assert_string_equal(nkv_bench_get(&bench, "stays"), "2");
}

static void a_maintenance_in_steps_lets_others_in_between(void **state)
{
    struct nkv_maintenance maintenance = {.kind = NKV_MAINTAIN_HEAVY};
    bool more = true;

    (void)state;
    for (unsigned i = 0; i < 30; i++) {
        char value[8];

        snprintf(value, sizeof value, "%u", i);
        assert_ok(nkv_bench_put(&bench, i % 2 ? "odd" : "even", value));
    }
    for (unsigned i = 0; more; i++) {
        uint64_t erases = bench.sim.counts.erases;
        char value[8];

        assert_ok(nkv_maintain_step(&bench.store, &maintenance, &more));
        assert_true(bench.sim.counts.erases <= erases + 1);
        assert_true(i < 200);
        snprintf(value, sizeof value, "step%u", i % 10);
        assert_ok(nkv_bench_put(&bench, "between", value));
        assert_string_equal(nkv_bench_get(&bench, "odd"), "29");
        assert_string_equal(nkv_bench_get(&bench, "even"), "28");
    }
    assert_true(maintenance.steps > 0);
}

static void steps_end_and_leave_nothing_to_do(void **state)
{
    bool more = true;

    (void)state;
    for (unsigned i = 0; i < 60; i++) {
        char value[8];

        snprintf(value, sizeof value, "%u", i);
        assert_ok(nkv_bench_put(&bench, "key", value));
    }
    for (unsigned i = 0; more; i++) {
        assert_ok(nkv_step(&bench.store, &more));
        assert_true(i < 200);
    }
    assert_string_equal(nkv_bench_get(&bench, "key"), "59");
    assert_ok(nkv_step(&bench.store, &more));
    assert_false(more);
}

/* 99 new values of one key in a format without checksum. */
static void one_key_is_overwritten_without_end(void **state)
{
    const struct nkv_bench_setup setup = {
        NKV_FLASH(512, 6, 16), .formats = {{0xd49ba138, &nkv_checksum_none}},
        .format_count = 1};
    char value[16];

    (void)state;
    reopen(&setup);
    for (unsigned i = 0; i < 99; i++) {
        snprintf(value, sizeof value, "value %u", i);
        assert_ok(nkv_bench_put(&bench, "key", value));
        assert_int_equal(now().keys, 1);
    }
    assert_string_equal(nkv_bench_get(&bench, "key"), "value 98");
    assert_ok(nkv_bench_mount(&bench));
    assert_int_equal(now().keys, 1);
    assert_string_equal(nkv_bench_get(&bench, "key"), "value 98");
}

static void a_thousand_puts_work_with_every_program_unit(void **state)
{
    static const uint32_t units[] = {1, 16, 64, 256};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        const struct nkv_bench_setup setup = {NKV_FLASH(2048, 6, units[i])};

        reopen(&setup);
        for (unsigned j = 0; j < 1000; j++) {
            assert_ok(nkv_bench_put(&bench, "same", "8 bytes!"));
            assert_ok(nkv_bench_put(&bench, "odd", "7 bytes"));
        }
        assert_int_equal(nkv_transaction_count(&bench.store), 2);
        for (unsigned j = 0; j < 1000; j++) {
            char value[16];

            snprintf(value, sizeof value, "value %u", j);
            assert_ok(nkv_bench_put(&bench, "changing", value));
        }
        assert_string_equal(nkv_bench_get(&bench, "changing"), "value 999");
        assert_true(nkv_bench_is_sound(&bench));
    }
}

static void every_key_length_goes_with_every_small_value(void **state)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(4096, 6, 16)};
    uint8_t key[63], value[64];

    (void)state;
    reopen(&setup);
    for (unsigned round = 0; round < 2; round++) {
        for (size_t i = 1; i <= 63; i++) {
            for (size_t j = 0; j <= 63; j++) {
                struct nkv_span name = {key, i}, bytes = {value, j};

                memset(key, (int)('a' + i % 26), i);
                memset(value, (int)(round + i + j), j);
                assert_ok(nkv_put(&bench.store, name, bytes));
                assert_true(nkv_store_gives(&bench.store, name, bytes));
            }
        }
    }
    assert_int_equal(now().keys, 63);
}

static void deleted_keys_stay_deleted_through_collection(void **state)
{
    uint8_t bytes[512 - 16 - 4];
    struct nkv_span value = {bytes, sizeof bytes};

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        char key[8];

        snprintf(key, sizeof key, "k%03u", i);
        memset(bytes, (int)i, sizeof bytes);
        assert_ok(nkv_put(&bench.store, nkv_text(key), value));
        assert_ok(nkv_bench_delete(&bench, key));
        for (unsigned j = 0; j <= i; j++) {
            snprintf(key, sizeof key, "k%03u", j);
            assert_string_equal(nkv_bench_get(&bench, key), "(NOT_FOUND)");
        }
    }
    assert_ok(nkv_bench_mount(&bench));
    assert_int_equal(now().keys, 0);
}

static void a_base_key_outlasts_100_overwrites_and_100_keys(void **state)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(4096, 4, 16)};

    (void)state;
    reopen(&setup);
    assert_ok(nkv_bench_put(&bench, "base_key", "base_value"));
    for (unsigned i = 0; i < 100; i++) {
        char text[16];

        snprintf(text, sizeof text, "text %u", i);
        assert_ok(nkv_bench_put(&bench, "some_data", text));
        assert_string_equal(nkv_bench_get(&bench, "base_key"), "base_value");
    }
    for (unsigned i = 0; i < 100; i++) {
        char key[16];

        snprintf(key, sizeof key, "key_%u", i);
        assert_ok(nkv_bench_put(&bench, key, "value"));
        assert_string_equal(nkv_bench_get(&bench, "base_key"), "base_value");
    }
    assert_ok(nkv_bench_mount(&bench));
    assert_int_equal(now().keys, 102);
}

/* More different keys than there is room for tombstones, or in the table. */
static void an_endless_stream_of_new_keys_never_fills_the_store(void **state)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(512, 6, 16),
                                          .max_keys = 16};

    (void)state;
    reopen(&setup);
    assert_ok(nkv_bench_put(&bench, "stays", "here"));
    for (unsigned i = 0; i < 4096; i++) {
        char key[16];

        snprintf(key, sizeof key, "key_%u", i);
        assert_ok(nkv_bench_put(&bench, key, key));
        assert_string_equal(nkv_bench_get(&bench, key), key);
        assert_ok(nkv_bench_delete(&bench, key));
        if (i % 500 == 0) {
            assert_ok(nkv_bench_mount(&bench));
        }
    }
    assert_int_equal(now().keys, 1);
    assert_string_equal(nkv_bench_get(&bench, "stays"), "here");
}

/* Two large buffers whose sizes change, and three small keys. */
static void buffers_of_changing_size_survive_100_rounds(void **state)
{
    static const uint32_t units[] = {1, 64};
    static uint8_t bytes[3072];
    uint64_t random = 5;

    (void)state;
    for (size_t unit = 0; unit < 2; unit++) {
        const struct nkv_bench_setup setup = {NKV_FLASH(4096, 6, units[unit]),
                                              .buffer_size = 256};
        struct nkv_model model = {0};

        reopen(&setup);
        for (unsigned round = 0; round < 100; round++) {
            for (unsigned i = 0; i < 50; i++) {
                static const char *const names[] = {"buf1", "buf2", "k1", "k2",
                                                    "k3"};
                struct nkv_span key = nkv_text(names[i % 5]);
                struct nkv_span value = {
                    bytes, i % 5 < 2 ? nkv_random_below(&random, 3073) : 4};

                nkv_random_fill(&random, bytes, value.size);
                assert_ok(nkv_put(&bench.store, key, value));
                nkv_model_put(&model, key, value);
            }
            for (unsigned i = 0; i < 2; i++) {
                struct nkv_span key = nkv_text(i ? "buf2" : "buf1");

                assert_ok(nkv_delete(&bench.store, key));
                nkv_model_delete(&model, key);
            }
            assert_ok(nkv_bench_mount(&bench));
            assert_true(nkv_model_agrees(&model, &bench.store));
        }
        nkv_model_free(&model);
        assert_true(nkv_bench_is_sound(&bench));
    }
}

/* A whole maintenance erases no more than twice each sector for copies, and
 * twice each for room. */
static void maintain_within_bounds(enum nkv_maintenance_kind kind)
{
    struct nkv_maintenance job = {.kind = kind};
    uint64_t most =
        bench.sim.counts.erases + (uint64_t)4 * bench.setup.sector_count;
    bool more = true;

    while (more) {
        (void)!nkv_maintain_step(&bench.store, &job, &more);
        assert_true(bench.sim.counts.erases <= most);
    }
}

/* While ids are refreshed, a copy of an entry that is moved is an old one, and
 * copies lack again: where there is no room for all of them that must not go on
 * for ever. */
static void maintenance_ends_while_ids_are_refreshed_without_room(void **state)
{
    static char value[341];
    uint64_t random = 1;

    (void)state;
    memset(value, 'v', sizeof value - 1);
    for (uint32_t round = 0; round < 20; round++) {
        const struct nkv_bench_setup setup = {
            NKV_FLASH(2048, 7, 256), .copies = 3,
            .first_id = 0xFEFFFF00u + nkv_random_below(&random, 256),
            .max_keys = 26, .steps_per_write = 1};

        reopen(&setup);
        for (uint32_t i = 0; i < 600; i++) {
            uint32_t what = nkv_random_below(&random, 20);
            char key[4];
            bool more;

            (void)snprintf(key, sizeof key, "k%u",
                           nkv_random_below(&random, 24));
            if (what < 12) {
                (void)!nkv_bench_put(&bench, key,
                                     value + nkv_random_below(&random, 340));
            } else if (what < 15) {
                (void)!nkv_bench_delete(&bench, key);
            } else if (what < 18) {
                (void)!nkv_step(&bench.store, &more);
            } else {
                maintain_within_bounds(
                    (enum nkv_maintenance_kind)nkv_random_below(&random, 3));
            }
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(full_leaves_a_store_with_room_alone),
        TEST(heavy_reclaims_all_with_one_erase_a_sector),
        TEST(full_reclaims_all_of_a_store_more_than_70_percent_full),
        TEST(each_partial_reclaims_something_until_nothing_gains),
        TEST(maintenance_of_an_empty_store_does_nothing),
        TEST(a_put_and_a_delete_leave_a_tombstone_and_no_erase),
        TEST(heavy_drops_all_tombstones_but_the_newest_entry),
        TEST(heavy_drops_one_keys_tombstone_and_keeps_the_other_key),
        TEST(a_maintenance_in_steps_lets_others_in_between),
        TEST(steps_end_and_leave_nothing_to_do),
        TEST(one_key_is_overwritten_without_end),
        TEST(a_thousand_puts_work_with_every_program_unit),
        TEST(every_key_length_goes_with_every_small_value),
        TEST(deleted_keys_stay_deleted_through_collection),
        TEST(a_base_key_outlasts_100_overwrites_and_100_keys),
        TEST(an_endless_stream_of_new_keys_never_fills_the_store),
        TEST(buffers_of_changing_size_survive_100_rounds),
        TEST(maintenance_ends_while_ids_are_refreshed_without_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
