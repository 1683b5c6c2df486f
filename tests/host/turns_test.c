/* Calls that are under way at once: what their callbacks may do to each other,
 * what time that passes unnoticed does, and that none starves or stops another.
 */
#include "fake_device.h"
#include "real_device.h"
#include "test.h"
#include <norkv/ids.h>
#include <stdio.h>
#include <stdlib.h>

struct rig {
    struct nkv_bench bench;
    struct nkv_fake_device device;
    struct nkv_client *client;
    /* Of the next requests that are no Device.Open so many get no answer. */
    unsigned unanswered;
    unsigned gets;
};

/* How a call ended. */
struct result {
    struct rig *rig;
    unsigned ends;
    enum nkv_status status;
    uint64_t number;
    /* Another call, which is cancelled from a callback. */
    uint64_t other;
    enum nkv_status other_status;
};

static void answer_write(struct rig *rig, const struct nkv_packet *request)
{
    Norkv__V1__WriteResponse response = NORKV__V1__WRITE_RESPONSE__INIT;
    response.version = 1;
    nkv_fake_device_reply(&rig->device, request, NKV_PACKET_RESPONSE, NKV_OK,
                          &response.base);
}

static void answer_get(struct rig *rig, const struct nkv_packet *request)
{
    Norkv__V1__GetResponse response = NORKV__V1__GET_RESPONSE__INIT;
    rig->gets++;
    response.version = 1;
    nkv_fake_device_reply(&rig->device, request, NKV_PACKET_RESPONSE, NKV_OK,
                          &response.base);
}

/* Values are empty; streams get one message, and no end. */
static void answer(struct nkv_fake_device *device,
                   const struct nkv_packet *request)
{
    struct rig *rig = device->context;
    struct nkv_span none = {NULL, 0};
    if (request->type != NKV_PACKET_REQUEST)
        return;
    if (rig->unanswered > 0)
        rig->unanswered--;
    else if (request->method_id == NKV_METHOD_STORE_GET)
        answer_get(rig, request);
    else if (request->method_id == NKV_METHOD_STORE_PUT)
        answer_write(rig, request);
    else
        nkv_fake_device_reply_bytes(device, request, NKV_PACKET_SERVER_STREAM,
                                    NKV_OK, none);
}

static struct rig *open_rig(const struct nkv_client_options *options)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    const struct nkv_device *told;
    assert_non_null(rig);
    nkv_bench_init(&rig->bench, 1);
    nkv_fake_device_init(&rig->device, &rig->bench);
    rig->device.answer = answer;
    rig->device.context = rig;
    rig->client = nkv_bench_open(&rig->bench, options);
    assert_done(rig->client, nkv_client_device(rig->client, NULL, &told));
    return rig;
}

static void close_rig(struct rig *rig)
{
    nkv_client_free(&rig->client);
    nkv_bench_free(&rig->bench);
    free(rig);
}

/* ---- Callbacks ---------------------------------------------------------- */

static void note(struct result *result,
                 const struct nkv_client_outcome *outcome)
{
    assert_int_equal(result->ends++, 0);
    result->status = outcome->status;
}

static void got(void *context, const struct nkv_client_outcome *outcome,
                struct nkv_client_value *value)
{
    (void)value;
    note(context, outcome);
}

static void wrote(void *context, const struct nkv_client_outcome *outcome,
                  const struct nkv_mutation *mutation)
{
    (void)mutation;
    note(context, outcome);
}

static void ended(void *context, const struct nkv_client_outcome *outcome,
                  struct nkv_span payload)
{
    (void)payload;
    note(context, outcome);
}

static void start_get(struct rig *rig, struct result *result,
                      uint32_t deadline_ms)
{
    const struct nkv_call_options call = {.deadline_ms = deadline_ms};
    const struct nkv_get_call get = {text_span("k"), got, result};
    result->rig = rig;
    assert_done(rig->client, nkv_client_start_get(rig->client, &call, &get,
                                                  &result->number));
}

static void start_put(struct rig *rig, struct result *result)
{
    const struct nkv_mutation_call put = {
        .mutation = {.key = text_span("k"), .value = text_span("v")},
        .done = wrote,
        .context = result,
    };
    result->rig = rig;
    assert_done(rig->client, nkv_client_start_mutation(rig->client, NULL, &put,
                                                       &result->number));
}

static void start_stream(struct rig *rig, struct result *result,
                         void (*message)(void *context, struct nkv_span bytes))
{
    const struct nkv_generic_call call = {
        .service = "a.Service",
        .method = "Stream",
        .kind = NKV_CALL_SERVER_STREAM,
        .message = message,
        .done = ended,
        .context = result,
    };
    result->rig = rig;
    assert_done(rig->client, nkv_client_start_call(rig->client, NULL, &call,
                                                   &result->number));
}

