/* What the server makes of a bad line: silence, counters, and the next good
 * frame. */
#include "messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* All that there were when this was written. */
enum { METHODS_MIN = 14 };

/* Reads a frame with a get of "key" into to; returns its size. */
static size_t make_get(struct nkv_rig *rig, uint8_t *to, size_t capacity)
{
    static const uint8_t payload[] = {0x12, 3, 'k', 'e', 'y'};
    size_t size;

    rig->input_size = 0;
    rig->input_taken = 0;
    (void)nkv_rig_request(rig, NKV_SERVICE_STORE, NKV_METHOD_STORE_GET,
                          (struct nkv_span){payload, sizeof payload});
    size = rig->input_size;
    assert_true(size <= capacity);
    memcpy(to, rig->input, size);
    rig->input_size = 0;
    return size;
}

static void expect_one_answer(struct nkv_rig *rig)
{
    nkv_rig_run(rig);
    assert_int_equal(rig->frame_count, 1);
    assert_int_equal(nkv_rig_packet(rig, 0).type, NKV_PACKET_RESPONSE);
}

static void expect_silence(struct nkv_rig *rig)
{
    nkv_rig_run(rig);
    assert_int_equal(rig->frame_count, 0);
}

static void a_frame_cut_anywhere_costs_only_itself(void **state)
{
    struct nkv_rig *rig = *state;
    uint8_t frame[64];
    size_t size = make_get(rig, frame, sizeof frame);

    for (size_t cut = 0; cut < size - 1; cut++) {
        nkv_rig_send_bytes(rig, frame, cut);
        expect_silence(rig);
        nkv_rig_send_bytes(rig, frame, size);
        expect_one_answer(rig);
    }
    assert_int_equal(nkv_server_line_counters(&rig->server)->bad_frames,
                     size - 3);
    assert_int_equal(nkv_rig_statistics(rig, 0).line.bad_frames, size - 3);
}

static void the_flag_that_opens_a_frame_ends_the_one_before(void **state)
{
    struct nkv_rig *rig = *state;
    uint8_t frame[64];
    size_t size = make_get(rig, frame, sizeof frame);

    nkv_rig_send_bytes(rig, frame, size - 1);
    expect_silence(rig);
    nkv_rig_send_bytes(rig, frame, 1);
    expect_one_answer(rig);
    nkv_rig_send_bytes(rig, frame + 1, size - 1);
    expect_one_answer(rig);
}

static void a_frame_with_any_bit_flipped_is_met_with_silence(void **state)
{
    struct nkv_rig *rig = *state;
    uint8_t frame[64];
    size_t size = make_get(rig, frame, sizeof frame);

    for (size_t bit = 8; bit < 8 * (size - 1); bit++) {
        uint8_t flipped[64];

        memcpy(flipped, frame, size);
        flipped[bit / 8] ^= (uint8_t)(1u << bit % 8);
        nkv_rig_send_bytes(rig, flipped, size);
        expect_silence(rig);
        nkv_rig_send_bytes(rig, frame, size);
        expect_one_answer(rig);
    }
}

static void frames_that_come_byte_by_byte_are_answered(void **state)
{
    struct nkv_rig *rig = *state;
    uint8_t frame[64];
    size_t size = make_get(rig, frame, sizeof frame);

    for (size_t i = 0; i + 1 < size; i++) {
        nkv_rig_send_bytes(rig, frame + i, 1);
        expect_silence(rig);
    }
    nkv_rig_send_bytes(rig, frame + size - 1, 1);
    expect_one_answer(rig);
}

static void many_frames_at_once_are_all_answered(void **state)
{
    struct nkv_rig *rig = *state;
    uint8_t frame[64];
    size_t size = make_get(rig, frame, sizeof frame);

    for (int i = 0; i < 500; i++) {
        nkv_rig_send_bytes(rig, frame, size);
    }
    nkv_rig_run(rig);
    assert_int_equal(rig->frame_count, 500);
    assert_int_equal(nkv_server_line_counters(&rig->server)->frames_received,
                     500);
    assert_int_equal(nkv_server_line_counters(&rig->server)->frames_sent, 500);
}

static enum nkv_status put_on_line(void *context, const uint8_t *data,
                                   size_t size)
{
    nkv_rig_send_bytes(context, data, size);
    return NKV_OK;
}

