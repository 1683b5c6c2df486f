/* The dispatcher's slots, limits and failures. */
#include "demo_service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t hold[] = {0x0a, 4, 'h', 'o', 'l', 'd'};
static const uint8_t entry[] = {0x0a, 1, 'a', 0x12, 1, '1'};

/* Sends a packet of the demo service. */
static enum nkv_status send(struct nkv_demo *demo, uint32_t type,
                            uint32_t method, uint32_t call_id,
                            struct nkv_span payload)
{
    struct nkv_packet packet = {
        .type = type,
        .channel_id = 1,
        .service_id = NKV_DEMO_SERVICE,
        .method_id = method,
        .call_id = call_id,
        .payload = payload,
    };
    uint8_t bytes[NKV_DEMO_PACKET];
    size_t size = 0;

    assert_int_equal(nkv_packet_encode(&packet,
                                       (struct nkv_buffer){bytes, sizeof bytes},
                                       &size),
                     NKV_OK);
    demo->reply_count = 0;
    return nkv_rpc_process(&demo->rpc, (struct nkv_span){bytes, size});
}

static void start_hold(struct nkv_demo *demo, uint32_t call_id)
{
    assert_int_equal(send(demo, NKV_PACKET_REQUEST, NKV_DEMO_SCAN, call_id,
                          (struct nkv_span){hold, sizeof hold}),
                     NKV_OK);
}

static struct nkv_packet only_reply(const struct nkv_demo *demo)
{
    struct nkv_packet reply = {0};

    assert_int_equal(demo->reply_count, 1);
    assert_int_equal(
        nkv_packet_decode(
            (struct nkv_span){demo->replies[0], demo->reply_sizes[0]}, &reply),
        NKV_OK);
    return reply;
}

static void expect_reply(const struct nkv_demo *demo, uint32_t type,
                         enum nkv_status status, uint32_t call_id)
{
    struct nkv_packet reply = only_reply(demo);

    assert_int_equal(reply.type, type);
    assert_int_equal(reply.status, status);
    assert_int_equal(reply.call_id, call_id);
    assert_int_equal(reply.service_id, NKV_DEMO_SERVICE);
}

static void
a_stream_is_refused_when_all_slots_but_the_last_are_taken(void **state)
{
    struct nkv_demo demo;

    (void)state;
    nkv_demo_init(&demo);
    for (uint32_t i = 1; i < NKV_DEMO_SLOTS; i++) {
        start_hold(&demo, i);
        assert_int_equal(demo.reply_count, 0);
    }
    start_hold(&demo, 100);
    expect_reply(&demo, NKV_PACKET_RESPONSE, NKV_UNAVAILABLE, 100);
    assert_int_equal(only_reply(&demo).payload.size, 0);
}

static void
a_unary_call_runs_beside_as_many_streams_as_there_can_be(void **state)
{
    struct nkv_demo demo;

    (void)state;
    nkv_demo_init(&demo);
    for (uint32_t i = 1; i < NKV_DEMO_SLOTS; i++) {
        start_hold(&demo, i);
    }
    assert_int_equal(send(&demo, NKV_PACKET_REQUEST, NKV_DEMO_PUT, 50,
                          (struct nkv_span){entry, sizeof entry}),
                     NKV_OK);
    expect_reply(&demo, NKV_PACKET_RESPONSE, NKV_OK, 50);
}

static void a_slot_is_free_again_after_its_call_was_cancelled(void **state)
{
    struct nkv_demo demo;

    (void)state;
    nkv_demo_init(&demo);
    for (uint32_t i = 1; i < NKV_DEMO_SLOTS; i++) {
        start_hold(&demo, i);
    }
    assert_int_equal(send(&demo, NKV_PACKET_CLIENT_ERROR, NKV_DEMO_SCAN, 2,
                          (struct nkv_span){NULL, 0}),
                     NKV_OK);
    assert_int_equal(demo.reply_count, 0);
    assert_int_equal(demo.cancelled, 1);
    start_hold(&demo, 100);
    assert_int_equal(demo.reply_count, 0);
}

static void
the_same_id_replaces_a_call_even_when_slots_are_used_up(void **state)
{
    struct nkv_demo demo;

    (void)state;
    nkv_demo_init(&demo);
    for (uint32_t i = 1; i < NKV_DEMO_SLOTS; i++) {
        start_hold(&demo, i);
    }
    start_hold(&demo, 1);
    assert_int_equal(demo.reply_count, 0);
    assert_int_equal(demo.cancelled, 1);
}