/* ---- Going on ----------------------------------------------------------- */

/* As a program with poll would. False: there is nothing left to wait for. */
static bool go_on(struct rig *rig)
{
    int timeout_ms = nkv_client_timeout_ms(rig->client);
    if (timeout_ms < 0)
        return false;
    nkv_bench_pass(&rig->bench, (uint32_t)timeout_ms);
    enum nkv_status status = nkv_client_process(rig->client);
    assert_true(status == NKV_OK || status == NKV_UNAVAILABLE);
    return true;
}

/* Until the device has so many requests. */
static void await_requests(struct rig *rig, unsigned count)
{
    for (unsigned i = 0; rig->device.requests < count; i++) {
        assert_in_range(i, 0, 10000);
        assert_int_equal(nkv_client_process(rig->client), NKV_OK);
        nkv_bench_wait(&rig->bench, 1);
    }
}

static void run(struct rig *rig)
{
    for (unsigned i = 0; go_on(rig); i++)
        assert_in_range(i, 0, 100000);
}

/* ---- Time ---------------------------------------------------------------- */

/* A program that was busy with something else asks too late how long to wait:
 * the request that was not answered is due at once, not at the deadline. */
static void a_timer_that_ran_out_unnoticed_is_due(void **state)
{
    (void)state;
    for (int which = 0; which < 2; which++) {
        struct rig *rig = open_rig(NULL);
        struct result result = {0};
        rig->unanswered = 1;
        if (which == 0)
            start_get(rig, &result, 0);
        else
            start_put(rig, &result);
        await_requests(rig, 2);
        assert_true(nkv_client_timeout_ms(rig->client) > 0);
        nkv_bench_wait(&rig->bench, 3000);
        assert_int_equal(nkv_client_timeout_ms(rig->client), 0);
        run(rig);
        assert_int_equal(result.status, NKV_OK);
        assert_in_range(nkv_bench_now_ms(&rig->bench), 3000, 3100);
        close_rig(rig);
    }
}

/* Starts one get after another for a while. */
static void get_again(void *context, const struct nkv_client_outcome *outcome,
                      struct nkv_client_value *value)
{
    struct result *result = context;
    const struct nkv_get_call get = {text_span("k"), get_again, result};
    (void)value;
    assert_int_equal(outcome->status, NKV_OK);
    result->ends++;
    if (nkv_bench_now_ms(&result->rig->bench) < 5000)
        assert_done(result->rig->client,
                    nkv_client_start_get(result->rig->client, NULL, &get,
                                         &result->number));
}

/* Answers to requests that were sent later do not give it more time. */
static void a_lost_request_is_repeated_beside_endless_others(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    struct result lost = {0};
    struct result chain = {.rig = rig};
    const struct nkv_get_call get = {text_span("k"), get_again, &chain};
    rig->bench.line.speed.latency_ms = 5;
    rig->unanswered = 1;
    start_get(rig, &lost, 4000);
    await_requests(rig, 2);
    assert_done(rig->client,
                nkv_client_start_get(rig->client, NULL, &get, &chain.number));
    run(rig);
    assert_int_equal(lost.status, NKV_OK);
    assert_true(chain.ends > 100);
    close_rig(rig);
}

static void listening_lets_other_calls_go_on(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    struct result results[2] = {{0}, {0}};
    rig->unanswered = 1;
    start_get(rig, &results[0], 0);
    start_put(rig, &results[1]);
    assert_int_equal(nkv_client_listen(rig->client, 3000),
                     NKV_DEADLINE_EXCEEDED);
    assert_int_equal(nkv_bench_now_ms(&rig->bench), 3000);
    assert_int_equal(results[0].ends, 1);
    assert_int_equal(results[0].status, NKV_OK);
    assert_int_equal(results[1].status, NKV_OK);
    close_rig(rig);
}

/* A call that blocks has read the other's answer along with its own: the
 * program, which waits for bytes, must not wait. */
