/* Store.Get, Describe, Put and Delete. */
#include "messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <norkv/crc32.h>

static void fill(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    }
}

static struct nkv_test_answer write(struct nkv_rig *rig,
                                    struct nkv_test_write write)
{
    return nkv_rig_write(rig, &write);
}

static void expect_refusal(struct nkv_test_answer answer,
                           enum nkv_status status, norkv_v1_Reason reason)
{
    assert_int_equal(answer.status, status);
    assert_int_equal(answer.message.reason, reason);
}

static void what_is_put_comes_back_with_its_version_size_and_crc(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_test_answer put =
        write(rig, (struct nkv_test_write){.key = nkv_text("key"),
                                           .value = nkv_text("value")});
    struct nkv_test_value got = nkv_rig_get(rig, 0, "key", 0, 0);

    assert_int_equal(put.status, NKV_OK);
    assert_int_equal(put.message.version,
                     nkv_transaction_count(&rig->stores[0].store));
    assert_int_equal(got.status, NKV_OK);
    assert_true(nkv_span_is(got.value, "value"));
    assert_int_equal(got.message.version, put.message.version);
    assert_int_equal(got.message.total_size, 0);
    assert_int_equal(got.message.crc32,
                     nkv_crc32(0, (const uint8_t *)"value", 5));
}

static void an_empty_value_is_a_value(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_test_value got;

    nkv_rig_put(rig, "key", "");
    got = nkv_rig_get(rig, 0, "key", 0, 0);
    assert_int_equal(got.status, NKV_OK);
    assert_int_equal(got.value.size, 0);
    assert_int_equal(got.message.total_size, 0);
    assert_int_not_equal(got.message.version, 0);
    assert_int_equal(nkv_rig_describe(rig, 0, "key").status, NKV_OK);
}

static void putting_the_same_value_keeps_its_version(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_test_write same = {
        .key = nkv_text("key"),
        .value = nkv_text("value"),
    };
    uint32_t version = write(rig, same).message.version;

    nkv_rig_put(rig, "other", "1");
    assert_int_equal(write(rig, same).message.version, version);
}

static void stores_are_apart(void **state)
{
    struct nkv_rig *rig = *state;

    assert_int_equal(
        write(rig, (struct nkv_test_write){.store = 1,
                                           .key = nkv_text("key"),
                                           .value = nkv_text("one")})
            .status,
        NKV_OK);
    nkv_rig_expect(rig, "key", NULL);
    assert_true(nkv_span_is(nkv_rig_get(rig, 1, "key", 0, 0).value, "one"));
}

static void an_unknown_store_is_named_as_the_reason(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_test_value got = nkv_rig_get(rig, 2, "key", 0, 0);
    struct nkv_test_description described =
        nkv_rig_describe(rig, UINT32_MAX, "key");

    assert_int_equal(got.status, NKV_INVALID_ARGUMENT);
    assert_int_equal(got.message.reason, norkv_v1_Reason_REASON_NO_SUCH_STORE);
    assert_int_equal(described.status, NKV_INVALID_ARGUMENT);
    assert_int_equal(described.message.reason,
                     norkv_v1_Reason_REASON_NO_SUCH_STORE);
    for (int is_delete = 0; is_delete < 2; is_delete++) {
        expect_refusal(
            write(rig, (struct nkv_test_write){.store = 2,
                                               .key = nkv_text("key"),
                                               .is_delete = is_delete == 1}),
            NKV_INVALID_ARGUMENT, norkv_v1_Reason_REASON_NO_SUCH_STORE);
    }
}

