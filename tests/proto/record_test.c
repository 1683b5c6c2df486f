/* Records and digests: docs/protocol.md, Records. */
#include "cmocka_all.h"
#include <norkv/record.h>
#include <string.h>

#define SPAN(text)                                                             \
    ((struct nkv_span){(const uint8_t *)(text), sizeof(text) - 1})

static void a_record_looks_as_documented(void **state)
{
    static const uint8_t expected[] = {3, 0x82, 0x01, 'm', 'a', 'c'};
    uint8_t head[NKV_RECORD_HEAD_MAX];

    (void)state;
    assert_int_equal(nkv_record_head(head, SPAN("mac"), 130), sizeof expected);
    assert_memory_equal(head, expected, sizeof expected);
    assert_int_equal(nkv_record_size(3, 130), sizeof expected + 130);
}

static void records_come_back_in_their_order(void **state)
{
    struct nkv_span stream = SPAN("\1\2kv1\2\0k2");
    struct nkv_record record;

    (void)state;
    assert_int_equal(nkv_record_next(&stream, &record), NKV_OK);
    assert_int_equal(record.key.size, 1);
    assert_memory_equal(record.value.data, "v1", 2);
    assert_int_equal(nkv_record_next(&stream, &record), NKV_OK);
    assert_memory_equal(record.key.data, "k2", 2);
    assert_int_equal(record.value.size, 0);
    assert_int_equal(nkv_record_next(&stream, &record), NKV_NOT_FOUND);
}

static void what_is_no_record_is_left_where_it_is(void **state)
{
    static const struct nkv_span wrong[] = {
        /* No key, one too long, cut in each part, a size that is too long. */
        {(const uint8_t *)"\0\1v", 3},
        {(const uint8_t *)"\x40\0", 2},
        {(const uint8_t *)"\1", 1},
        {(const uint8_t *)"\1\1k", 3},
        {(const uint8_t *)"\2\0k", 3},
        {(const uint8_t *)"\1\x80", 2},
        {(const uint8_t *)"\x81\0\0k", 4},
        {(const uint8_t *)"\1\x81\0kv", 5},
        {(const uint8_t *)"\1\xFF\xFF\x04k", 5},
    };
    struct nkv_record record;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct nkv_span rest = wrong[i];

        assert_int_equal(nkv_record_next(&rest, &record), NKV_DATA_LOSS);
        assert_ptr_equal(rest.data, wrong[i].data);
        assert_int_equal(rest.size, wrong[i].size);
    }
}

static void the_hash_is_fnv_1a(void **state)
{
    (void)state;
    assert_true(nkv_fnv64(NKV_FNV64_START, (const uint8_t *)"foobar", 6) ==
                UINT64_C(0x85944171F73967E8));
    assert_true(nkv_fnv64(nkv_fnv64(NKV_FNV64_START, (const uint8_t *)"foo", 3),
                          (const uint8_t *)"bar",
                          3) == UINT64_C(0x85944171F73967E8));
}

static void a_digest_tells_contents_and_not_order(void **state)
{
    struct nkv_digest one = {0}, other = {0}, swapped = {0};

    (void)state;
    nkv_digest_add(&one, SPAN("a"), SPAN("x"));
    nkv_digest_add(&one, SPAN("b"), SPAN("yy"));
    nkv_digest_add(&other, SPAN("b"), SPAN("yy"));
    nkv_digest_add(&other, SPAN("a"), SPAN("x"));
    nkv_digest_add(&swapped, SPAN("a"), SPAN("yy"));
    nkv_digest_add(&swapped, SPAN("b"), SPAN("x"));
    assert_true(one.sum == other.sum);
    assert_int_equal(one.records, 2);
    assert_int_equal(one.bytes, 5);
    assert_true(one.sum != swapped.sum);
    /* docs/protocol.md has this one as its example. */
    other = (struct nkv_digest){0};
    nkv_digest_add(&other, SPAN("mac"), SPAN("\x02\xAF\x12\x34\x56\x78"));
    assert_true(other.sum == UINT64_C(0xEEBE88A88170F780));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_looks_as_documented),
        cmocka_unit_test(records_come_back_in_their_order),
        cmocka_unit_test(what_is_no_record_is_left_where_it_is),
        cmocka_unit_test(the_hash_is_fnv_1a),
        cmocka_unit_test(a_digest_tells_contents_and_not_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
