/* What must hold for every packet, also for bytes that are none. */
#include "cmocka_all.h"
#include "packet_check.h"
#include "random.h"
#include <norkv/packet.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS = 7, PAYLOAD_MAX = 40, BYTES_MAX = 256 };

/* A text of bytes in a test, which may hold zeros. */
#define SPAN(text)                                                             \
    ((struct nkv_span){(const uint8_t *)(text), sizeof(text) - 1})

struct bytes {
    uint8_t data[BYTES_MAX];
    size_t size;
};

static void append(struct bytes *bytes, struct nkv_span more)
{
    assert_true(more.size <= sizeof bytes->data - bytes->size);
    if (more.size > 0) {
        memcpy(bytes->data + bytes->size, more.data, more.size);
    }
    bytes->size += more.size;
}

static struct nkv_span span_of(const struct bytes *bytes)
{
    return (struct nkv_span){bytes->data, bytes->size};
}

/* The fields of one packet, whose payload is the text "payload". */
static const struct nkv_span fields[FIELDS] = {
    {(const uint8_t *)"\x08\x07", 2},
    {(const uint8_t *)"\x10\x81\x01", 3},
    {(const uint8_t *)"\x1d\x0e\xd4\xa7\x35", 5},
    {(const uint8_t *)"\x25\xed\xc5\x19\x47", 5},
    {(const uint8_t *)"\x2a\x07payload", 9},
    {(const uint8_t *)"\x30\x05", 2},
    {(const uint8_t *)"\x38\xff\xff\xff\xff\x0f", 6}};

static const struct nkv_packet all_fields = {
    .type = 7,
    .channel_id = 129,
    .service_id = 0x35A7D40E,
    .method_id = 0x4719C5ED,
    .call_id = NKV_CALL_ID_ANY,
    .status = 5,
    .payload = {(const uint8_t *)"payload", 7}};

static void check_order(const unsigned *order)
{
    struct bytes bytes = {.size = 0};
    for (unsigned i = 0; i < FIELDS; i++) {
        append(&bytes, fields[order[i]]);
    }
    nkv_check_decodes_to(span_of(&bytes), &all_fields);
}

/* Heap's way through all orders. Returns how many there were. */
static unsigned check_orders(unsigned *order)
{
    unsigned counters[FIELDS] = {0};
    unsigned checked = 1;
    check_order(order);
    for (unsigned i = 1; i < FIELDS;) {
        if (counters[i] == i) {
            counters[i++] = 0;
            continue;
        }
        const unsigned other = i % 2 == 0 ? 0 : counters[i];
        const unsigned swapped = order[i];
        order[i] = order[other];
        order[other] = swapped;
        counters[i]++;
        i = 1;
        check_order(order);
        checked++;
    }
    return checked;
}

static void fields_come_in_any_order(void **state)
{
    (void)state;
    unsigned order[FIELDS] = {0, 1, 2, 3, 4, 5, 6};
    assert_int_equal(check_orders(order), 5040);
}

static void the_last_field_of_a_kind_wins(void **state)
{
    (void)state;
    struct bytes bytes = {.size = 0};
    append(&bytes, SPAN("\x08\x01\x10\x02\x1d\1\1\1\1\x25\2\2\2\2"
                        "\x2a\x03xyz\x30\x0e\x38\x09"));
    for (unsigned i = 0; i < FIELDS; i++) {
        append(&bytes, fields[i]);
    }
    nkv_check_decodes_to(span_of(&bytes), &all_fields);

    /* A zero, or an empty payload, that is sent is not a missing one. */
    append(&bytes, SPAN("\x08\x00\x10\x00\x1d\0\0\0\0\x25\0\0\0\0"
                        "\x2a\x00\x30\x00\x38\x00"));
    const struct nkv_packet empty = {.type = NKV_PACKET_REQUEST};
    nkv_check_decodes_to(span_of(&bytes), &empty);
}

