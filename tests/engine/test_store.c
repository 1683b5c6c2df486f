/* Putting, getting, deleting: what each call says and does. */
#include "bench.h"
#include "check.h"

#include <stdio.h>
#include <string.h>

static struct nkv_bench bench;

static const struct nkv_bench_setup six_sectors = {NKV_FLASH(512, 6, 16)};

static void open_bench(const struct nkv_bench_setup *setup)
{
    nkv_bench_init(&bench, setup);
    assert_ok(nkv_bench_mount(&bench));
}

static int set_up(void **state)
{
    (void)state;
    open_bench(&six_sectors);
    return 0;
}

static int tear_down(void **state)
{
    bool good = nkv_bench_is_sound(&bench);

    (void)state;
    nkv_bench_free(&bench);
    return good ? 0 : -1;
}

static uint32_t keys(void)
{
    return nkv_bench_statistics(&bench).keys;
}

/* A part of a value, through a buffer of the given capacity. */
static enum nkv_status get_part(const char *key, uint32_t offset, char *to,
                                size_t capacity, struct nkv_value *value)
{
    struct nkv_buffer buffer = {(uint8_t *)to, capacity};

    return nkv_get(&bench.store, nkv_text(key), offset, buffer, value);
}

static void a_key_gives_the_value_that_was_put(void **state)
{
    (void)state;
    assert_ok(nkv_bench_put(&bench, "key", "value"));
    assert_string_equal(nkv_bench_get(&bench, "key"), "value");
    assert_int_equal(keys(), 1);
}

static void keys_of_1_and_4_bytes_are_apart(void **state)
{
    (void)state;
    assert_ok(nkv_bench_put(&bench, "k", "one"));
    assert_ok(nkv_bench_put(&bench, "key4", "two"));
    assert_string_equal(nkv_bench_get(&bench, "k"), "one");
    assert_string_equal(nkv_bench_get(&bench, "key4"), "two");
}

static void each_new_key_makes_the_store_one_larger(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 10; i++) {
        char key[8];

        snprintf(key, sizeof key, "key%u", i);
        assert_int_equal(keys(), i);
        assert_ok(nkv_bench_put(&bench, key, "value"));
    }
    assert_int_equal(keys(), 10);
}

static void putting_the_same_value_again_writes_nothing(void **state)
{
    uint64_t operations;

    (void)state;
    assert_ok(nkv_bench_put(&bench, "key", "value"));
    operations = bench.sim.counts.operations;
    for (int i = 0; i < 50; i++) {
        assert_ok(nkv_bench_put(&bench, "key", "value"));
    }
    assert_int_equal(bench.sim.counts.operations, operations);
    assert_int_equal(keys(), 1);
    assert_int_equal(nkv_transaction_count(&bench.store), 1);
    assert_int_equal(nkv_bench_statistics(&bench).stale_bytes, 0);
}

static void a_value_of_the_same_size_but_other_bytes_is_written(void **state)
{
    (void)state;
    assert_ok(nkv_bench_put(&bench, "key", "value"));
    assert_ok(nkv_bench_put(&bench, "key", "valuf"));
    assert_ok(nkv_bench_put(&bench, "key", "valu"));
    assert_string_equal(nkv_bench_get(&bench, "key"), "valu");
    assert_int_equal(nkv_transaction_count(&bench.store), 3);
}

static void a_second_delete_finds_nothing_and_writes_nothing(void **state)
{
    uint64_t operations;

    (void)state;
    assert_ok(nkv_bench_put(&bench, "key", "value"));
    assert_ok(nkv_bench_delete(&bench, "key"));
    operations = bench.sim.counts.operations;
    assert_status(nkv_bench_delete(&bench, "key"), NKV_NOT_FOUND);
    assert_status(nkv_bench_delete(&bench, "other"), NKV_NOT_FOUND);
    assert_int_equal(bench.sim.counts.operations, operations);
}