static void keys_have_1_to_63_bytes(void **state)
{
    struct nkv_rig *rig = *state;
    uint8_t key[NKV_KEY_SIZE_MAX + 1];

    memset(key, 0, sizeof key);
    for (size_t size = 0; size <= sizeof key; size++) {
        bool is_good = size >= 1 && size <= NKV_KEY_SIZE_MAX;
        struct nkv_test_write put = {
            .key = {key, size},
            .value = nkv_text("v"),
        };

        if (is_good) {
            assert_int_equal(write(rig, put).status, NKV_OK);
            put.is_delete = true;
            assert_int_equal(write(rig, put).status, NKV_OK);
            continue;
        }
        expect_refusal(write(rig, put), NKV_INVALID_ARGUMENT,
                       norkv_v1_Reason_REASON_BAD_KEY);
        put.is_delete = true;
        expect_refusal(write(rig, put), NKV_INVALID_ARGUMENT,
                       norkv_v1_Reason_REASON_BAD_KEY);
    }
    assert_int_equal(nkv_rig_get(rig, 0, "", 0, 0).message.reason,
                     norkv_v1_Reason_REASON_BAD_KEY);
}

static void the_largest_value_of_a_store_is_taken_and_no_larger(void **state)
{
    struct nkv_rig rig;
    struct nkv_rig_options options = {.sector_size = 1024};
    uint8_t value[1024];
    uint32_t largest;

    (void)state;
    nkv_rig_init(&rig, &options);
    largest = nkv_value_size_max(&rig.stores[0].store, 1);
    fill(value, sizeof value);
    assert_true(largest < sizeof value);
    assert_int_equal(
        write(&rig, (struct nkv_test_write){.key = nkv_text("k"),
                                            .value = {value, largest}})
            .status,
        NKV_OK);
    expect_refusal(
        write(&rig, (struct nkv_test_write){.key = nkv_text("k"),
                                            .value = {value, largest + 1}}),
        NKV_INVALID_ARGUMENT, norkv_v1_Reason_REASON_VALUE_TOO_LARGE);
    assert_int_equal(nkv_rig_describe(&rig, 0, "k").message.total_size,
                     largest);
    nkv_rig_free(&rig);
}

static void a_wrong_crc_is_refused_and_a_right_one_taken(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_test_write put = {
        .key = nkv_text("key"),
        .value = nkv_text("value"),
        .crc32 = nkv_crc32(0, (const uint8_t *)"value", 5),
    };

    put.crc32 ^= 1u;
    expect_refusal(write(rig, put), NKV_INVALID_ARGUMENT,
                   norkv_v1_Reason_REASON_CRC_MISMATCH);
    nkv_rig_expect(rig, "key", NULL);
    put.crc32 ^= 1u;
    assert_int_equal(write(rig, put).status, NKV_OK);
}

static void no_such_key_is_not_found(void **state)
{
    struct nkv_rig *rig = *state;

    assert_int_equal(nkv_rig_get(rig, 0, "key", 0, 0).status, NKV_NOT_FOUND);
    assert_int_equal(nkv_rig_describe(rig, 0, "key").status, NKV_NOT_FOUND);
    assert_int_equal(write(rig, (struct nkv_test_write){.key = nkv_text("key"),
                                                        .is_delete = true})
                         .status,
                     NKV_NOT_FOUND);
}

/* Fetches a value in parts of at most max_size (0: as large as they come). */
static void fetch_in_parts(struct nkv_rig *rig, const uint8_t *value,
                           size_t size, uint32_t max_size)
{
    uint32_t offset = 0;
    int parts = 0;

    do {
        struct nkv_test_value got =
            nkv_rig_get(rig, 0, "big", offset, max_size);

        assert_int_equal(got.status, NKV_OK);
        assert_int_equal(got.message.total_size,
                         got.value.size == size ? 0 : size);
        assert_int_equal(got.message.crc32, nkv_crc32(0, value, size));
        assert_true(got.value.size > 0);
        assert_true(max_size == 0 || got.value.size <= max_size);
        assert_true(got.value.size <= size - offset);
        assert_memory_equal(got.value.data, value + offset, got.value.size);
        assert_true(rig->frames[0].payload.size <= 512);
        offset += (uint32_t)got.value.size;
        parts++;
    } while (offset < size);
    assert_true(parts > 1);
}