static void unknown_fields_are_skipped_wherever_they_stand(void **state)
{
    (void)state;
    const struct nkv_span unknown[] = {
        SPAN("\x40\x05"), SPAN("\x41\1\2\3\4\5\6\7\x08"),
        SPAN("\x42\x03\x08\x01\x10"), SPAN("\x45\1\2\3\4"), SPAN("\x42\x00"),
        SPAN("\xf8\xff\xff\xff\x0f\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        /* Known numbers under a wire type that is not theirs. */
        SPAN("\x0d\x01\x01\x01\x01"), SPAN("\x12\x01\x05"), SPAN("\x18\x01"),
        SPAN("\x21\1\1\1\1\1\1\1\1"), SPAN("\x28\x02"), SPAN("\x35\1\1\1\1"),
        SPAN("\x3a\x01\x01")};
    for (size_t k = 0; k < sizeof unknown / sizeof unknown[0]; k++) {
        for (unsigned place = 0; place <= FIELDS; place++) {
            struct bytes bytes = {.size = 0};
            for (unsigned i = 0; i < FIELDS; i++) {
                append(&bytes, i == place ? unknown[k] : SPAN(""));
                append(&bytes, fields[i]);
            }
            append(&bytes, place == FIELDS ? unknown[k] : SPAN(""));
            nkv_check_decodes_to(span_of(&bytes), &all_fields);
        }
    }
}

static void varints_may_be_longer_than_needed(void **state)
{
    (void)state;
    const struct nkv_packet expected = {
        .type = 1, .channel_id = 1, .payload = {(const uint8_t *)"p", 1}};
    /* Values, a key and a length; ten bytes, and five of a key, are most. */
    nkv_check_decodes_to(SPAN("\x08\x81\x00\x10\x81\x80\x80\x80\x80\x80\x80\x80"
                              "\x80\x00\x2a\x81\x80\x00p"),
                         &expected);
    nkv_check_decodes_to(SPAN("\x88\x00\x01\x90\x80\x80\x80\x00\x01\x2a\x01p"),
                         &expected);
}

static void wide_varints_keep_their_low_bits(void **state)
{
    (void)state;
    const struct nkv_packet expected = {
        .type = 0xFFFFFFFF, .channel_id = 0, .call_id = 5};
    nkv_check_decodes_to(SPAN("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
                              "\x10\x80\x80\x80\x80\x10"
                              "\x38\x85\x80\x80\x80\xf0\x7f"),
                         &expected);
}

static void bytes_that_are_no_packet_are_refused(void **state)
{
    (void)state;
    const struct nkv_span bad[] = {
        /* Field number 0; a key without end, too long, beyond 32 bits. */
        SPAN("\x00\x01"), SPAN("\x02\x00"), SPAN("\x88"),
        SPAN("\x88\x80\x80\x80\x80\x00\x01"), SPAN("\x88\x80\x80\x80\x10\x01"),
        /* Groups, and wire types that do not exist. */
        SPAN("\x0b\x0c"), SPAN("\x43\x44"), SPAN("\x44"), SPAN("\x0e\x01"),
        SPAN("\x0f\x01"),
        /* A value that is missing, without end, too long. */
        SPAN("\x08"), SPAN("\x08\xff"),
        SPAN("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"),
        /* Fixed ones cut short. */
        SPAN("\x1d\x01\x02\x03"), SPAN("\x25"), SPAN("\x41\1\2\3\4\5\6\7"),
        /* Lengths beyond the end. */
        SPAN("\x2a\x01"), SPAN("\x2a\x05pppp"),
        SPAN("\x2a\xff\xff\xff\xff\x0f"),
        SPAN("\x2a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01p"),
        SPAN("\x2a\x81\x80\x80\x80\x10p"),
        SPAN("\x42\xfb\xff\xff\xff\xff\xff\xff\xff\xff\x01pppppppp")};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        nkv_check_decodes_to(bad[i], NULL);
        struct bytes bytes = {.size = 0};
        for (unsigned k = 0; k < FIELDS; k++) {
            append(&bytes, fields[k]);
        }
        append(&bytes, bad[i]);
        nkv_check_decodes_to(span_of(&bytes), NULL);
    }
}

static void nothing_is_a_packet_of_zeros(void **state)
{
    (void)state;
    const struct nkv_packet empty = {.type = NKV_PACKET_REQUEST};
    nkv_check_decodes_to(SPAN(""), &empty);
    struct nkv_packet packet;
    assert_int_equal(nkv_packet_decode((struct nkv_span){NULL, 0}, &packet),
                     NKV_OK);
}

static void a_packet_cut_short_is_refused_or_lacks_only_fields(void **state)
{
    (void)state;
    struct bytes bytes = {.size = 0};
    size_t ends[FIELDS];
    for (unsigned i = 0; i < FIELDS; i++) {
        append(&bytes, fields[i]);
        ends[i] = bytes.size;
    }
    unsigned at_end = 0;
    for (size_t size = 1; size < bytes.size; size++) {
        if (size == ends[at_end]) {
            at_end++;
            continue;
        }
        nkv_check_decodes_to((struct nkv_span){bytes.data, size}, NULL);
    }
    assert_int_equal(at_end, FIELDS - 1);
}

/* A number of any width, often 0. */
static uint32_t random_number(uint64_t *random)
{
    return nkv_random(random) >> nkv_random_below(random, 32) & ~UINT32_C(1);
}

static struct nkv_packet random_packet(uint64_t *random, uint8_t *payload)
{
    const size_t size = nkv_random_below(random, PAYLOAD_MAX + 1);
    nkv_random_fill(random, payload, size);
    return (struct nkv_packet){.type = random_number(random),
                               .channel_id = random_number(random),
                               .service_id = random_number(random),
                               .method_id = random_number(random),
                               .call_id = random_number(random),
                               .status = random_number(random),
                               .payload = {payload, size}};
}

