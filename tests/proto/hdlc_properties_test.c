/* What must hold for every frame, whatever surrounds or damages it. */
#include "cmocka_all.h"
#include "collect.h"
#include "random.h"
#include <norkv/hdlc.h>
#include <stdlib.h>
#include <string.h>

enum { PAYLOAD_MAX = 300, ROOM = 512, NOISE_MAX = 40 };

/* What a decoder made of a stream. */
struct outcome {
    size_t good;
    size_t lost;
    size_t too_large;
    /* Of the good ones: how many carried the expected payload. */
    size_t expected;
};

static void count_event(struct outcome *outcome, enum nkv_status status,
                        const struct nkv_hdlc_frame *frame,
                        struct nkv_span expected)
{
    switch (status) {
    case NKV_OK:
        outcome->good++;
        outcome->expected +=
            frame->payload.size == expected.size &&
            (expected.size == 0 ||
             memcmp(frame->payload.data, expected.data, expected.size) == 0);
        break;
    case NKV_DATA_LOSS:
        outcome->lost++;
        break;
    case NKV_RESOURCE_EXHAUSTED:
        outcome->too_large++;
        break;
    default:
        assert_int_equal(status, NKV_UNAVAILABLE);
    }
}

static struct outcome decode_all(const struct nkv_collected *stream,
                                 size_t capacity, struct nkv_span expected)
{
    struct outcome outcome = {0};
    const struct nkv_buffer room = {malloc(capacity), capacity};
    struct nkv_hdlc_decoder decoder;
    nkv_hdlc_decoder_init(&decoder, room);
    for (size_t i = 0; i < stream->size; i++) {
        struct nkv_hdlc_frame frame = {0};
        const enum nkv_status status =
            nkv_hdlc_decode(&decoder, stream->data[i], &frame);
        count_event(&outcome, status, &frame, expected);
    }
    free(room.data);
    return outcome;
}

/* Half of the bytes are flags, escapes and their like. */
static struct nkv_span random_payload(uint64_t *random, uint8_t *to, size_t max)
{
    static const uint8_t special[] = {0x7E, 0x7D, 0x5E, 0x5D, 0x11, 0x13, 0};
    const size_t size = nkv_random_below(random, (uint32_t)max + 1);
    nkv_random_fill(random, to, size);
    for (size_t i = 0; i < size; i++) {
        if (nkv_random(random) % 2 == 0) {
            to[i] = special[nkv_random_below(random, sizeof special)];
        }
    }
    return (struct nkv_span){to, size};
}

static uint64_t random_address(uint64_t *random)
{
    const uint64_t wide =
        (uint64_t)nkv_random(random) << 32 | nkv_random(random);
    return wide >> nkv_random_below(random, 64);
}

static void every_payload_and_address_comes_back(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (unsigned round = 0; round < 3000; round++) {
        uint8_t bytes[PAYLOAD_MAX];
        uint8_t room[ROOM];
        const struct nkv_span payload =
            random_payload(&random, bytes, sizeof bytes);
        const uint64_t address = random_address(&random);
        struct nkv_collected stream;
        nkv_collect_init(&stream);
        nkv_collect_frame(&stream, address, payload);
        assert_true(stream.size <= nkv_hdlc_encoded_size_max(payload.size));

        struct nkv_hdlc_decoder decoder;
        struct nkv_hdlc_frame frame = {0};
        nkv_hdlc_decoder_init(&decoder, (struct nkv_buffer){room, ROOM});
        for (size_t i = 0; i + 1 < stream.size; i++) {
            assert_int_equal(nkv_hdlc_decode(&decoder, stream.data[i], &frame),
                             NKV_UNAVAILABLE);
        }
        assert_int_equal(nkv_hdlc_decode(&decoder, 0x7E, &frame), NKV_OK);
        assert_true(frame.address == address);
        assert_int_equal(frame.control, NKV_HDLC_CONTROL);
        assert_int_equal(frame.payload.size, payload.size);
        assert_memory_equal(frame.payload.data, bytes, payload.size);
    }
}

static void only_flags_and_escapes_are_escaped(void **state)
{
    (void)state;
    uint8_t all[256];
    for (unsigned i = 0; i < sizeof all; i++) {
        all[i] = (uint8_t)i;
    }
    struct nkv_collected stream;
    nkv_collect_init(&stream);
    nkv_collect_frame(&stream, 'R', (struct nkv_span){all, sizeof all});
    size_t escapes = 0;
    for (size_t i = 1; i + 1 < stream.size; i++) {
        assert_int_not_equal(stream.data[i], 0x7E);
        if (stream.data[i] == 0x7D) {
            escapes++;
            i++;
            assert_true(stream.data[i] == 0x5E || stream.data[i] == 0x5D);
        }
    }
    assert_true(escapes >= 2);
    assert_int_equal(stream.size,
                     2 + nkv_hdlc_content_size('R', sizeof all) + escapes);
}