static void
a_large_value_comes_in_parts_each_with_the_crc_of_the_whole(void **state)
{
    struct nkv_rig *rig = *state;
    uint8_t value[1800];

    fill(value, sizeof value);
    assert_int_equal(
        write(rig, (struct nkv_test_write){.key = nkv_text("big"),
                                           .value = {value, sizeof value}})
            .status,
        NKV_OK);
    fetch_in_parts(rig, value, sizeof value, 0);
    fetch_in_parts(rig, value, sizeof value, 100);
    value[1700] ^= 0xFF;
    assert_int_equal(
        write(rig, (struct nkv_test_write){.key = nkv_text("big"),
                                           .value = {value, sizeof value}})
            .status,
        NKV_OK);
    fetch_in_parts(rig, value, sizeof value, 333);
    assert_int_equal(nkv_rig_describe(rig, 0, "big").message.crc32,
                     nkv_crc32(0, value, sizeof value));
}

static void parts_of_a_value_need_one_pass_for_its_crc(void **state)
{
    struct nkv_rig *rig = *state;
    uint8_t value[1800];
    uint64_t before;

    fill(value, sizeof value);
    assert_int_equal(
        write(rig, (struct nkv_test_write){.key = nkv_text("big"),
                                           .value = {value, sizeof value}})
            .status,
        NKV_OK);
    assert_int_equal(nkv_rig_get(rig, 0, "big", 0, 100).status, NKV_OK);
    before = rig->stores[0].flash.counts.read_bytes;
    assert_int_equal(nkv_rig_get(rig, 0, "big", 100, 100).status, NKV_OK);
    assert_true(rig->stores[0].flash.counts.read_bytes - before <
                2 * sizeof value);
}

static void a_small_part_costs_no_more_than_a_large_one(void **state)
{
    struct nkv_rig *rig = *state;
    uint8_t value[1800];

    fill(value, sizeof value);
    for (uint32_t max_size = 1; max_size < 4; max_size++) {
        uint64_t before;

        value[0]++;
        assert_int_equal(
            write(rig, (struct nkv_test_write){.key = nkv_text("big"),
                                               .value = {value, sizeof value}})
                .status,
            NKV_OK);
        before = rig->stores[0].flash.counts.read_bytes;
        assert_int_equal(nkv_rig_get(rig, 0, "big", 7, max_size).message.crc32,
                         nkv_crc32(0, value, sizeof value));
        assert_true(rig->stores[0].flash.counts.read_bytes - before <
                    10 * sizeof value);
    }
}

/* Two keys in turn: the kept CRC is of one of them only. */
static void the_crc_is_of_the_value_that_was_asked_for(void **state)
{
    struct nkv_rig *rig = *state;

    nkv_rig_put(rig, "a", "first value");
    nkv_rig_put(rig, "b", "other value");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(nkv_rig_get(rig, 0, "a", 1, 2).message.crc32,
                         nkv_crc32(0, (const uint8_t *)"first value", 11));
        assert_int_equal(nkv_rig_get(rig, 0, "b", 1, 2).message.crc32,
                         nkv_crc32(0, (const uint8_t *)"other value", 11));
    }
}

static void
the_end_of_a_value_is_empty_and_behind_it_is_out_of_range(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_test_value got;

    nkv_rig_put(rig, "key", "value");
    got = nkv_rig_get(rig, 0, "key", 5, 0);
    assert_int_equal(got.status, NKV_OK);
    assert_int_equal(got.value.size, 0);
    assert_int_equal(got.message.total_size, 5);
    assert_int_equal(got.message.crc32,
                     nkv_crc32(0, (const uint8_t *)"value", 5));
    assert_int_equal(nkv_rig_get(rig, 0, "key", 6, 0).status, NKV_OUT_OF_RANGE);
    assert_int_equal(nkv_rig_get(rig, 0, "key", UINT32_MAX, 0).status,
                     NKV_OUT_OF_RANGE);
}

