/* Calls that do not block: many at once, answered in any order, each with one
 * end, whatever the line and the device do. */
#include "fake_device.h"
#include "random.h"
#include "real_device.h"
#include "test.h"
#include <norkv/ids.h>
#include <stdio.h>
#include <stdlib.h>

struct rig {
    struct nkv_bench bench;
    struct nkv_real_device device;
    struct nkv_client *client;
};

/* What became of a call. */
struct result {
    struct nkv_client *client;
    unsigned ends;
    enum nkv_status status;
    enum nkv_status mutation_status;
    uint32_t version;
    char text[64];
    uint64_t ended_ms;
    bool is_server_error;
    unsigned messages;
    struct nkv_bench *bench;
};

static struct rig *open_rig(const struct nkv_client_options *options)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    nkv_bench_init(&rig->bench, 1);
    rig->bench.line.speed = (struct nkv_line_speed){115200, 1};
    nkv_real_device_init(&rig->device, &rig->bench, NULL);
    rig->client = nkv_bench_open(&rig->bench, options);
    return rig;
}

static void close_rig(struct rig *rig)
{
    nkv_client_free(&rig->client);
    nkv_real_device_free(&rig->device);
    nkv_bench_free(&rig->bench);
    free(rig);
}

/* ---- Callbacks --------------------------------------------------------- */

static void note(struct result *result,
                 const struct nkv_client_outcome *outcome)
{
    assert_int_equal(result->ends++, 0);
    assert_int_equal(outcome->status == NKV_OK, outcome->error[0] == '\0');
    result->status = outcome->status;
    result->is_server_error = outcome->is_server_error;
    if (result->bench != NULL)
        result->ended_ms = nkv_bench_now_ms(result->bench);
}

static void got(void *context, const struct nkv_client_outcome *outcome,
                struct nkv_client_value *value)
{
    struct result *result = context;
    note(result, outcome);
    assert_in_range(value->size, 0, sizeof(result->text) - 1);
    if (value->size > 0)
        memcpy(result->text, value->data, value->size);
}

static void wrote(void *context, const struct nkv_client_outcome *outcome,
                  const struct nkv_mutation *mutation)
{
    struct result *result = context;
    note(result, outcome);
    result->mutation_status = mutation->status;
    result->version = mutation->version;
}

static void ended(void *context, const struct nkv_client_outcome *outcome,
                  struct nkv_span payload)
{
    struct result *result = context;
    note(result, outcome);
    assert_in_range(payload.size, 0, sizeof(result->text) - 1);
    if (payload.size > 0)
        memcpy(result->text, payload.data, payload.size);
}

static void heard(void *context, struct nkv_span payload)
{
    struct result *result = context;
    (void)payload;
    result->messages++;
}

/* ---- Starting, and going on -------------------------------------------- */

static uint64_t start_get(struct nkv_client *client, const char *key,
                          uint32_t deadline_ms, struct result *result)
{
    struct nkv_call_options call = {.deadline_ms = deadline_ms};
    struct nkv_get_call get = {text_span(key), got, result};
    uint64_t number;
    assert_done(client, nkv_client_start_get(client, &call, &get, &number));
    return number;
}

static uint64_t start_put(struct nkv_client *client, const char *key,
                          const char *value, struct result *result)
{
    struct nkv_mutation_call put = {
        .mutation = {.key = text_span(key), .value = text_span(value)},
        .done = wrote,
        .context = result,
    };
    uint64_t number;
    assert_done(client, nkv_client_start_mutation(client, NULL, &put, &number));
    return number;
}

/* As a program with poll would: waits on the line for as long as it is told. */
static bool wait_and_process(struct nkv_bench *bench, struct nkv_client *client)
{
    int timeout_ms = nkv_client_timeout_ms(client);
    uint64_t now_us = bench->line.now_us;
    if (timeout_ms < 0)
        return false;
    nkv_bench_pass(bench, (uint32_t)timeout_ms);
    uint64_t before = bench->line.now_us;
    enum nkv_status status = nkv_client_process(client);
    /* It never waits. */
    assert_true(bench->line.now_us - before < 1000);
    return status == NKV_OK && (timeout_ms > 0 || now_us <= before);
}