static void deleting_one_key_leaves_the_other(void **state)
{
    (void)state;
    assert_ok(nkv_bench_put(&bench, "one", "1"));
    assert_ok(nkv_bench_put(&bench, "two", "2"));
    assert_ok(nkv_bench_delete(&bench, "one"));
    assert_string_equal(nkv_bench_get(&bench, "one"), "(NOT_FOUND)");
    assert_string_equal(nkv_bench_get(&bench, "two"), "2");
    assert_int_equal(keys(), 1);
    assert_ok(nkv_bench_delete(&bench, "two"));
    assert_int_equal(keys(), 0);
}

static void a_deleted_key_has_no_value_and_no_size(void **state)
{
    struct nkv_value value;
    char nothing;

    (void)state;
    assert_ok(nkv_bench_put(&bench, "key", "value"));
    assert_ok(nkv_bench_delete(&bench, "key"));
    assert_string_equal(nkv_bench_get(&bench, "key"), "(NOT_FOUND)");
    assert_status(get_part("key", 0, &nothing, 0, &value), NKV_NOT_FOUND);
    assert_status(get_part("key", 0, &nothing, 0, NULL), NKV_NOT_FOUND);
    assert_status(nkv_describe(&bench.store, nkv_text("key"), &value),
                  NKV_NOT_FOUND);
    assert_ok(nkv_bench_mount(&bench));
    assert_string_equal(nkv_bench_get(&bench, "key"), "(NOT_FOUND)");
}

static void a_deleted_key_can_be_put_again(void **state)
{
    (void)state;
    assert_ok(nkv_bench_put(&bench, "key", "value"));
    assert_ok(nkv_bench_delete(&bench, "key"));
    assert_ok(nkv_bench_put(&bench, "key", "value"));
    assert_string_equal(nkv_bench_get(&bench, "key"), "value");
    assert_ok(nkv_bench_mount(&bench));
    assert_string_equal(nkv_bench_get(&bench, "key"), "value");
    assert_ok(nkv_bench_put(&bench, "key", "value"));
    assert_int_equal(nkv_transaction_count(&bench.store), 3);
}

static void a_value_is_read_from_an_offset_on(void **state)
{
    char part[16];
    struct nkv_value value;

    (void)state;
    assert_ok(nkv_bench_put(&bench, "key", "VALUE!!"));
    assert_ok(get_part("key", 0, part, 16, &value));
    assert_int_equal(value.size, 7);
    assert_int_equal(value.total_size, 7);
    assert_int_equal(value.version, 1);
    assert_ok(get_part("key", 4, part, 16, &value));
    assert_int_equal(value.size, 3);
    assert_int_equal(value.total_size, 7);
    assert_memory_equal(part, "E!!", 3);
}

static void too_small_a_buffer_is_filled(void **state)
{
    char part[8] = "-------";
    struct nkv_value value;

    (void)state;
    assert_ok(nkv_bench_put(&bench, "key", "VALUE!"));
    assert_status(get_part("key", 0, part, 3, &value), NKV_RESOURCE_EXHAUSTED);
    assert_int_equal(value.size, 3);
    assert_int_equal(value.total_size, 6);
    assert_string_equal(part, "VAL----");
    assert_status(get_part("key", 4, part, 1, &value), NKV_RESOURCE_EXHAUSTED);
    assert_int_equal(value.size, 1);
    assert_string_equal(part, "EAL----");
    assert_ok(get_part("key", 3, part, 3, NULL));
    assert_string_equal(part, "UE!----");
}

static void an_offset_at_the_end_gives_nothing(void **state)
{
    char part[4] = "---";
    struct nkv_value value;

    (void)state;
    assert_ok(nkv_bench_put(&bench, "key", "VALUE!"));
    assert_ok(get_part("key", 6, part, 3, &value));
    assert_int_equal(value.size, 0);
    assert_string_equal(part, "---");
    assert_ok(get_part("key", 6, part, 0, &value));
}