static void a_conditional_put_needs_the_version_that_is_there(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_test_write put = {
        .key = nkv_text("key"),
        .value = nkv_text("one"),
        .is_conditional = true,
    };
    uint32_t version = write(rig, put).message.version;
    struct nkv_test_answer answer;

    assert_int_not_equal(version, 0);
    put.value = nkv_text("two");
    answer = write(rig, put);
    expect_refusal(answer, NKV_FAILED_PRECONDITION,
                   norkv_v1_Reason_REASON_VERSION_MISMATCH);
    assert_int_equal(answer.message.version, version);
    put.if_version = version + 1;
    answer = write(rig, put);
    expect_refusal(answer, NKV_FAILED_PRECONDITION,
                   norkv_v1_Reason_REASON_VERSION_MISMATCH);
    nkv_rig_expect(rig, "key", "one");
    put.if_version = version;
    answer = write(rig, put);
    assert_int_equal(answer.status, NKV_OK);
    assert_int_not_equal(answer.message.version, version);
    nkv_rig_expect(rig, "key", "two");
}

static void a_conditional_put_of_a_missing_key_needs_version_0(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_test_write put = {
        .key = nkv_text("key"),
        .value = nkv_text("one"),
        .is_conditional = true,
        .if_version = 7,
    };
    struct nkv_test_answer answer = write(rig, put);

    expect_refusal(answer, NKV_FAILED_PRECONDITION,
                   norkv_v1_Reason_REASON_VERSION_MISMATCH);
    assert_int_equal(answer.message.version, 0);
    nkv_rig_expect(rig, "key", NULL);
}

