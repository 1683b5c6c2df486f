/* Mutations: sent in order, several in flight, each applied once. */
#include "batch.h"

#include <stdlib.h>

/* ---- Answers ---------------------------------------------------------- */

static struct nkv_flight *find_seq(const struct nkv_batch *batch, uint32_t seq)
{
    for (size_t i = 0; i < batch->flight_count; i++) {
        if (batch->flights[i]->seq == seq)
            return batch->flights[i];
    }
    return NULL;
}

/* The device misses a mutation before this one: it was lost on the line. That
 * one goes first, and this one behind it. */
static void close_gap(struct nkv_batch *batch, struct nkv_flight *flight,
                      uint32_t next_seq)
{
    uint64_t now = nkv_link_now(&batch->client->link);
    struct nkv_flight *missing = find_seq(batch, next_seq);
    if (missing == NULL || missing == flight) {
        batch->lost = true;
        return;
    }
    /* Frames keep their order: what was sent before this one, and is missing,
     * will not come. One that waits for its turn already (attempts is 0) sets
     * the time. */
    bool was_lost = missing->order < flight->order && !missing->exchange.done;
    if (was_lost && missing->exchange.attempts > 0)
        nkv_exchange_revive(&missing->exchange, now);
    uint64_t later =
        missing->exchange.attempts == 0 ? missing->exchange.resend_at : now;
    nkv_exchange_revive(&flight->exchange, later);
}

/* An answer that does not decide: what must be done before another comes. */
static void take_undecided(struct nkv_batch *batch, struct nkv_flight *flight,
                           const struct nkv_answer *answer)
{
    const Norkv__V1__WriteResponse *response = (const void *)answer->message;
    switch (answer->reason) {
    case NKV_REASON_SEQ_GAP:
        close_gap(batch, flight, response->next_seq);
        break;
    case NKV_REASON_SESSION_UNKNOWN:
        batch->lost = true;
        break;
    case NKV_REASON_SEQ_TOO_OLD:
        flight->ambiguous = true;
        flight->renumber = true;
        batch->lost = true;
        break;
    case NKV_REASON_SEQ_REUSED:
        flight->renumber = true;
        batch->lost = true;
        break;
    default:
        nkv_exchange_defer(batch->client, &flight->exchange,
                           flight->busy_count++);
        break;
    }
}

static void take_answers(struct nkv_batch *batch)
{
    for (size_t i = 0; i < batch->flight_count && !batch->lost;) {
        struct nkv_flight *flight = batch->flights[i];
        struct nkv_answer answer;
        if (!flight->exchange.done) {
            i++;
            continue;
        }
        nkv_exchange_answer(&flight->exchange, &answer);
        if (nkv_batch_is_final(&answer)) {
            nkv_flight_finish(batch, i, &answer);
        } else {
            take_undecided(batch, flight, &answer);
            i++;
        }
        nkv_answer_clear(&answer);
    }
}

/* ---- Sending ---------------------------------------------------------- */

static enum nkv_status fill(struct nkv_batch *batch)
{
    enum nkv_status status = NKV_OK;
    while (status == NKV_OK && batch->next < batch->count)
        status = nkv_flight_add(batch);
    return status == NKV_RESOURCE_EXHAUSTED ? NKV_OK : status;
}

static enum nkv_status send_due(struct nkv_batch *batch)
{
    struct nkv_client *client = batch->client;
    enum nkv_status status = NKV_OK;
    for (size_t i = 0; i < batch->flight_count && status == NKV_OK; i++) {
        struct nkv_flight *flight = batch->flights[i];
        struct nkv_exchange *exchange = &flight->exchange;
        if (exchange->done || nkv_link_now(&client->link) < exchange->resend_at)
            continue;
        if (nkv_exchange_is_hopeless(client, exchange))
            return nkv_host_fail_silent(client);
        size_t ahead = nkv_flight_wire_bytes(batch) -
                       nkv_exchange_wire_size(client, exchange);
        flight->sends++;
        flight->order = ++batch->order;
        status = nkv_exchange_send(client, exchange, ahead);
    }
    return status;
}

/* Waits for an answer, or until something is to be sent again. */
static enum nkv_status await(struct nkv_batch *batch)
{
    uint64_t until = UINT64_MAX;
    for (size_t i = 0; i < batch->flight_count; i++) {
        const struct nkv_exchange *exchange = &batch->flights[i]->exchange;
        if (exchange->done)
            return NKV_OK;
        if (exchange->resend_at < until)
            until = exchange->resend_at;
    }
    return batch->flight_count == 0 ? NKV_OK
                                    : nkv_host_wait(batch->client, until);
}

static enum nkv_status run(struct nkv_batch *batch)
{
    enum nkv_status status = NKV_OK;
    while (status == NKV_OK &&
           (batch->next < batch->count || batch->flight_count > 0)) {
        status = fill(batch);
        if (status == NKV_OK)
            status = send_due(batch);
        if (status == NKV_OK)
            status = await(batch);
        if (status == NKV_OK)
            take_answers(batch);
        if (status == NKV_OK && batch->lost)
            status = nkv_batch_recover(batch);
    }
    return status;
}