/* Sends an RPC frame of so many content bytes, which holds no packet. */
static void send_content(struct nkv_rig *rig, size_t content)
{
    size_t size = content - nkv_hdlc_content_size(NKV_HDLC_ADDRESS_RPC, 0);
    uint8_t *payload = calloc(size, 1);
    struct nkv_hdlc_sink sink = {.write = put_on_line, .context = rig};

    assert_non_null(payload);
    assert_int_equal(nkv_hdlc_encode(&sink, NKV_HDLC_ADDRESS_RPC,
                                     (struct nkv_span){payload, size}),
                     NKV_OK);
    free(payload);
}

static void
a_frame_of_max_frame_is_taken_and_one_more_counted_as_oversize(void **state)
{
    struct nkv_rig *rig = *state;
    const struct nkv_line_counters *counters =
        nkv_server_line_counters(&rig->server);

    send_content(rig, NKV_RIG_FRAME);
    expect_silence(rig);
    assert_int_equal(counters->frames_received, 1);
    assert_int_equal(counters->bad_packets, 1);
    assert_int_equal(counters->oversize_frames, 0);
    send_content(rig, NKV_RIG_FRAME + 1);
    expect_silence(rig);
    assert_int_equal(counters->frames_received, 1);
    assert_int_equal(counters->oversize_frames, 1);
    send_content(rig, 3 * NKV_RIG_FRAME);
    expect_silence(rig);
    assert_int_equal(counters->oversize_frames, 2);
    assert_int_equal(nkv_rig_statistics(rig, 0).line.oversize_frames, 2);
    nkv_rig_put(rig, "key", "value");
}

static void frames_with_other_addresses_are_ignored(void **state)
{
    struct nkv_rig *rig = *state;

    assert_int_equal(nkv_server_log(&rig->server, "text"), NKV_OK);
    nkv_rig_send_bytes(rig, rig->output, rig->output_size);
    rig->output_size = 0;
    expect_silence(rig);
    assert_int_equal(nkv_server_line_counters(&rig->server)->frames_received,
                     1);
    assert_int_equal(nkv_server_line_counters(&rig->server)->bad_packets, 0);
    assert_int_equal(nkv_rig_more_statistics(rig, 0).calls.stray_frames, 1);
}

static void bad_packets_are_counted(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_packet packet = {
        .channel_id = 9,
        .service_id = NKV_SERVICE_STORE,
        .method_id = NKV_METHOD_STORE_GET,
    };

    nkv_rig_send_packet(rig, &packet);
    packet.channel_id = 1;
    packet.type = NKV_PACKET_RESPONSE;
    nkv_rig_send_packet(rig, &packet);
    packet.type = NKV_PACKET_REQUEST;
    packet.service_id = 0;
    nkv_rig_send_packet(rig, &packet);
    expect_silence(rig);
    assert_int_equal(nkv_server_line_counters(&rig->server)->bad_packets, 3);
}

static void expect_server_error(struct nkv_rig *rig, enum nkv_status status)
{
    struct nkv_packet reply;

    nkv_rig_run(rig);
    assert_int_equal(rig->frame_count, 1);
    reply = nkv_rig_packet(rig, 0);
    assert_int_equal(reply.type, NKV_PACKET_SERVER_ERROR);
    assert_int_equal(reply.status, status);
    assert_int_equal(reply.payload.size, 0);
}

static void unknown_services_and_methods_are_not_found(void **state)
{
    struct nkv_rig *rig = *state;
    struct nkv_span nothing = {NULL, 0};

    (void)nkv_rig_request(rig, 0x12345678, NKV_METHOD_STORE_GET, nothing);
    expect_server_error(rig, NKV_NOT_FOUND);
    (void)nkv_rig_request(rig, NKV_SERVICE_STORE, 0x12345678, nothing);
    expect_server_error(rig, NKV_NOT_FOUND);
    (void)nkv_rig_request(rig, NKV_SERVICE_DEVICE, NKV_METHOD_STORE_GET,
                          nothing);
    expect_server_error(rig, NKV_NOT_FOUND);
}

/* The methods that are called with one message; an upload has many. */
static void for_each_method(struct nkv_rig *rig,
                            void (*visit)(struct nkv_rig *rig, uint32_t service,
                                          uint32_t method))
{
    const struct nkv_server_services *services = rig->config.services;
    size_t count = 0;

    for (size_t i = 0; i < services->count; i++) {
        const struct nkv_rpc_service *service = &services->list[i];

        for (size_t m = 0; m < service->method_count; m++) {
            if (service->methods[m].id != NKV_METHOD_STORE_RESTORE) {
                visit(rig, service->id, service->methods[m].id);
                count++;
            }
        }
    }
    assert_true(count >= METHODS_MIN);
}