static void run(struct rig *rig)
{
    for (unsigned i = 0; i < 1000000; i++) {
        if (!wait_and_process(&rig->bench, rig->client))
            return;
    }
    fail_msg("calls go on for ever");
}

/* ---- Tests ------------------------------------------------------------- */

enum { MANY = 300 };

static void many_calls(struct rig *rig)
{
    static struct result puts[MANY];
    static struct result gets[MANY];
    char key[16];
    char value[16];
    memset(puts, 0, sizeof(puts));
    memset(gets, 0, sizeof(gets));
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(key, sizeof(key), "key%u", i % 50);
        snprintf(value, sizeof(value), "value%u", i);
        (void)start_put(rig->client, key, value, &puts[i]);
        (void)start_get(rig->client, key, 0, &gets[i]);
    }
    run(rig);
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(puts[i].ends, 1);
        assert_int_equal(puts[i].status, NKV_OK);
        assert_int_equal(gets[i].ends, 1);
        assert_true(gets[i].status == NKV_OK ||
                    gets[i].status == NKV_NOT_FOUND);
    }
    for (unsigned i = MANY - 50; i < MANY; i++) {
        struct nkv_client_value got_value;
        snprintf(key, sizeof(key), "key%u", i % 50);
        snprintf(value, sizeof(value), "value%u", i);
        assert_done(rig->client, nkv_client_get(rig->client, NULL,
                                                text_span(key), &got_value));
        assert_int_equal(got_value.size, strlen(value));
        assert_memory_equal(got_value.data, value, got_value.size);
        nkv_client_value_clear(&got_value);
    }
}

static void hundreds_of_calls_end_once_each(void **state)
{
    (void)state;
    struct nkv_client_options options = {.deadline_ms = 600000};
    struct rig *rig = open_rig(&options);
    many_calls(rig);
    close_rig(rig);
}

static void a_bad_line_loses_none_of_them(void **state)
{
    (void)state;
    struct nkv_client_options options = {.deadline_ms = 600000, .attempts = 8};
    struct rig *rig = open_rig(&options);
    rig->bench.line.faults = (struct nkv_line_faults){
        .drop = 300,
        .flip = 300,
        .lose_write = 20000,
        .double_write = 20000,
        .delay = 20000,
        .delay_max_ms = 1000,
        .split = true,
    };
    many_calls(rig);
    close_rig(rig);
}

static void restarts_lose_none_of_them(void **state)
{
    (void)state;
    for (uint32_t at = 3; at < 200; at += 31) {
        struct nkv_client_options options = {.deadline_ms = 600000};
        struct rig *rig = open_rig(&options);
        rig->device.restart_at_frame = at;
        many_calls(rig);
        assert_int_equal(rig->device.boots, 2);
        close_rig(rig);
    }
}

/* Each is done only if the one before it was. */
static void conditional_writes_are_done_once_over_a_restart(void **state)
{
    (void)state;
    for (uint32_t at = 3; at < 20; at++) {
        struct rig *rig = open_rig(NULL);
        struct result result = {0};
        uint64_t number;
        struct nkv_mutation_call put = {
            .mutation = {.key = text_span("k"),
                         .value = text_span("v"),
                         .conditional = true},
            .done = wrote,
            .context = &result,
        };
        rig->device.restart_at_frame = 2 + at % 2;
        assert_done(rig->client, nkv_client_start_mutation(rig->client, NULL,
                                                           &put, &number));
        run(rig);
        assert_int_equal(result.ends, 1);
        assert_int_equal(result.status, NKV_OK);
        close_rig(rig);
    }
}

static void calls_that_block_go_between(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    static struct result results[40];
    struct nkv_client_value value;
    memset(results, 0, sizeof(results));
    for (unsigned i = 0; i < 40; i++)
        (void)start_put(rig->client, "k", i == 39 ? "last" : "early",
                        &results[i]);
    /* Its turn comes behind those. */
    assert_done(rig->client, nkv_client_put(rig->client, NULL, text_span("k"),
                                            text_span("blocking")));
    for (unsigned i = 0; i < 40; i++)
        assert_int_equal(results[i].ends, 1);
    assert_done(rig->client,
                nkv_client_get(rig->client, NULL, text_span("k"), &value));
    assert_int_equal(value.size, 8);
    nkv_client_value_clear(&value);
    close_rig(rig);
}