static void an_answer_that_came_with_another_is_told_at_once(void **state)
{
    (void)state;
    struct nkv_bench bench;
    struct nkv_real_device device;
    struct nkv_client_key_info info;
    struct result result = {0};
    struct rig rig = {0};
    nkv_bench_init(&bench, 1);
    bench.line.speed.latency_ms = 5;
    nkv_real_device_init(&device, &bench, NULL);
    rig.client = nkv_bench_open(&bench, NULL);
    assert_done(rig.client, nkv_client_put(rig.client, NULL, text_span("k"),
                                           text_span("v")));
    start_get(&rig, &result, 0);
    assert_done(rig.client,
                nkv_client_describe(rig.client, NULL, text_span("k"), &info));
    nkv_bench_wait(&bench, 100);
    if (result.ends == 0)
        assert_int_equal(nkv_client_timeout_ms(rig.client), 0);
    assert_int_equal(nkv_client_process(rig.client), NKV_OK);
    assert_int_equal(result.ends, 1);
    nkv_client_free(&rig.client);
    nkv_real_device_free(&device);
    nkv_bench_free(&bench);
}

/* ---- Ends ---------------------------------------------------------------- */

/* The answer and the end of the line arrive at once. */
static void an_answer_counts_though_the_line_has_ended_behind_it(void **state)
{
    (void)state;
    for (int which = 0; which < 2; which++) {
        struct rig *rig = open_rig(NULL);
        struct result result = {0};
        if (which == 0)
            start_get(rig, &result, 0);
        else
            start_put(rig, &result);
        await_requests(rig, 2);
        rig->bench.keeps_arrived = true;
        rig->bench.cut_at_ms = nkv_bench_now_ms(&rig->bench);
        assert_int_equal(nkv_client_process(rig->client), NKV_UNAVAILABLE);
        assert_int_equal(result.ends, 1);
        assert_int_equal(result.status, NKV_OK);
        close_rig(rig);
    }
}

static void cancel_itself(void *context, struct nkv_span payload)
{
    struct result *result = context;
    (void)payload;
    result->other_status =
        nkv_client_cancel(result->rig->client, result->number);
}

/* Cancelling tells the device; the line is gone, and what it had said before is
 * read: a message of the call that is just being cancelled. */
static void a_message_that_comes_while_a_call_is_cancelled_is_none(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    struct result result = {.other_status = NKV_UNKNOWN};
    start_stream(rig, &result, cancel_itself);
    await_requests(rig, 2);
    rig->bench.fails_writes = true;
    assert_int_equal(nkv_client_cancel(rig->client, result.number), NKV_OK);
    assert_int_equal(nkv_client_process(rig->client), NKV_UNAVAILABLE);
    assert_int_equal(result.ends, 1);
    assert_int_equal(result.status, NKV_CANCELLED);
    /* It was not called. */
    assert_int_equal(result.other_status, NKV_UNKNOWN);
    close_rig(rig);
}

/* Cancels another call when a request leaves. */
static void cancel_other(void *context, const struct nkv_client_trace *trace)
{
    struct result *result = context;
    if (!trace->sent || result->other == 0)
        return;
    uint64_t other = result->other;
    result->other = 0;
    result->other_status = nkv_client_cancel(result->rig->client, other);
    assert_int_equal(nkv_client_cancel(result->rig->client, other),
                     NKV_NOT_FOUND);
}

/* Of three gets or puts, the first or the second or the third, while the first
 * is being sent. */
static void a_call_may_be_cancelled_while_another_is_sent(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        struct result results[3] = {{0}, {0}, {0}};
        struct result canceller = {.other_status = NKV_UNKNOWN};
        struct nkv_client_options options = {
            .trace = cancel_other,
            .trace_context = &canceller,
        };
        struct rig *rig = open_rig(&options);
        canceller.rig = rig;
        for (unsigned k = 0; k < 3; k++) {
            if (i < 3)
                start_get(rig, &results[k], 0);
            else
                start_put(rig, &results[k]);
        }
        canceller.other = results[i % 3].number;
        run(rig);
        assert_int_equal(canceller.other_status, NKV_OK);
        for (unsigned k = 0; k < 3; k++) {
            assert_int_equal(results[k].ends, 1);
            assert_int_equal(results[k].status,
                             k == i % 3 ? NKV_CANCELLED : NKV_OK);
        }
        close_rig(rig);
    }
}

/* More than there are numbers for calls. */
enum { VERY_MANY = 17000 };

static void very_many_calls_can_be_under_way(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    struct result *results = calloc(VERY_MANY, sizeof(*results));
    assert_non_null(results);
    for (unsigned i = 0; i < VERY_MANY; i++) {
        if (i % 2 == 0)
            start_stream(rig, &results[i], NULL);
        else
            start_get(rig, &results[i], 0);
    }
    for (unsigned i = 0; i < 5; i++) {
        nkv_bench_pass(&rig->bench, 1);
        assert_int_equal(nkv_client_process(rig->client), NKV_OK);
    }
    nkv_client_free(&rig->client);
    for (unsigned i = 0; i < VERY_MANY; i++)
        assert_int_equal(results[i].ends, 1);
    free(results);
    close_rig(rig);
}

