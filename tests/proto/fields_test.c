/* Messages by tables of their fields: every kind, both ways. */
#include "cmocka_all.h"
#include "random.h"
#include <norkv/fields.h>
#include <stdlib.h>
#include <string.h>

enum small { SMALL_NONE, SMALL_LAST = 255 };

/* One member of each kind, and a part. */
struct message {
    uint32_t number;
    bool has_part;
    struct {
        uint32_t number;
        struct nkv_span text;
    } part;
    bool flag;
    uint8_t small;
    uint32_t fixed;
    struct nkv_span bytes;
    struct nkv_span made;
    /* In one direction only. */
    uint64_t wide;
};

#define AT(member) offsetof(struct message, member)
#define KEY(number, type) NKV_FIELD_KEY(number, NKV_WIRE_##type)

static const struct nkv_field fields[] = {
    {KEY(1, VARINT), NKV_FIELD_UINT32, AT(number)},
    {KEY(2, BYTES), NKV_FIELD_PART, AT(has_part)},
    {KEY(1, VARINT), NKV_FIELD_UINT32, AT(part.number)},
    {KEY(3, BYTES), NKV_FIELD_BYTES, AT(part.text)},
    {0, NKV_FIELD_PART_END, AT(has_part)},
    {KEY(3, VARINT), NKV_FIELD_BOOL, AT(flag)},
    {KEY(4, VARINT), NKV_FIELD_UINT8, AT(small)},
    {KEY(5, FIXED32), NKV_FIELD_FIXED32, AT(fixed)},
    {KEY(6, BYTES), NKV_FIELD_BYTES, AT(bytes)},
    {KEY(7, FIXED64), NKV_FIELD_FIXED64, AT(wide)},
    {KEY(15, BYTES), NKV_FIELD_MADE, AT(made)},
    {0, NKV_FIELD_END, 0}};

#define SPAN(text)                                                             \
    ((struct nkv_span){(const uint8_t *)(text), sizeof(text) - 1})

static bool is_same_span(struct nkv_span one, struct nkv_span other)
{
    return one.size == other.size &&
           (one.size == 0 || memcmp(one.data, other.data, one.size) == 0);
}

static void expect_same(const struct message *got,
                        const struct message *expected)
{
    assert_int_equal(got->number, expected->number);
    assert_int_equal(got->has_part, expected->has_part);
    assert_int_equal(got->part.number, expected->part.number);
    assert_true(is_same_span(got->part.text, expected->part.text));
    assert_int_equal(got->flag, expected->flag);
    assert_int_equal(got->small, expected->small);
    assert_int_equal(got->fixed, expected->fixed);
    assert_true(is_same_span(got->bytes, expected->bytes));
}

/* From a copy that ends where the bytes do, so that a sanitizer sees it when
 * more is read. */
static bool decode(struct nkv_span bytes, bool strict, struct message *to)
{
    uint8_t *copy = malloc(bytes.size + 1);
    bool good;

    assert_non_null(copy);
    memcpy(copy + 1, bytes.data, bytes.size);
    memset(to, 0, sizeof *to);
    good = nkv_fields_decode((struct nkv_span){copy + 1, bytes.size}, fields,
                             strict, to);
    if (good) {
        struct message again = {.number = 0};

        assert_true(nkv_fields_decode(bytes, fields, strict, &again));
        expect_same(to, &again);
        *to = again;
    }
    free(copy);
    return good;
}

/* Written into just as much room as it takes, and not into one byte less. */
static size_t encode(const struct message *message, uint8_t *to,
                     size_t capacity)
{
    struct nkv_span encoded = {NULL, 0};
    uint8_t *tight;

    assert_true(nkv_fields_encode((struct nkv_buffer){to, capacity}, fields,
                                  message, &encoded));
    tight = malloc(encoded.size + 1);
    assert_non_null(tight);
    for (size_t size = 0; size <= encoded.size; size++) {
        struct nkv_buffer room = {tight, size};

        assert_int_equal(nkv_fields_prepend(&room, 0, fields, message),
                         size == encoded.size);
        assert_int_equal(room.capacity, size == encoded.size ? 0 : size);
    }
    assert_memory_equal(tight, encoded.data, encoded.size);
    free(tight);
    memmove(to, encoded.data, encoded.size);
    return encoded.size;
}

static void fields_are_written_in_order_and_empty_ones_left_out(void **state)
{
    static const uint8_t expected[] =
        "\x08\x96\x01\x12\x05\x08\x07\x1a\x01t\x18\x01\x20\xff\x01\x2d\4\3\2\1"
        "\x32\x03"
        "key\x39\x08\7\6\5\4\3\2\1\x7a\x01m";
    const struct message message = {
        .number = 150,
        .has_part = true,
        .part = {.number = 7, .text = SPAN("t")},
        .flag = true,
        .small = SMALL_LAST,
        .fixed = 0x01020304,
        .bytes = SPAN("key"),
        .wide = UINT64_C(0x0102030405060708),
        .made = SPAN("\x7a\x01m"),
    };
    const struct message nothing = {.number = 0};
    const struct message empty_part = {.has_part = true};
    const struct message no_part = {.part.number = 5};
    uint8_t bytes[64];

    (void)state;
    assert_int_equal(encode(&message, bytes, sizeof bytes),
                     sizeof expected - 1);
    assert_memory_equal(bytes, expected, sizeof expected - 1);
    assert_int_equal(encode(&nothing, bytes, sizeof bytes), 0);
    assert_int_equal(encode(&no_part, bytes, sizeof bytes), 0);
    assert_int_equal(encode(&empty_part, bytes, sizeof bytes), 2);
    assert_memory_equal(bytes, "\x12\x00", 2);
}