static void a_deadline_ends_each_call_on_its_own(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    struct result results[3] = {
        {.bench = &rig->bench}, {.bench = &rig->bench}, {.bench = &rig->bench}};
    rig->bench.device = NULL;
    uint64_t begun = nkv_bench_now_ms(&rig->bench);
    (void)start_get(rig->client, "k", 300, &results[0]);
    (void)start_get(rig->client, "k", 900, &results[1]);
    (void)start_get(rig->client, "k", 700, &results[2]);
    run(rig);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(results[i].status, NKV_DEADLINE_EXCEEDED);
    assert_in_range(results[0].ended_ms - begun, 300, 302);
    assert_in_range(results[1].ended_ms - begun, 900, 902);
    assert_in_range(results[2].ended_ms - begun, 700, 702);
    close_rig(rig);
}

static void a_cancelled_call_ends_once(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    struct result put = {0};
    struct result get = {0};
    uint64_t number = start_get(rig->client, "k", 0, &get);
    uint64_t other = start_put(rig->client, "k", "v", &put);
    assert_int_equal(nkv_client_cancel(rig->client, number), NKV_OK);
    assert_int_equal(nkv_client_cancel(rig->client, number), NKV_NOT_FOUND);
    assert_int_equal(nkv_client_cancel(rig->client, other), NKV_OK);
    assert_int_equal(get.ends, 0);
    run(rig);
    assert_int_equal(get.ends, 1);
    assert_int_equal(get.status, NKV_CANCELLED);
    assert_int_equal(put.ends, 1);
    assert_int_equal(put.mutation_status, NKV_CANCELLED);
    close_rig(rig);
}

static void a_dead_port_ends_all_calls(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    struct result results[2] = {{0}, {0}};
    short events;
    rig->bench.device = NULL;
    (void)start_get(rig->client, "k", 0, &results[0]);
    (void)start_put(rig->client, "k", "v", &results[1]);
    rig->bench.cut_at_ms = nkv_bench_now_ms(&rig->bench) + 50;
    run(rig);
    assert_int_equal(results[0].status, NKV_UNAVAILABLE);
    assert_int_equal(results[1].status, NKV_UNAVAILABLE);
    assert_int_equal(nkv_client_fd(rig->client, &events), -1);
    assert_int_equal(nkv_client_process(rig->client), NKV_UNAVAILABLE);
    close_rig(rig);
}

static void closing_ends_all_calls(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    struct result results[2] = {{0}, {0}};
    (void)start_get(rig->client, "k", 0, &results[0]);
    (void)start_put(rig->client, "k", "v", &results[1]);
    nkv_client_free(&rig->client);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(results[i].ends, 1);
        assert_int_equal(results[i].status, NKV_CANCELLED);
    }
    close_rig(rig);
}

/* Starts another from its callback, and may not block there. */
static void got_first(void *context, const struct nkv_client_outcome *outcome,
                      struct nkv_client_value *value)
{
    struct result *result = context;
    struct nkv_client *client = result->client;
    struct nkv_client_value other;
    (void)outcome;
    (void)value;
    assert_int_equal(nkv_client_get(client, NULL, text_span("k"), &other),
                     NKV_FAILED_PRECONDITION);
    assert_int_equal(nkv_client_process(client), NKV_FAILED_PRECONDITION);
    (void)start_get(client, "k", 0, result);
    assert_int_equal(
        nkv_client_cancel(client, start_get(client, "x", 0, result + 1)),
        NKV_OK);
}

static void a_callback_starts_and_cancels_calls(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    struct result results[2] = {{.client = rig->client}, {0}};
    struct nkv_get_call get = {text_span("k"), got_first, results};
    uint64_t number;
    assert_done(rig->client,
                nkv_client_start_get(rig->client, NULL, &get, &number));
    run(rig);
    assert_int_equal(results[0].status, NKV_NOT_FOUND);
    assert_int_equal(results[1].status, NKV_CANCELLED);
    close_rig(rig);
}

/* Counts the content that is unanswered, in the order of the frames. */
struct window {
    size_t unanswered;
    size_t most;
    unsigned count;
    struct nkv_packet held[64];
    size_t sizes[64];
};