/* Both ways of writing give the same, and say when room is short. */
static void check_encode(const struct nkv_packet *packet)
{
    uint8_t whole[BYTES_MAX];
    uint8_t head[BYTES_MAX];
    size_t whole_size = 0;
    size_t head_size = 0;
    const struct nkv_buffer room = {whole, sizeof whole};
    assert_int_equal(nkv_packet_encode(packet, room, &whole_size), NKV_OK);
    const struct nkv_buffer head_room = {head, sizeof head};
    assert_int_equal(nkv_packet_encode_head(packet, head_room, &head_size),
                     NKV_OK);
    assert_int_equal(head_size + packet->payload.size, whole_size);
    assert_memory_equal(head + sizeof head - head_size, whole, head_size);
    nkv_check_decodes_to((struct nkv_span){whole, whole_size}, packet);

    const size_t capacity = whole_size - 1;
    const struct nkv_buffer tight = {malloc(whole_size), whole_size};
    const struct nkv_buffer small = {malloc(capacity), capacity};
    size_t size = 99999;
    assert_int_equal(nkv_packet_encode(packet, small, &size),
                     NKV_RESOURCE_EXHAUSTED);
    assert_int_equal(nkv_packet_encode(packet, tight, &size), NKV_OK);
    assert_int_equal(size, whole_size);
    free(tight.data);
    free(small.data);
}

static void every_packet_comes_back(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (unsigned round = 0; round < 5000; round++) {
        uint8_t payload[PAYLOAD_MAX];
        struct nkv_packet packet = random_packet(&random, payload);
        packet.channel_id |= 1;
        check_encode(&packet);
    }
}

static void a_packet_is_never_written_past_its_room(void **state)
{
    (void)state;
    struct bytes bytes = {.size = 0};
    for (unsigned i = 0; i < FIELDS; i++) {
        append(&bytes, fields[i]);
    }
    for (size_t capacity = 0; capacity < bytes.size; capacity++) {
        const struct nkv_buffer room = {malloc(capacity), capacity};
        size_t size;
        assert_int_equal(nkv_packet_encode(&all_fields, room, &size),
                         NKV_RESOURCE_EXHAUSTED);
        free(room.data);
    }
}

static void the_widest_packet_keeps_the_promised_overhead(void **state)
{
    (void)state;
    static uint8_t bytes[NKV_PACKET_OVERHEAD_MAX];
    const struct nkv_packet widest = {.type = 127,
                                      .channel_id = UINT32_MAX,
                                      .service_id = UINT32_MAX,
                                      .method_id = UINT32_MAX,
                                      .call_id = UINT32_MAX,
                                      .status = 127,
                                      .payload = {NULL, UINT32_MAX}};
    size_t size = 0;
    assert_int_equal(
        nkv_packet_encode_head(&widest,
                               (struct nkv_buffer){bytes, sizeof bytes}, &size),
        NKV_OK);
    assert_int_equal(size, NKV_PACKET_OVERHEAD_MAX);
}

/* Random bytes, or a good packet with some bytes changed. */
static void make_doubtful(uint64_t *random, struct bytes *bytes)
{
    bytes->size = nkv_random_below(random, 64);
    nkv_random_fill(random, bytes->data, bytes->size);
    if (nkv_random(random) % 4 == 0) {
        return;
    }
    bytes->size = 0;
    for (unsigned i = 0; i < FIELDS; i++) {
        append(bytes, fields[i]);
    }
    for (unsigned i = nkv_random_below(random, 4); i > 0; i--) {
        bytes->data[nkv_random_below(random, (uint32_t)bytes->size)] =
            (uint8_t)nkv_random(random);
    }
}

static void no_bytes_lead_outside_themselves(void **state)
{
    (void)state;
    uint64_t random = 2;
    unsigned good = 0;
    unsigned refused = 0;
    for (unsigned round = 0; round < 50000; round++) {
        struct bytes bytes;
        make_doubtful(&random, &bytes);
        struct nkv_packet packet;
        if (nkv_packet_decode(span_of(&bytes), &packet) != NKV_OK) {
            refused++;
            continue;
        }
        good++;
        const uint8_t *payload = packet.payload.data;
        assert_true(packet.payload.size == 0 ||
                    (payload >= bytes.data &&
                     payload + packet.payload.size <= bytes.data + bytes.size));
        uint8_t again[BYTES_MAX];
        size_t size = 0;
        assert_int_equal(
            nkv_packet_encode(&packet, (struct nkv_buffer){again, sizeof again},
                              &size),
            NKV_OK);
        nkv_check_decodes_to((struct nkv_span){again, size}, &packet);
    }
    assert_true(good > 1000 && refused > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_come_in_any_order),
        cmocka_unit_test(the_last_field_of_a_kind_wins),
        cmocka_unit_test(unknown_fields_are_skipped_wherever_they_stand),
        cmocka_unit_test(varints_may_be_longer_than_needed),
        cmocka_unit_test(wide_varints_keep_their_low_bits),
        cmocka_unit_test(bytes_that_are_no_packet_are_refused),
        cmocka_unit_test(nothing_is_a_packet_of_zeros),
        cmocka_unit_test(a_packet_cut_short_is_refused_or_lacks_only_fields),
        cmocka_unit_test(every_packet_comes_back),
        cmocka_unit_test(a_packet_is_never_written_past_its_room),
        cmocka_unit_test(the_widest_packet_keeps_the_promised_overhead),
        cmocka_unit_test(no_bytes_lead_outside_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