static void an_offset_behind_the_end_is_out_of_range(void **state)
{
    char part[4] = "---";
    struct nkv_value value = {.size = 9};

    (void)state;
    assert_ok(nkv_bench_put(&bench, "key", "VALUE!"));
    assert_status(get_part("key", 7, part, 3, &value), NKV_OUT_OF_RANGE);
    assert_int_equal(value.size, 0);
    assert_status(get_part("key", 0xFFFFFFFF, part, 3, &value),
                  NKV_OUT_OF_RANGE);
    assert_string_equal(part, "---");
}

static void an_empty_value_is_a_value(void **state)
{
    struct nkv_value value;

    (void)state;
    assert_ok(
        nkv_put(&bench.store, nkv_text("key"), (struct nkv_span){NULL, 0}));
    assert_ok(nkv_describe(&bench.store, nkv_text("key"), &value));
    assert_int_equal(value.total_size, 0);
    assert_string_equal(nkv_bench_get(&bench, "key"), "");
    assert_ok(nkv_bench_mount(&bench));
    assert_string_equal(nkv_bench_get(&bench, "key"), "");
    assert_int_equal(keys(), 1);
}

static void keys_of_0_or_64_bytes_are_invalid(void **state)
{
    char name[65];
    struct nkv_value value;
    struct nkv_buffer to = {NULL, 0};

    (void)state;
    memset(name, 'n', 64);
    name[64] = '\0';
    for (size_t size = 0; size <= 64; size += 64) {
        struct nkv_span key = {(const uint8_t *)name, size};

        assert_status(nkv_put(&bench.store, key, nkv_text("v")),
                      NKV_INVALID_ARGUMENT);
        assert_status(nkv_delete(&bench.store, key), NKV_INVALID_ARGUMENT);
        assert_status(nkv_get(&bench.store, key, 0, to, &value),
                      NKV_INVALID_ARGUMENT);
        assert_status(nkv_describe(&bench.store, key, &value),
                      NKV_INVALID_ARGUMENT);
    }
    name[63] = '\0';
    assert_ok(nkv_bench_put(&bench, name, "v"));
    assert_string_equal(nkv_bench_get(&bench, name), "v");
    assert_ok(nkv_bench_delete(&bench, name));
    assert_int_equal(bench.sim.violations, 0);
}

static void the_largest_value_fills_a_sector(void **state)
{
    uint8_t bytes[600];
    struct nkv_span value = {bytes, 512 - 16 - 1};
    uint64_t operations;

    (void)state;
    memset(bytes, 'x', sizeof bytes);
    assert_int_equal(nkv_value_size_max(&bench.store, 1), value.size);
    assert_ok(nkv_put(&bench.store, nkv_text("k"), value));
    assert_int_equal(strlen(nkv_bench_get(&bench, "k")), value.size);
    operations = bench.sim.counts.operations;
    value.size++;
    assert_status(nkv_put(&bench.store, nkv_text("k"), value),
                  NKV_INVALID_ARGUMENT);
    value.size = 600;
    assert_status(nkv_put(&bench.store, nkv_text("k"), value),
                  NKV_INVALID_ARGUMENT);
    assert_int_equal(bench.sim.counts.operations, operations);
    assert_int_equal(strlen(nkv_bench_get(&bench, "k")), 495);
}

static void a_value_of_65535_bytes_is_invalid_in_any_sector(void **state)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(131072, 2, 16)};
    static uint8_t bytes[65536];
    struct nkv_span value = {bytes, NKV_VALUE_SIZE_MAX};

    (void)state;
    nkv_bench_free(&bench);
    open_bench(&setup);
    assert_int_equal(nkv_value_size_max(&bench.store, 1), 65534);
    assert_ok(nkv_put(&bench.store, nkv_text("k"), value));
    value.size++;
    assert_status(nkv_put(&bench.store, nkv_text("k"), value),
                  NKV_INVALID_ARGUMENT);
    value.size++;
    assert_status(nkv_put(&bench.store, nkv_text("k"), value),
                  NKV_INVALID_ARGUMENT);
    assert_ok(nkv_bench_mount(&bench));
    assert_int_equal(keys(), 1);
}