static void an_open_id_matches_any_call_of_the_method(void **state)
{
    static const uint32_t open_ids[] = {NKV_CALL_ID_NONE, NKV_CALL_ID_ANY};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct nkv_demo demo;

        nkv_demo_init(&demo);
        start_hold(&demo, 5);
        assert_int_equal(send(&demo, NKV_PACKET_CLIENT_STREAM, NKV_DEMO_SCAN,
                              open_ids[i],
                              (struct nkv_span){entry, sizeof entry}),
                         NKV_OK);
        expect_reply(&demo, NKV_PACKET_SERVER_ERROR, NKV_INVALID_ARGUMENT,
                     open_ids[i]);
        assert_int_equal(send(&demo, NKV_PACKET_CLIENT_ERROR, NKV_DEMO_SCAN,
                              open_ids[i], (struct nkv_span){NULL, 0}),
                         NKV_OK);
        assert_int_equal(demo.cancelled, 1);
    }
}

static void a_call_started_with_any_id_adopts_the_first_real_one(void **state)
{
    struct nkv_demo demo;

    (void)state;
    nkv_demo_init(&demo);
    assert_int_equal(send(&demo, NKV_PACKET_REQUEST, NKV_DEMO_RESTORE,
                          NKV_CALL_ID_ANY, (struct nkv_span){NULL, 0}),
                     NKV_OK);
    assert_int_equal(send(&demo, NKV_PACKET_CLIENT_STREAM, NKV_DEMO_RESTORE, 9,
                          (struct nkv_span){entry, sizeof entry}),
                     NKV_OK);
    assert_int_equal(send(&demo, NKV_PACKET_CLIENT_STREAM, NKV_DEMO_RESTORE, 8,
                          (struct nkv_span){entry, sizeof entry}),
                     NKV_OK);
    expect_reply(&demo, NKV_PACKET_SERVER_ERROR, NKV_FAILED_PRECONDITION, 8);
    assert_int_equal(send(&demo, NKV_PACKET_CLIENT_REQUEST_COMPLETION,
                          NKV_DEMO_RESTORE, 9, (struct nkv_span){NULL, 0}),
                     NKV_OK);
    expect_reply(&demo, NKV_PACKET_RESPONSE, NKV_OK, 9);
}

static void
an_undecodable_request_gets_data_loss_and_frees_its_slot(void **state)
{
    static const uint8_t cut[] = {0x0a, 9, 'a'};
    struct nkv_demo demo;

    (void)state;
    nkv_demo_init(&demo);
    for (uint32_t i = 0; i < 3 * NKV_DEMO_SLOTS; i++) {
        assert_int_equal(send(&demo, NKV_PACKET_REQUEST, NKV_DEMO_SCAN, i + 1,
                              (struct nkv_span){cut, sizeof cut}),
                         NKV_OK);
        expect_reply(&demo, NKV_PACKET_SERVER_ERROR, NKV_DATA_LOSS, i + 1);
    }
}

static void an_unknown_channel_is_met_with_silence(void **state)
{
    struct nkv_packet packet = {
        .channel_id = 2,
        .service_id = NKV_DEMO_SERVICE,
        .method_id = NKV_DEMO_GET,
        .call_id = 1,
    };
    struct nkv_demo demo;
    uint8_t bytes[NKV_PACKET_OVERHEAD_MAX];
    size_t size = 0;

    (void)state;
    nkv_demo_init(&demo);
    assert_int_equal(nkv_packet_encode(&packet,
                                       (struct nkv_buffer){bytes, sizeof bytes},
                                       &size),
                     NKV_OK);
    assert_int_equal(nkv_rpc_process(&demo.rpc, (struct nkv_span){bytes, size}),
                     NKV_UNAVAILABLE);
    assert_int_equal(demo.reply_count, 0);
}

static void
a_second_completion_of_a_server_stream_is_met_with_silence(void **state)
{
    struct nkv_demo demo;

    (void)state;
    nkv_demo_init(&demo);
    start_hold(&demo, 3);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(send(&demo, NKV_PACKET_CLIENT_REQUEST_COMPLETION,
                              NKV_DEMO_SCAN, 3, (struct nkv_span){NULL, 0}),
                         NKV_OK);
        assert_int_equal(demo.reply_count, 0);
    }
    assert_int_equal(demo.cancelled, 0);
    assert_true(nkv_rpc_is_running(&demo.rpc));
}