/* ---- The calls -------------------------------------------------------- */

/* The line failed: what was sent may have been done, or not. */
static void abandon(struct nkv_batch *batch, enum nkv_status status)
{
    while (batch->flight_count > 0) {
        const struct nkv_flight *flight = batch->flights[0];
        bool sent = flight->sends > 0 || flight->ambiguous;
        nkv_flight_drop(batch, 0, sent ? status : NKV_CANCELLED);
    }
    batch->client->session.stale = true;
}

static enum nkv_status fail_for_size(struct nkv_client *client,
                                     const struct nkv_mutation *mutation)
{
    const struct nkv_device *device = &client->session.device;
    /* The device tells what it takes under the longest key. */
    size_t most = (size_t)device->max_value;
    if (mutation->key.size < device->max_key)
        most += device->max_key - mutation->key.size;
    return nkv_host_fail(client, NKV_INVALID_ARGUMENT,
                         "the value has %zu bytes, the device takes %zu under "
                         "this key",
                         mutation->value.size, most);
}

/* Explains the first mutation that failed. */
static enum nkv_status report(struct nkv_client *client,
                              const struct nkv_mutation *mutations,
                              size_t count)
{
    size_t i = 0;
    while (i < count && mutations[i].status == NKV_OK)
        i++;
    if (i == count)
        return NKV_OK;
    const struct nkv_mutation *failed = &mutations[i];
    bool is_put = failed->kind == NKV_MUTATION_PUT;
    nkv_host_name_call(client, is_put ? "put" : "delete", &failed->key);
    if (failed->status == NKV_UNKNOWN && failed->conditional)
        return nkv_host_fail(client, NKV_UNKNOWN,
                             "unknown outcome: the device restarted, and the "
                             "key does not tell whether this was done before");
    if (failed->status == NKV_INVALID_ARGUMENT &&
        failed->reason == NKV_REASON_VALUE_TOO_LARGE) {
        client->reason = failed->reason;
        return fail_for_size(client, failed);
    }
    struct nkv_answer answer = {
        .status = failed->status,
        .reason = failed->reason,
    };
    return nkv_host_refuse(client, &answer);
}

static bool is_line_failure(enum nkv_status line,
                            const struct nkv_mutation *mutations, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (mutations[i].status == line || mutations[i].status == NKV_CANCELLED)
            return true;
        if (mutations[i].status != NKV_OK)
            return false;
    }
    return true;
}

static enum nkv_status run_batch(struct nkv_client *client,
                                 struct nkv_mutation *mutations, size_t count)
{
    enum nkv_status status = nkv_host_need_session(client, true);
    if (status != NKV_OK)
        return status;
    size_t capacity = client->session.device.max_calls;
    struct nkv_batch batch = {
        .client = client,
        .mutations = mutations,
        .count = count,
        .flights = calloc(capacity, sizeof(struct nkv_flight *)),
        .flight_capacity = capacity,
    };
    if (batch.flights == NULL)
        return nkv_host_no_memory(client);
    status = run(&batch);
    if (status == NKV_DEADLINE_EXCEEDED && batch.flight_count > 0 &&
        batch.flights[0]->busy_count > 0)
        status =
            nkv_host_fail(client, NKV_UNAVAILABLE, "the device stayed busy");
    if (status != NKV_OK)
        abandon(&batch, status);
    free(batch.flights);
    return status;
}

enum nkv_status nkv_client_apply(struct nkv_client *client,
                                 const struct nkv_call_options *call,
                                 struct nkv_mutation *mutations, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        mutations[i].status = NKV_CANCELLED;
        mutations[i].reason = NKV_REASON_NONE;
        mutations[i].version = 0;
        mutations[i].replayed = false;
    }
    if (count == 0)
        return NKV_OK;
    bool is_put = mutations[0].kind == NKV_MUTATION_PUT;
    const char *name = count > 1 ? "apply" : is_put ? "put" : "delete";
    enum nkv_status status = nkv_host_begin(
        client, call, name, count > 1 ? NULL : &mutations[0].key);
    if (status == NKV_OK)
        status = run_batch(client, mutations, count);
    if (status == NKV_OK || !is_line_failure(status, mutations, count))
        status = report(client, mutations, count);
    return nkv_host_end(client, status);
}

enum nkv_status nkv_client_put(struct nkv_client *client,
                               const struct nkv_call_options *call,
                               struct nkv_span key, struct nkv_span value)
{
    struct nkv_mutation mutation = {
        .kind = NKV_MUTATION_PUT,
        .key = key,
        .value = value,
    };
    return nkv_client_apply(client, call, &mutation, 1);
}

enum nkv_status nkv_client_delete(struct nkv_client *client,
                                  const struct nkv_call_options *call,
                                  struct nkv_span key)
{
    struct nkv_mutation mutation = {
        .kind = NKV_MUTATION_DELETE,
        .key = key,
    };
    return nkv_client_apply(client, call, &mutation, 1);
}