/* ---- What a callback may not ----------------------------------------------
 */

struct nested {
    struct nkv_client *client;
    unsigned calls;
    unsigned refused;
};

static void try_to_block(struct nested *nested)
{
    if (nested->client == NULL)
        return;
    nested->calls++;
    if (nkv_client_echo(nested->client, NULL, "x", NULL) ==
            NKV_FAILED_PRECONDITION &&
        nkv_client_process(nested->client) == NKV_FAILED_PRECONDITION)
        nested->refused++;
}

static void block_in_trace(void *context, const struct nkv_client_trace *trace)
{
    (void)trace;
    try_to_block(context);
}

static void block_in_remark(void *context,
                            const struct nkv_client_remark *remark)
{
    (void)remark;
    try_to_block(context);
}

static enum nkv_status block_in_next(void *context, struct nkv_span *key,
                                     struct nkv_span *value)
{
    (void)key;
    (void)value;
    try_to_block(context);
    return NKV_CANCELLED;
}

/* A call that blocks within another would take that one's deadline and error
 * text, and read on in the middle of a frame. */
static void no_callback_can_block(void **state)
{
    (void)state;
    struct nested nested[3] = {{0}, {0}, {0}};
    struct nkv_client_options options = {
        .trace = block_in_trace,
        .trace_context = &nested[0],
        .remark = block_in_remark,
        .remark_context = &nested[1],
    };
    struct nkv_client_restore restore = {
        .next = block_in_next,
        .context = &nested[2],
    };
    struct nkv_client_value value;
    struct nkv_bench bench;
    struct nkv_real_device device;
    nkv_bench_init(&bench, 1);
    nkv_real_device_init(&device, &bench, NULL);
    struct nkv_client *client = nkv_bench_open(&bench, &options);
    for (int i = 0; i < 3; i++)
        nested[i].client = client;
    assert_int_equal(nkv_server_log(&device.server, "a log"), NKV_OK);
    assert_int_equal(nkv_client_get(client, NULL, text_span("k"), &value),
                     NKV_NOT_FOUND);
    assert_int_equal(nkv_client_restore(client, NULL, &restore), NKV_CANCELLED);
    for (int i = 0; i < 3; i++) {
        assert_true(nested[i].calls > 0);
        assert_int_equal(nested[i].refused, nested[i].calls);
    }
    nkv_client_free(&client);
    nkv_real_device_free(&device);
    nkv_bench_free(&bench);
}

/* ---- Mutations ------------------------------------------------------------
 */

/* Each costs an opening, and none is the device's fault. */
static void writes_that_are_given_up_do_not_spoil_the_next(void **state)
{
    (void)state;
    struct rig *rig = open_rig(NULL);
    for (unsigned i = 0; i < 40; i++) {
        struct result result = {0};
        unsigned requests = rig->device.requests;
        unsigned opens = rig->device.opens;
        rig->unanswered = 1;
        start_put(rig, &result);
        /* But for the first one, a session is opened before it. */
        await_requests(rig, requests + 1 + (i > 0));
        assert_int_equal(rig->device.opens - opens, i > 0);
        assert_int_equal(nkv_client_cancel(rig->client, result.number), NKV_OK);
        assert_int_equal(nkv_client_process(rig->client), NKV_OK);
        assert_int_equal(result.ends, 1);
    }
    rig->unanswered = 0;
    assert_done(rig->client, nkv_client_put(rig->client, NULL, text_span("k"),
                                            text_span("v")));
    close_rig(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_that_ran_out_unnoticed_is_due),
        cmocka_unit_test(a_lost_request_is_repeated_beside_endless_others),
        cmocka_unit_test(listening_lets_other_calls_go_on),
        cmocka_unit_test(an_answer_that_came_with_another_is_told_at_once),
        cmocka_unit_test(an_answer_counts_though_the_line_has_ended_behind_it),
        cmocka_unit_test(
            a_message_that_comes_while_a_call_is_cancelled_is_none),
        cmocka_unit_test(a_call_may_be_cancelled_while_another_is_sent),
        cmocka_unit_test(very_many_calls_can_be_under_way),
        cmocka_unit_test(no_callback_can_block),
        cmocka_unit_test(writes_that_are_given_up_do_not_spoil_the_next),
    };
    return cmocka_run_group_tests_name("turns", tests, NULL, NULL);
}