static void hold(struct nkv_fake_device *device,
                 const struct nkv_packet *request)
{
    struct window *window = device->context;
    struct nkv_packet packet = *request;
    uint8_t bytes[2048];
    struct nkv_buffer room = {bytes, sizeof(bytes)};
    size_t size;
    if (request->type != NKV_PACKET_REQUEST)
        return;
    assert_int_equal(nkv_packet_encode(request, room, &size), NKV_OK);
    size = nkv_hdlc_content_size(NKV_HDLC_ADDRESS_RPC, size);
    assert_true(window->count < 64);
    packet.payload = (struct nkv_span){NULL, 0};
    window->sizes[window->count] = size;
    window->held[window->count++] = packet;
    window->unanswered += size;
    if (window->unanswered > window->most)
        window->most = window->unanswered;
}

static void the_window_holds_for_any_mix_of_calls(void **state)
{
    (void)state;
    struct nkv_bench bench;
    struct nkv_fake_device device;
    struct window window = {0};
    static struct result results[200];
    uint64_t random = 5;
    memset(results, 0, sizeof(results));
    nkv_bench_init(&bench, 1);
    nkv_fake_device_init(&device, &bench);
    device.answer = hold;
    device.context = &window;
    struct nkv_client_options options = {.deadline_ms = 600000};
    struct nkv_client *client = nkv_bench_open(&bench, &options);
    for (unsigned i = 0; i < 200; i++) {
        if (i % 3 == 0)
            (void)start_put(client, "a key of some length", "and a value",
                            &results[i]);
        else
            (void)start_get(client, "a key of some length", 0, &results[i]);
    }
    for (unsigned i = 0; i < 100000; i++) {
        /* In any order, one at a time. */
        if (window.count > 0) {
            unsigned at = nkv_random_below(&random, window.count);
            struct nkv_packet packet = window.held[at];
            Norkv__V1__WriteResponse response = NORKV__V1__WRITE_RESPONSE__INIT;
            response.version = 1;
            nkv_fake_device_reply(&device, &packet, NKV_PACKET_RESPONSE, NKV_OK,
                                  packet.method_id == NKV_METHOD_STORE_PUT
                                      ? &response.base
                                      : NULL);
            window.unanswered -= window.sizes[at];
            window.count--;
            window.held[at] = window.held[window.count];
            window.sizes[at] = window.sizes[window.count];
        }
        if (nkv_client_timeout_ms(client) < 0)
            break;
        nkv_bench_pass(&bench, 1);
        assert_int_equal(nkv_client_process(client), NKV_OK);
    }
    for (unsigned i = 0; i < 200; i++)
        assert_int_equal(results[i].ends, 1);
    assert_in_range(window.most, 900, 1024);
    nkv_client_free(&client);
    nkv_bench_free(&bench);
}

/* ---- Generic calls ------------------------------------------------------ */

static uint64_t start_call(struct nkv_client *client,
                           struct nkv_generic_call call, struct result *result)
{
    uint64_t number;
    call.message = heard;
    call.done = ended;
    call.context = result;
    assert_done(client, nkv_client_start_call(client, NULL, &call, &number));
    return number;
}

static void a_generic_call_needs_no_session(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    struct result echo = {0};
    struct result none = {0};
    (void)start_call(rig->client,
                     (struct nkv_generic_call){
                         .service = "pw.rpc.EchoService",
                         .method = "Echo",
                         .request = text_span("\x0a\x02hi"),
                     },
                     &echo);
    (void)start_call(rig->client,
                     (struct nkv_generic_call){
                         .service = "no.such.Service",
                         .method = "Nothing",
                     },
                     &none);
    run(rig);
    assert_int_equal(echo.status, NKV_OK);
    assert_string_equal(echo.text, "\x0a\x02hi");
    assert_int_equal(none.status, NKV_NOT_FOUND);
    assert_true(none.is_server_error);
    close_rig(rig);
}

static void a_generic_stream_gives_each_message(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    struct result scan = {0};
    assert_done(rig->client, nkv_client_put(rig->client, NULL, text_span("k"),
                                            text_span("v")));
    uint64_t number = start_call(rig->client,
                                 (struct nkv_generic_call){
                                     .service = "norkv.v1.Store",
                                     .method = "Scan",
                                     .kind = NKV_CALL_SERVER_STREAM,
                                 },
                                 &scan);
    assert_int_equal(nkv_client_send(rig->client, number, text_span("x")),
                     NKV_FAILED_PRECONDITION);
    run(rig);
    assert_int_equal(scan.status, NKV_OK);
    assert_true(scan.messages > 0);
    close_rig(rig);
}