static void a_full_key_table_takes_no_new_key(void **state)
{
    const struct nkv_bench_setup setup = {NKV_FLASH(512, 6, 16), .max_keys = 2};
    uint64_t operations;

    (void)state;
    nkv_bench_free(&bench);
    open_bench(&setup);
    assert_ok(nkv_bench_put(&bench, "a", "1"));
    assert_ok(nkv_bench_put(&bench, "b", "2"));
    operations = bench.sim.counts.operations;
    assert_status(nkv_bench_put(&bench, "c", "3"), NKV_RESOURCE_EXHAUSTED);
    assert_int_equal(bench.sim.counts.operations, operations);
    assert_ok(nkv_bench_put(&bench, "a", "new"));
    assert_ok(nkv_bench_delete(&bench, "b"));
    assert_ok(nkv_bench_put(&bench, "c", "3"));
    assert_string_equal(nkv_bench_get(&bench, "a"), "new");
    assert_string_equal(nkv_bench_get(&bench, "c"), "3");
    assert_int_equal(keys(), 2);
}

static void versions_grow_with_every_write(void **state)
{
    struct nkv_value value;
    uint32_t last = 0;

    (void)state;
    for (int i = 0; i < 100; i++) {
        char text[8];

        snprintf(text, sizeof text, "%d", i);
        assert_ok(nkv_bench_put(&bench, i % 2 ? "a" : "b", text));
        assert_ok(
            nkv_describe(&bench.store, nkv_text(i % 2 ? "a" : "b"), &value));
        assert_true(value.version > last);
        last = value.version;
        assert_int_equal(nkv_transaction_count(&bench.store), last);
    }
}

static void statistics_tell_what_is_where(void **state)
{
    struct nkv_statistics now;

    (void)state;
    assert_ok(nkv_bench_put(&bench, "a", "1"));
    assert_ok(nkv_bench_put(&bench, "b", "2"));
    assert_ok(nkv_bench_put(&bench, "a", "3"));
    assert_ok(nkv_bench_delete(&bench, "b"));
    now = nkv_bench_statistics(&bench);
    assert_int_equal(now.keys, 1);
    assert_int_equal(now.tombstones, 1);
    assert_int_equal(now.max_keys, 256);
    assert_int_equal(now.max_tombstones, NKV_TOMBSTONES(256));
    assert_int_equal(now.transaction_count, 4);
    assert_int_equal(now.live_bytes, 64);
    assert_int_equal(now.stale_bytes, 64);
    assert_int_equal(now.free_bytes, 6 * 512 - 128);
    assert_int_equal(now.erased_sectors, 5);
    assert_int_equal(now.bytes_programmed, 128);
    assert_int_equal(now.erases, 0);
    assert_int_equal(now.damaged_sectors, 0);
    assert_int_equal(now.missing_copies, 0);
    assert_int_equal(now.corrupt_entries, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_key_gives_the_value_that_was_put),
        TEST(keys_of_1_and_4_bytes_are_apart),
        TEST(each_new_key_makes_the_store_one_larger),
        TEST(putting_the_same_value_again_writes_nothing),
        TEST(a_value_of_the_same_size_but_other_bytes_is_written),
        TEST(a_second_delete_finds_nothing_and_writes_nothing),
        TEST(deleting_one_key_leaves_the_other),
        TEST(a_deleted_key_has_no_value_and_no_size),
        TEST(a_deleted_key_can_be_put_again),
        TEST(a_value_is_read_from_an_offset_on),
        TEST(too_small_a_buffer_is_filled),
        TEST(an_offset_at_the_end_gives_nothing),
        TEST(an_offset_behind_the_end_is_out_of_range),
        TEST(an_empty_value_is_a_value),
        TEST(keys_of_0_or_64_bytes_are_invalid),
        TEST(the_largest_value_fills_a_sector),
        TEST(a_value_of_65535_bytes_is_invalid_in_any_sector),
        TEST(a_full_key_table_takes_no_new_key),
        TEST(versions_grow_with_every_write),
        TEST(statistics_tell_what_is_where),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