static void only_running_calls_get_turns(void **state)
{
    struct nkv_demo demo;

    (void)state;
    nkv_demo_init(&demo);
    assert_false(nkv_rpc_step(&demo.rpc));
    start_hold(&demo, 1);
    start_hold(&demo, 2);
    assert_true(nkv_rpc_step(&demo.rpc));
    assert_int_equal(demo.steps, 2);
    nkv_rpc_cancel_all(&demo.rpc);
    assert_int_equal(demo.cancelled, 2);
    assert_int_equal(demo.reply_count, 0);
    assert_false(nkv_rpc_step(&demo.rpc));
    assert_int_equal(demo.steps, 2);
}

static void a_lost_line_ends_a_stream_silently(void **state)
{
    struct nkv_demo demo;

    (void)state;
    nkv_demo_init(&demo);
    assert_int_equal(send(&demo, NKV_PACKET_REQUEST, NKV_DEMO_CHAT, 7,
                          (struct nkv_span){NULL, 0}),
                     NKV_OK);
    demo.sink_status = NKV_UNAVAILABLE;
    assert_int_equal(send(&demo, NKV_PACKET_CLIENT_STREAM, NKV_DEMO_CHAT, 7,
                          (struct nkv_span){entry, sizeof entry}),
                     NKV_OK);
    assert_int_equal(demo.cancelled, 1);
    demo.sink_status = NKV_OK;
    assert_int_equal(send(&demo, NKV_PACKET_CLIENT_STREAM, NKV_DEMO_CHAT, 7,
                          (struct nkv_span){entry, sizeof entry}),
                     NKV_OK);
    expect_reply(&demo, NKV_PACKET_SERVER_ERROR, NKV_FAILED_PRECONDITION, 7);
}

static void packets_stay_within_the_limit(void **state)
{
    struct nkv_demo demo;

    (void)state;
    nkv_demo_init(&demo);
    assert_int_equal(nkv_rpc_room(&demo.calls[0]).capacity,
                     NKV_DEMO_PACKET - NKV_PACKET_OVERHEAD_MAX);
    nkv_rpc_set_packet_limit(&demo.rpc, NKV_PACKET_OVERHEAD_MAX + 3);
    assert_int_equal(nkv_rpc_room(&demo.calls[0]).capacity, 3);
    nkv_rpc_set_packet_limit(&demo.rpc, 0);
    assert_int_equal(nkv_rpc_room(&demo.calls[0]).capacity, 1);
    nkv_rpc_set_packet_limit(&demo.rpc, SIZE_MAX);
    assert_int_equal(nkv_rpc_room(&demo.calls[0]).capacity,
                     NKV_DEMO_PACKET - NKV_PACKET_OVERHEAD_MAX);
}

static void a_wrong_config_is_refused(void **state)
{
    struct nkv_demo demo;
    struct nkv_rpc_config config;
    struct nkv_rpc rpc;

    (void)state;
    nkv_demo_init(&demo);
    config = demo.config;
    config.call_count = 1;
    assert_int_equal(nkv_rpc_init(&rpc, &config), NKV_INVALID_ARGUMENT);
    config = demo.config;
    config.channel_id = 0;
    assert_int_equal(nkv_rpc_init(&rpc, &config), NKV_INVALID_ARGUMENT);
    config = demo.config;
    config.sink = NULL;
    assert_int_equal(nkv_rpc_init(&rpc, &config), NKV_INVALID_ARGUMENT);
    config = demo.config;
    config.packet.capacity = NKV_PACKET_OVERHEAD_MAX;
    assert_int_equal(nkv_rpc_init(&rpc, &config), NKV_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_stream_is_refused_when_all_slots_but_the_last_are_taken),
        cmocka_unit_test(
            a_unary_call_runs_beside_as_many_streams_as_there_can_be),
        cmocka_unit_test(a_slot_is_free_again_after_its_call_was_cancelled),
        cmocka_unit_test(
            the_same_id_replaces_a_call_even_when_slots_are_used_up),
        cmocka_unit_test(an_open_id_matches_any_call_of_the_method),
        cmocka_unit_test(a_call_started_with_any_id_adopts_the_first_real_one),
        cmocka_unit_test(
            an_undecodable_request_gets_data_loss_and_frees_its_slot),
        cmocka_unit_test(an_unknown_channel_is_met_with_silence),
        cmocka_unit_test(
            a_second_completion_of_a_server_stream_is_met_with_silence),
        cmocka_unit_test(only_running_calls_get_turns),
        cmocka_unit_test(a_lost_line_ends_a_stream_silently),
        cmocka_unit_test(packets_stay_within_the_limit),
        cmocka_unit_test(a_wrong_config_is_refused),
    };

    return cmocka_run_group_tests_name("rpc slots", tests, NULL, NULL);
}