static void a_message_is_a_field_of_another(void **state)
{
    const struct message message = {.number = 1};
    uint8_t bytes[8];
    struct nkv_buffer room = {bytes, sizeof bytes};

    (void)state;
    assert_true(nkv_fields_prepend(&room, 11, fields, &message));
    assert_true(nkv_fields_prepend(&room, 1, fields, &message));
    assert_int_equal(room.capacity, 0);
    assert_memory_equal(bytes, "\x0a\x02\x08\x01\x5a\x02\x08\x01", 8);
    assert_false(nkv_fields_prepend(&room, 1, fields, &message));
}

static void bytes_may_lie_in_the_room(void **state)
{
    uint8_t bytes[16] = "value";
    const struct message message = {.bytes = {bytes, 5}, .fixed = 1};
    struct nkv_span encoded;

    (void)state;
    assert_true(nkv_fields_encode((struct nkv_buffer){bytes, sizeof bytes},
                                  fields, &message, &encoded));
    assert_true(is_same_span(encoded, SPAN("\x2d\1\0\0\0\x32\x05value")));
}

static void parts_are_read_wherever_they_stand(void **state)
{
    struct message got;

    (void)state;
    /* Twice, with an unknown field within and behind, and what is 1 in the part
     * and 1 in the message told apart. */
    assert_true(decode(SPAN("\x12\x02\x08\x05\x08\x09\x12\x05\x22\x01x\x08\x06"
                            "\x18\x01"),
                       true, &got));
    assert_true(got.has_part && got.flag);
    assert_int_equal(got.part.number, 6);
    assert_int_equal(got.number, 9);
    assert_true(decode(SPAN("\x12\x00"), true, &got));
    assert_true(got.has_part);
    /* A field that reaches out of its part. */
    assert_false(decode(SPAN("\x12\x02\x1a\x03xyz"), true, &got));
    assert_false(decode(SPAN("\x12\x01\x08\x05"), true, &got));
}

static void strict_refuses_what_does_not_fit_its_member(void **state)
{
    const struct nkv_span odd[] = {
        /* Another wire type. */
        SPAN("\x0d\1\1\1\1"), SPAN("\x10\x01"), SPAN("\x30\x01"),
        SPAN("\x1a\x01x"), SPAN("\x12\x02\x0a\x00"),
        SPAN("\x79\1\1\1\1\1\1\1\1"),
        /* A number that is too large. */
        SPAN("\x08\x80\x80\x80\x80\x10"),
        SPAN("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"),
        SPAN("\x20\x80\x02")};
    struct message got;

    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        assert_false(decode(odd[i], true, &got));
        assert_true(decode(odd[i], false, &got));
    }
    assert_true(
        decode(SPAN("\x08\xff\xff\xff\xff\x0f\x20\xff\x01"), true, &got));
    assert_int_equal(got.number, UINT32_MAX);
    assert_int_equal(got.small, SMALL_LAST);
    /* Any number is true, but 0. */
    assert_true(decode(SPAN("\x18\x80\x80\x80\x80\x10"), true, &got));
    assert_true(got.flag);
    assert_true(decode(SPAN("\x18\x01\x18\x80\x00"), true, &got));
    assert_false(got.flag);
}

static void random_messages_come_back(void **state)
{
    uint64_t random = 1;

    (void)state;
    for (unsigned round = 0; round < 2000; round++) {
        uint8_t text[40];
        uint8_t bytes[256];
        struct message got;
        struct message message = {
            .number = nkv_random(&random) >> nkv_random_below(&random, 32),
            .has_part = nkv_random_below(&random, 2) != 0,
            .flag = nkv_random_below(&random, 2) != 0,
            .small = (uint8_t)nkv_random(&random),
            .fixed = nkv_random(&random),
            .bytes = {text, nkv_random_below(&random, sizeof text + 1)},
        };
        size_t size;

        nkv_random_fill(&random, text, sizeof text);
        if (message.has_part) {
            message.part.number = nkv_random(&random);
            message.part.text = (struct nkv_span){
                text, nkv_random_below(&random, sizeof text + 1)};
        }
        size = encode(&message, bytes, sizeof bytes);
        assert_true(decode((struct nkv_span){bytes, size}, true, &got));
        expect_same(&got, &message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_written_in_order_and_empty_ones_left_out),
        cmocka_unit_test(a_message_is_a_field_of_another),
        cmocka_unit_test(bytes_may_lie_in_the_room),
        cmocka_unit_test(parts_are_read_wherever_they_stand),
        cmocka_unit_test(strict_refuses_what_does_not_fit_its_member),
        cmocka_unit_test(random_messages_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