static void count_requests(struct nkv_fake_device *device,
                           const struct nkv_packet *request)
{
    unsigned *types = device->context;
    types[request->type]++;
}

static void a_generic_call_is_sent_once_unless_told(void **state)
{
    (void)state;
    for (int repeatable = 0; repeatable < 2; repeatable++) {
        struct nkv_bench bench;
        struct nkv_fake_device device;
        unsigned types[16] = {0};
        struct result result = {0};
        nkv_bench_init(&bench, 1);
        nkv_fake_device_init(&device, &bench);
        device.answer = count_requests;
        device.context = types;
        struct nkv_client *client = nkv_bench_open(&bench, NULL);
        uint64_t number = start_call(client,
                                     (struct nkv_generic_call){
                                         .service = "a.Service",
                                         .method = "Method",
                                         .kind = NKV_CALL_BIDIRECTIONAL,
                                         .is_repeatable = repeatable != 0,
                                     },
                                     &result);
        assert_int_equal(nkv_client_send(client, number, text_span("x")),
                         NKV_OK);
        assert_int_equal(nkv_client_complete(client, number), NKV_OK);
        assert_int_equal(nkv_client_send(client, number, text_span("x")),
                         NKV_FAILED_PRECONDITION);
        while (result.ends == 0 && wait_and_process(&bench, client))
            ;
        nkv_bench_pass(&bench, 10);
        assert_int_equal(result.status, NKV_DEADLINE_EXCEEDED);
        assert_int_equal(types[NKV_PACKET_REQUEST] > 1, repeatable);
        assert_int_equal(types[NKV_PACKET_CLIENT_STREAM], 1);
        assert_int_equal(types[NKV_PACKET_CLIENT_REQUEST_COMPLETION], 1);
        assert_int_equal(types[NKV_PACKET_CLIENT_ERROR], 1);
        nkv_client_free(&client);
        nkv_bench_free(&bench);
    }
}

static void a_line_that_takes_nothing_does_not_block(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    struct result result = {.bench = &rig->bench};
    short events;
    rig->bench.is_stuck = true;
    (void)start_get(rig->client, "k", 500, &result);
    assert_int_equal(nkv_client_process(rig->client), NKV_OK);
    assert_int_equal(nkv_client_process(rig->client), NKV_OK);
    (void)nkv_client_fd(rig->client, &events);
    assert_int_not_equal(events & 4, 0);
    run(rig);
    assert_int_equal(result.status, NKV_DEADLINE_EXCEEDED);
    assert_in_range(result.ended_ms, 500, 502);
    close_rig(rig);
}

/* ---- Deadlines ---------------------------------------------------------- */

static bool see_none(void *context, const struct nkv_client_record *record)
{
    (void)context;
    (void)record;
    return true;
}

static enum nkv_status block(struct nkv_client *client, unsigned which,
                             const struct nkv_call_options *call)
{
    const struct nkv_device *device;
    struct nkv_client_value value;
    struct nkv_client_statistics statistics;
    struct nkv_client_scan scan = {.record = see_none};
    enum nkv_status status;
    switch (which) {
    case 0:
        return nkv_client_device(client, call, &device);
    case 1:
        status = nkv_client_get(client, call, text_span("k"), &value);
        nkv_client_value_clear(&value);
        return status;
    case 2:
        return nkv_client_put(client, call, text_span("k"), text_span("v"));
    case 3:
        return nkv_client_scan(client, call, &scan);
    case 4:
        return nkv_client_statistics(client, call, &statistics);
    default:
        return nkv_client_collect(client, call, NKV_COLLECT_FULL, NULL);
    }
}

static void say_busy(struct nkv_fake_device *device,
                     const struct nkv_packet *request)
{
    if (request->type == NKV_PACKET_REQUEST)
        nkv_fake_device_reply(device, request, NKV_PACKET_RESPONSE,
                              NKV_UNAVAILABLE, NULL);
}