/*
 * A frame between two others, with one of its bytes changed: it never arrives,
 * and its neighbours always do.
 */
static void check_flips(struct nkv_span payload)
{
    static const uint8_t other[] = {'o', 't', 'h', 'e', 'r'};
    const struct nkv_span neighbour = {other, sizeof other};
    struct nkv_collected stream;
    nkv_collect_init(&stream);
    nkv_collect_frame(&stream, 'R', neighbour);
    const size_t start = stream.size;
    nkv_collect_frame(&stream, 'R', payload);
    const size_t end = stream.size;
    nkv_collect_frame(&stream, 'R', neighbour);

    for (size_t at = start; at < end; at++) {
        for (unsigned flip = 1; flip < 256; flip++) {
            stream.data[at] ^= (uint8_t)flip;
            const struct outcome outcome = decode_all(&stream, ROOM, neighbour);
            stream.data[at] ^= (uint8_t)flip;
            assert_int_equal(outcome.good, 2);
            assert_int_equal(outcome.expected, 2);
            assert_true(outcome.lost >= 1);
        }
    }
}

static void no_changed_byte_gets_through_or_costs_a_neighbour(void **state)
{
    (void)state;
    uint64_t random = 2;
    for (unsigned round = 0; round < 20; round++) {
        uint8_t bytes[24];
        check_flips(random_payload(&random, bytes, sizeof bytes));
    }
}

static void no_cut_frame_gets_through_or_costs_the_next(void **state)
{
    (void)state;
    uint64_t random = 3;
    uint8_t bytes[PAYLOAD_MAX];
    const struct nkv_span payload =
        random_payload(&random, bytes, sizeof bytes);
    struct nkv_collected whole;
    nkv_collect_init(&whole);
    nkv_collect_frame(&whole, 'R', payload);
    for (size_t kept = 2; kept + 1 < whole.size; kept++) {
        struct nkv_collected stream;
        nkv_collect_init(&stream);
        nkv_collect_bytes(&stream, (struct nkv_span){whole.data, kept});
        nkv_collect_frame(&stream, 'R', payload);
        const struct outcome outcome = decode_all(&stream, ROOM, payload);
        assert_int_equal(outcome.good, 1);
        assert_int_equal(outcome.expected, 1);
        assert_int_equal(outcome.lost, 1);
    }
}

static void a_lost_closing_flag_costs_nothing(void **state)
{
    (void)state;
    static const uint8_t text[] = {'t', 'e', 'x', 't'};
    const struct nkv_span payload = {text, sizeof text};
    struct nkv_collected stream;
    nkv_collect_init(&stream);
    for (unsigned i = 0; i < 5; i++) {
        nkv_collect_frame(&stream, 'R', payload);
        stream.size--;
    }
    const struct outcome outcome = decode_all(&stream, ROOM, payload);
    assert_int_equal(outcome.expected, 4);
    assert_int_equal(outcome.lost, 0);
}

static void noise_between_frames_costs_no_frame(void **state)
{
    (void)state;
    uint64_t random = 4;
    for (unsigned round = 0; round < 2000; round++) {
        uint8_t bytes[PAYLOAD_MAX];
        uint8_t noise[NOISE_MAX];
        const struct nkv_span payload = random_payload(&random, bytes, 60);
        struct nkv_collected stream;
        nkv_collect_init(&stream);
        for (unsigned i = 0; i < 10; i++) {
            nkv_collect_bytes(&stream,
                              random_payload(&random, noise, sizeof noise));
            nkv_collect_frame(&stream, 'R', payload);
        }
        const struct outcome outcome = decode_all(&stream, ROOM, payload);
        assert_int_equal(outcome.good, 10);
        assert_int_equal(outcome.expected, 10);
    }
}

static void flags_in_a_row_are_silent(void **state)
{
    (void)state;
    struct nkv_collected stream;
    nkv_collect_init(&stream);
    memset(stream.data, 0x7E, 1000);
    stream.size = 1000;
    const struct outcome outcome =
        decode_all(&stream, NKV_HDLC_CONTENT_MIN, (struct nkv_span){0});
    assert_int_equal(outcome.good + outcome.lost + outcome.too_large, 0);
}