static void send_bad_protobuf(struct nkv_rig *rig, uint32_t service,
                              uint32_t method)
{
    /* Cut varint, cut bytes, group, field 0, too long a length. */
    static const uint8_t bad[][6] = {
        {1, 0x08},       {5, 0x12, 9, 'k', 'e', 'y'},       {1, 0x0b},
        {2, 0x00, 0x00}, {5, 0x0a, 0xff, 0xff, 0xff, 0x7f},
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        (void)nkv_rig_request(rig, service, method,
                              (struct nkv_span){bad[i] + 1, bad[i][0]});
        expect_server_error(rig, NKV_DATA_LOSS);
    }
}

static void every_method_answers_bad_protobuf_with_data_loss(void **state)
{
    for_each_method(*state, send_bad_protobuf);
}

/* Field 2 of Get is bytes; here it comes as a varint and as fixed32. */
static void a_field_of_another_wire_type_is_bad_protobuf(void **state)
{
    static const uint8_t varint[] = {0x10, 0x85, 0x01};
    static const uint8_t fixed[] = {0x15, 1, 2, 3, 4};
    struct nkv_rig *rig = *state;

    (void)nkv_rig_request(rig, NKV_SERVICE_STORE, NKV_METHOD_STORE_GET,
                          (struct nkv_span){varint, sizeof varint});
    expect_server_error(rig, NKV_DATA_LOSS);
    (void)nkv_rig_request(rig, NKV_SERVICE_STORE, NKV_METHOD_STORE_GET,
                          (struct nkv_span){fixed, sizeof fixed});
    expect_server_error(rig, NKV_DATA_LOSS);
}

static void unknown_fields_are_skipped(void **state)
{
    static const uint8_t payload[] = {0x7a, 2,   'x', 'y', 0x12,
                                      3,    'k', 'e', 'y'};
    struct nkv_rig *rig = *state;
    struct nkv_packet reply;

    nkv_rig_put(rig, "key", "value");
    reply = nkv_rig_call(rig, NKV_SERVICE_STORE, NKV_METHOD_STORE_GET,
                         (struct nkv_span){payload, sizeof payload});
    assert_int_equal(reply.status, NKV_OK);
}

static void send_nothing(struct nkv_rig *rig, uint32_t service, uint32_t method)
{
    (void)nkv_rig_request(rig, service, method, (struct nkv_span){NULL, 0});
    nkv_rig_run(rig);
    assert_true(rig->frame_count >= 1);
    assert_int_equal(nkv_rig_packet(rig, rig->frame_count - 1).type,
                     NKV_PACKET_RESPONSE);
}

static void every_method_survives_an_empty_request(void **state)
{
    for_each_method(*state, send_nothing);
}