/* Session opening, retries and recovery included, whatever the line does. */
static void no_call_outlives_its_deadline(void **state)
{
    (void)state;
    for (unsigned trouble = 0; trouble < 5; trouble++) {
        for (unsigned which = trouble == 4; which < 6; which++) {
            struct nkv_bench bench;
            struct nkv_fake_device device;
            struct nkv_call_options call = {.deadline_ms = 700};
            nkv_bench_init(&bench, 1);
            nkv_fake_device_init(&device, &bench);
            /* The last opens the session, and is busy then. */
            device.answer_open_too = trouble < 4;
            device.answer = trouble > 2 ? say_busy : NULL;
            bench.is_stuck = trouble == 1;
            bench.byte_ms = trouble == 2 ? 10 : 0;
            bench.line.speed.latency_ms = trouble == 4 ? 90 : 0;
            struct nkv_client *client = nkv_bench_open(&bench, NULL);
            uint64_t begun = nkv_bench_now_ms(&bench);
            assert_int_not_equal(block(client, which, &call), NKV_OK);
            assert_in_range(nkv_bench_now_ms(&bench) - begun, 700, 700 + 40);
            nkv_client_free(&client);
            nkv_bench_free(&bench);
        }
    }
}

/* A value of many parts, few bytes of which come at a time. */
static void answer_with_a_part(struct nkv_fake_device *device,
                               const struct nkv_packet *request)
{
    uint8_t part[4] = {0};
    Norkv__V1__GetResponse response = NORKV__V1__GET_RESPONSE__INIT;
    unsigned *parts = device->context;
    if (request->type != NKV_PACKET_REQUEST ||
        request->method_id != NKV_METHOD_STORE_GET)
        return;
    response.value = (ProtobufCBinaryData){sizeof(part), part};
    response.total_size = 10000;
    response.version = 1;
    nkv_fake_device_reply(device, request, NKV_PACKET_RESPONSE, NKV_OK,
                          &response.base);
    (*parts)++;
}

static void all_parts_of_a_value_have_one_deadline(void **state)
{
    (void)state;
    for (int is_started = 0; is_started < 2; is_started++) {
        struct nkv_bench bench;
        struct nkv_fake_device device;
        struct nkv_call_options call = {.deadline_ms = 700};
        unsigned parts = 0;
        nkv_bench_init(&bench, 1);
        nkv_fake_device_init(&device, &bench);
        device.answer = answer_with_a_part;
        device.context = &parts;
        bench.line.speed.latency_ms = 50;
        struct nkv_client *client = nkv_bench_open(&bench, NULL);
        struct result result = {.bench = &bench};
        if (is_started) {
            (void)start_get(client, "k", 700, &result);
            for (unsigned i = 0; result.ends == 0; i++) {
                assert_in_range(i, 0, 10000);
                (void)wait_and_process(&bench, client);
            }
        } else {
            result.status = block(client, 1, &call);
            result.ended_ms = nkv_bench_now_ms(&bench);
        }
        assert_int_equal(result.status, NKV_DEADLINE_EXCEEDED);
        assert_in_range(result.ended_ms, 700, 700 + 40);
        assert_in_range(parts, 4, 10);
        nkv_client_free(&client);
        nkv_bench_free(&bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hundreds_of_calls_end_once_each),
        cmocka_unit_test(a_bad_line_loses_none_of_them),
        cmocka_unit_test(restarts_lose_none_of_them),
        cmocka_unit_test(conditional_writes_are_done_once_over_a_restart),
        cmocka_unit_test(calls_that_block_go_between),
        cmocka_unit_test(a_deadline_ends_each_call_on_its_own),
        cmocka_unit_test(a_cancelled_call_ends_once),
        cmocka_unit_test(a_dead_port_ends_all_calls),
        cmocka_unit_test(closing_ends_all_calls),
        cmocka_unit_test(a_callback_starts_and_cancels_calls),
        cmocka_unit_test(the_window_holds_for_any_mix_of_calls),
        cmocka_unit_test(a_generic_call_needs_no_session),
        cmocka_unit_test(a_generic_stream_gives_each_message),
        cmocka_unit_test(a_generic_call_is_sent_once_unless_told),
        cmocka_unit_test(a_line_that_takes_nothing_does_not_block),
        cmocka_unit_test(no_call_outlives_its_deadline),
        cmocka_unit_test(all_parts_of_a_value_have_one_deadline),
    };
    return cmocka_run_group_tests_name("async", tests, NULL, NULL);
}