/* The entry of tests/golden/txid_zero.bin: k is v, with id 0. */
static void a_key_with_id_0_takes_no_conditional_write(void **state)
{
    static const uint8_t entry[] = {
        0xb5, 0xf0, 0xb2, 0x5a, 0xc3, 0x8c, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0,
        'k',  'v',  0,    0,    0,    0,    0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    struct nkv_rig *rig = *state;
    struct nkv_test_write put = {
        .key = nkv_text("k"),
        .value = nkv_text("new"),
        .is_conditional = true,
    };
    struct nkv_test_answer answer;

    for (uint32_t i = 0; i < sizeof entry; i++) {
        nkv_flash_sim_poke(&rig->stores[0].flash, i, entry[i]);
    }
    nkv_rig_restart(rig);
    nkv_rig_expect(rig, "k", "v");
    for (put.if_version = 0; put.if_version < 2; put.if_version++) {
        put.is_delete = !put.is_delete;
        answer = write(rig, put);
        expect_refusal(answer, NKV_FAILED_PRECONDITION,
                       norkv_v1_Reason_REASON_VERSION_MISMATCH);
        assert_int_equal(answer.message.version, 0);
    }
    nkv_rig_expect(rig, "k", "v");
    nkv_rig_put(rig, "k", "plain");
    put.is_delete = false;
    put.if_version = nkv_rig_describe(rig, 0, "k").message.version;
    assert_int_not_equal(put.if_version, 0);
    assert_int_equal(write(rig, put).status, NKV_OK);
    nkv_rig_expect(rig, "k", "new");
}

static void a_conditional_delete_needs_the_version_that_is_there(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_test_write removal = {
        .key = nkv_text("key"),
        .is_conditional = true,
        .is_delete = true,
    };

    nkv_rig_put(rig, "key", "value");
    removal.if_version = nkv_rig_describe(rig, 0, "key").message.version + 1;
    expect_refusal(write(rig, removal), NKV_FAILED_PRECONDITION,
                   norkv_v1_Reason_REASON_VERSION_MISMATCH);
    nkv_rig_expect(rig, "key", "value");
    removal.if_version--;
    assert_int_equal(write(rig, removal).status, NKV_OK);
    nkv_rig_expect(rig, "key", NULL);
    removal.if_version = 0;
    assert_int_equal(write(rig, removal).status, NKV_NOT_FOUND);
}

static void a_full_key_table_is_told_from_a_full_store(void **state)
{
    struct nkv_rig rig;
    struct nkv_rig_options options = {.max_keys = 3, .sectors = 3};
    uint8_t value[1500];
    struct nkv_test_answer answer;
    int puts = 0;

    (void)state;
    nkv_rig_init(&rig, &options);
    nkv_rig_put(&rig, "a", "1");
    nkv_rig_put(&rig, "b", "2");
    nkv_rig_put(&rig, "c", "3");
    expect_refusal(write(&rig, (struct nkv_test_write){.key = nkv_text("d"),
                                                       .value = nkv_text("")}),
                   NKV_RESOURCE_EXHAUSTED,
                   norkv_v1_Reason_REASON_KEY_TABLE_FULL);
    nkv_rig_free(&rig);

    options.max_keys = 64;
    nkv_rig_init(&rig, &options);
    fill(value, sizeof value);
    do {
        char key[] = {(char)('a' + puts), '\0'};

        answer = write(&rig,
                       (struct nkv_test_write){.key = nkv_text(key),
                                               .value = {value, sizeof value}});
        puts++;
    } while (answer.status == NKV_OK && puts < 20);
    expect_refusal(answer, NKV_RESOURCE_EXHAUSTED,
                   norkv_v1_Reason_REASON_STORE_FULL);
    assert_int_equal(nkv_rig_get(&rig, 0, "a", 0, 0).status, NKV_OK);
    nkv_rig_free(&rig);
}

static void a_damaged_entry_is_data_loss(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_flash_sim *flash = &rig->stores[0].flash;
    static const char value[] = "a value that can be found on the flash";
    uint32_t at = 0;

    nkv_rig_put(rig, "key", value);
    while (memcmp(flash->bytes + at, value, sizeof value - 1) != 0) {
        at++;
        assert_true(at < flash->size - sizeof value);
    }
    nkv_flash_sim_poke(flash, at + 3, 0);
    assert_int_equal(nkv_rig_get(rig, 0, "key", 0, 0).status, NKV_DATA_LOSS);
    assert_int_equal(nkv_rig_describe(rig, 0, "key").status, NKV_DATA_LOSS);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, nkv_rig_set_up, nkv_rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_put_comes_back_with_its_version_size_and_crc),
        TEST(an_empty_value_is_a_value),
        TEST(putting_the_same_value_keeps_its_version),
        TEST(stores_are_apart),
        TEST(an_unknown_store_is_named_as_the_reason),
        TEST(keys_have_1_to_63_bytes),
        cmocka_unit_test(the_largest_value_of_a_store_is_taken_and_no_larger),
        TEST(a_wrong_crc_is_refused_and_a_right_one_taken),
        TEST(no_such_key_is_not_found),
        TEST(a_large_value_comes_in_parts_each_with_the_crc_of_the_whole),
        TEST(parts_of_a_value_need_one_pass_for_its_crc),
        TEST(a_small_part_costs_no_more_than_a_large_one),
        TEST(the_crc_is_of_the_value_that_was_asked_for),
        TEST(the_end_of_a_value_is_empty_and_behind_it_is_out_of_range),
        TEST(a_conditional_put_needs_the_version_that_is_there),
        TEST(a_conditional_put_of_a_missing_key_needs_version_0),
        TEST(a_key_with_id_0_takes_no_conditional_write),
        TEST(a_conditional_delete_needs_the_version_that_is_there),
        cmocka_unit_test(a_full_key_table_is_told_from_a_full_store),
        TEST(a_damaged_entry_is_data_loss),
    };

    return cmocka_run_group_tests_name("store service", tests, NULL, NULL);
}