/* One frame for each room around its content size, then a small one. */
static void check_room(struct nkv_collected *stream, size_t content,
                       struct nkv_span small)
{
    for (size_t capacity = NKV_HDLC_CONTENT_MIN; capacity <= content + 2;
         capacity++) {
        const struct outcome outcome = decode_all(stream, capacity, small);
        const size_t small_content = nkv_hdlc_content_size('R', small.size);
        const size_t small_fits = small_content <= capacity;
        assert_int_equal(outcome.lost, 0);
        assert_int_equal(outcome.expected, small_fits);
        assert_int_equal(outcome.good, small_fits + (content <= capacity));
        assert_int_equal(outcome.too_large + outcome.good, 2);
    }
}

static void a_frame_too_large_is_told_and_the_next_one_arrives(void **state)
{
    (void)state;
    static const uint8_t small[] = {'s', 'm', 'a', 'l', 'l'};
    uint64_t random = 5;
    for (unsigned round = 0; round < 20; round++) {
        uint8_t bytes[PAYLOAD_MAX];
        const struct nkv_span payload =
            random_payload(&random, bytes, sizeof bytes);
        struct nkv_collected stream;
        nkv_collect_init(&stream);
        nkv_collect_frame(&stream, 'R', payload);
        nkv_collect_frame(&stream, 'R', (struct nkv_span){small, 5});
        check_room(&stream, nkv_hdlc_content_size('R', payload.size),
                   (struct nkv_span){small, 5});
    }
}

static void a_damaged_frame_too_large_is_only_lost(void **state)
{
    (void)state;
    uint8_t bytes[PAYLOAD_MAX] = {0};
    struct nkv_collected stream;
    nkv_collect_init(&stream);
    nkv_collect_frame(&stream, 'R', (struct nkv_span){bytes, sizeof bytes});
    for (size_t at = 1; at + 1 < stream.size; at++) {
        stream.data[at] ^= 0x40;
        const struct outcome outcome =
            decode_all(&stream, NKV_HDLC_CONTENT_MIN, (struct nkv_span){0});
        stream.data[at] ^= 0x40;
        assert_int_equal(outcome.good + outcome.too_large, 0);
        assert_true(outcome.lost >= 1);
    }
}

static void an_error_of_the_sink_ends_the_frame(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 0x7E, 2, 0x7D, 3};
    const struct nkv_span payload = {bytes, sizeof bytes};
    size_t failures = 0;
    struct nkv_collected out;
    nkv_collect_init(&out);
    const struct nkv_hdlc_sink sink = nkv_collect_sink(&out);
    for (;; failures++) {
        out.writes_left = failures;
        out.size = 0;
        const enum nkv_status status = nkv_hdlc_encode(&sink, 'R', payload);
        if (status == NKV_OK) {
            break;
        }
        assert_int_equal(status, NKV_ABORTED);
        assert_int_equal(out.writes_left, 0);
    }
    assert_true(failures >= 4);
    assert_int_equal(out.data[out.size - 1], 0x7E);
}

static void two_decoders_do_not_disturb_each_other(void **state)
{
    (void)state;
    uint8_t rooms[2][ROOM];
    struct nkv_hdlc_decoder decoders[2];
    static const uint8_t texts[2][4] = {"one", "two"};
    struct nkv_collected streams[2];
    for (unsigned i = 0; i < 2; i++) {
        nkv_hdlc_decoder_init(&decoders[i],
                              (struct nkv_buffer){rooms[i], ROOM});
        nkv_collect_init(&streams[i]);
        nkv_collect_frame(&streams[i], 'R', (struct nkv_span){texts[i], 4});
    }
    assert_int_equal(streams[0].size, streams[1].size);
    struct nkv_hdlc_frame frame;
    for (size_t at = 0; at < streams[0].size; at++) {
        const bool last = at + 1 == streams[0].size;
        for (unsigned i = 0; i < 2; i++) {
            assert_int_equal(
                nkv_hdlc_decode(&decoders[i], streams[i].data[at], &frame),
                last ? NKV_OK : NKV_UNAVAILABLE);
            if (last) {
                assert_int_equal(frame.payload.size, 4);
                assert_memory_equal(frame.payload.data, texts[i], 4);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_payload_and_address_comes_back),
        cmocka_unit_test(only_flags_and_escapes_are_escaped),
        cmocka_unit_test(no_changed_byte_gets_through_or_costs_a_neighbour),
        cmocka_unit_test(no_cut_frame_gets_through_or_costs_the_next),
        cmocka_unit_test(a_lost_closing_flag_costs_nothing),
        cmocka_unit_test(noise_between_frames_costs_no_frame),
        cmocka_unit_test(flags_in_a_row_are_silent),
        cmocka_unit_test(a_frame_too_large_is_told_and_the_next_one_arrives),
        cmocka_unit_test(a_damaged_frame_too_large_is_only_lost),
        cmocka_unit_test(an_error_of_the_sink_ends_the_frame),
        cmocka_unit_test(two_decoders_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