static void the_text_is_whole_at_address_1(void **state)
{
    struct nkv_rig *rig = *state;
    char text[300];

    memset(text, '~', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_int_equal(nkv_server_log(&rig->server, text), NKV_OK);
    nkv_rig_run(rig);
    assert_int_equal(rig->frame_count, 1);
    assert_int_equal(rig->frames[0].address, NKV_HDLC_ADDRESS_LOG);
    assert_true(nkv_span_is(rig->frames[0].payload, text));
}

static void a_line_that_takes_nothing_costs_answers_only(void **state)
{
    struct nkv_rig *rig = *state;
    uint8_t frame[64];
    size_t size = make_get(rig, frame, sizeof frame);

    rig->write_status = NKV_UNAVAILABLE;
    for (int i = 0; i < 20; i++) {
        nkv_rig_send_bytes(rig, frame, size);
    }
    expect_silence(rig);
    assert_int_equal(nkv_server_line_counters(&rig->server)->frames_sent, 0);
    assert_int_equal(nkv_server_log(&rig->server, "text"), NKV_UNAVAILABLE);
    rig->write_status = NKV_OK;
    nkv_rig_send_bytes(rig, frame, size);
    expect_one_answer(rig);
}

static void a_disconnect_forgets_half_a_frame(void **state)
{
    struct nkv_rig *rig = *state;
    uint8_t frame[64];
    size_t size = make_get(rig, frame, sizeof frame);

    nkv_rig_send_bytes(rig, frame, size / 2);
    expect_silence(rig);
    nkv_server_disconnect(&rig->server);
    nkv_rig_send_bytes(rig, frame + size / 2, size - size / 2);
    expect_silence(rig);
    nkv_rig_send_bytes(rig, frame, size);
    expect_one_answer(rig);
}

/* Starts checks, which go on for some turns; returns the last call. */
static uint32_t start_checks(struct nkv_rig *rig, size_t count)
{
    uint32_t call_id = 0;

    for (size_t i = 0; i < count; i++) {
        call_id = nkv_rig_request(rig, NKV_SERVICE_MAINTENANCE,
                                  NKV_METHOD_MAINTENANCE_CHECK,
                                  (struct nkv_span){NULL, 0});
    }
    (void)nkv_rig_poll(rig);
    return call_id;
}

static void refused_and_cancelled_calls_are_counted(void **state)
{
    struct nkv_rig *rig = *state;
    uint32_t call_id;
    norkv_v1_CallCounters calls;

    calls = nkv_rig_more_statistics(rig, 0).calls;
    assert_int_equal(calls.refused, 0);
    assert_int_equal(calls.cancelled, 0);
    /* One slot is kept for unary calls. */
    call_id = start_checks(rig, NKV_RIG_SLOTS + 1) - 2;
    nkv_rig_cancel(rig, NKV_SERVICE_MAINTENANCE, NKV_METHOD_MAINTENANCE_CHECK,
                   call_id);
    /* Its call has ended: this one cancels nothing. */
    nkv_rig_cancel(rig, NKV_SERVICE_MAINTENANCE, NKV_METHOD_MAINTENANCE_CHECK,
                   call_id);
    nkv_rig_run(rig);
    calls = nkv_rig_more_statistics(rig, 0).calls;
    assert_int_equal(calls.refused, 2);
    assert_int_equal(calls.cancelled, 1);
}

static void overruns_and_uptime_are_in_the_statistics(void **state)
{
    struct nkv_rig *rig = *state;
    norkv_v1_StatisticsResponse statistics;

    nkv_server_count_overruns(&rig->server, 3);
    nkv_server_count_overruns(&rig->server, 4);
    rig->now_ms += 1234;
    statistics = nkv_rig_statistics(rig, 0);
    assert_int_equal(statistics.line.overruns, 7);
    assert_int_equal(statistics.uptime_ms, 1234);
    assert_int_equal(statistics.line.frames_received, 1);
}

/* Random bytes with many flags, then a good frame. */
static void garbage_does_not_lock_the_receiver(void **state)
{
    struct nkv_rig *rig = *state;
    uint8_t frame[64];
    size_t size = make_get(rig, frame, sizeof frame);
    uint32_t random = 1;

    for (int round = 0; round < 200; round++) {
        uint8_t garbage[100];

        for (size_t i = 0; i < sizeof garbage; i++) {
            random = random * 1664525u + 1013904223u;
            garbage[i] = (uint8_t)(random >> 24);
            if (random >> 16 & 1u) {
                garbage[i] = random >> 17 & 1u ? 0x7E : 0x7D;
            }
        }
        nkv_rig_send_bytes(rig, garbage, sizeof garbage);
        nkv_rig_send_bytes(rig, frame, size);
        nkv_rig_run(rig);
        assert_int_equal(rig->frame_count, 1);
    }
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, nkv_rig_set_up, nkv_rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_frame_cut_anywhere_costs_only_itself),
        TEST(the_flag_that_opens_a_frame_ends_the_one_before),
        TEST(a_frame_with_any_bit_flipped_is_met_with_silence),
        TEST(frames_that_come_byte_by_byte_are_answered),
        TEST(many_frames_at_once_are_all_answered),
        TEST(a_frame_of_max_frame_is_taken_and_one_more_counted_as_oversize),
        TEST(frames_with_other_addresses_are_ignored),
        TEST(bad_packets_are_counted),
        TEST(unknown_services_and_methods_are_not_found),
        TEST(every_method_answers_bad_protobuf_with_data_loss),
        TEST(a_field_of_another_wire_type_is_bad_protobuf),
        TEST(unknown_fields_are_skipped),
        TEST(every_method_survives_an_empty_request),
        TEST(the_text_is_whole_at_address_1),
        TEST(a_line_that_takes_nothing_costs_answers_only),
        TEST(a_disconnect_forgets_half_a_frame),
        TEST(refused_and_cancelled_calls_are_counted),
        TEST(overruns_and_uptime_are_in_the_statistics),
        TEST(garbage_does_not_lock_the_receiver),
    };

    return cmocka_run_group_tests_name("line", tests, NULL, NULL);
}
