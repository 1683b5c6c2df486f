/*
 * Uploads: a call whose chunks are sent as far as the device's credits allow.
 * After a loss it goes back to what is not acknowledged; a device that does not
 * know the call any more gets that as a new one.
 */
#include "restore.h"

#include "internal.h"
#include <norkv/record.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* Calls, one after another, without a record that was acknowledged. */
    FRUITLESS_MAX = 16,
    /* On the wire: what frames have around their content, and a credit. */
    FLAGS = 2,
    CREDIT = 64,
    /* For the two ends' own slowness, and between two credits of a device that
     * is at work on a chunk. */
    MARGIN_MS = 200,
    TIMER_MAX_MS = 60000,
    DOUBLINGS_MAX = 8,
    /* A device that answers other calls has not come to the chunk yet; but
     * there may always be other calls. */
    REPRIEVES_MAX = 16,
    /* A call is given up for a new one when so many timers have run out, and
     * the device spoke, but acknowledged nothing: it may have begun anew. */
    STUCK_MAX = 3
};

/* ---- Times ------------------------------------------------------------ */

/* How long the device may need for a sign of life, with what is in flight. */
static uint64_t patience_ms(const struct nkv_restoring *restoring)
{
    const struct nkv_client *client = restoring->client;
    size_t wire =
        CREDIT + nkv_window_wire_size(client) + restoring->flight_count * FLAGS;
    uint64_t time = 2 * (uint64_t)client->latency_ms + MARGIN_MS +
                    client->session.device.stall_max_ms;
    if (client->baud != 0)
        time += (uint64_t)wire * 10000 / client->baud + 1;
    unsigned doublings =
        restoring->silent > DOUBLINGS_MAX ? DOUBLINGS_MAX : restoring->silent;
    time = (time * client->patience) << doublings;
    return time > TIMER_MAX_MS ? TIMER_MAX_MS : time;
}

static void start_timer(struct nkv_restoring *restoring)
{
    restoring->timer_at =
        nkv_link_now(&restoring->client->link) + patience_ms(restoring);
}

/* ---- Sending ---------------------------------------------------------- */

static void forget_flights(struct nkv_restoring *restoring)
{
    restoring->flight_count = 0;
    restoring->client->window.chunks = 0;
}

static void go_back(struct nkv_restoring *restoring)
{
    nkv_restore_note_loss(restoring);
    restoring->is_back_wanted = false;
    restoring->sent = 0;
    restoring->is_last_sent = false;
    forget_flights(restoring);
}

static enum nkv_status send_what_may_be(struct nkv_restoring *restoring)
{
    for (;;) {
        struct nkv_restore_chunk chunk;
        enum nkv_status status = nkv_restore_cut(restoring, &chunk);
        if (status == NKV_NOT_FOUND)
            return NKV_OK;
        if (status != NKV_OK)
            return status;
        if (!nkv_restore_may_send(restoring, &chunk))
            return NKV_OK;
        status = nkv_restore_send(restoring, &chunk);
        if (status != NKV_OK)
            return status;
        start_timer(restoring);
    }
}

/* Everything was sent and acknowledged. A last chunk without records must be
 * answered by the end of the call. */
static bool is_complete(const struct nkv_restoring *restoring)
{
    return restoring->is_ended && restoring->size == 0 &&
           restoring->is_last_ever_sent;
}

/* There is no use in waiting for more in this call. */
static bool is_over(const struct nkv_restoring *restoring)
{
    bool is_stuck =
        restoring->silent >= STUCK_MAX && restoring->idle_credits > 0;
    /* The response is lost. */
    bool is_end_lost = restoring->is_failed && restoring->silent > 0;
    return restoring->exchange.done || restoring->nonsense != NULL ||
           is_stuck || is_end_lost;
}

/* Gives the device its time anew after a sign of life. */
static void lengthen_timer(struct nkv_restoring *restoring, bool was_credit)
{
    if (was_credit)
        restoring->reprieves = 0;
    if (restoring->reprieves++ < REPRIEVES_MAX)
        start_timer(restoring);
}

/* Waits for a credit, or until the timer has run out; then goes back. */
static enum nkv_status wait_for_credit(struct nkv_restoring *restoring)
{
    struct nkv_client *client = restoring->client;
    uint32_t packets = client->link.heard.packets;
    uint64_t credits = restoring->credits;
    /* Then there is nothing to wait for but room beside other calls. */
    bool is_held_up = restoring->flight_count == 0 && !restoring->is_failed;
    enum nkv_status status =
        nkv_host_wait(client, is_held_up ? UINT64_MAX : restoring->timer_at);
    if (status != NKV_OK || is_over(restoring))
        return status;
    if (restoring->is_back_wanted)
        go_back(restoring);
    if (client->link.heard.packets != packets)
        lengthen_timer(restoring, restoring->credits != credits);
    if (is_held_up || nkv_link_now(&client->link) < restoring->timer_at)
        return NKV_OK;
    restoring->silent++;
    if (restoring->silent >= client->attempts)
        return nkv_host_fail_silent(client);
    go_back(restoring);
    return NKV_OK;
}

/* ---- Calls ------------------------------------------------------------ */

/* Sends chunks until the call has ended, or is to be given up. */
static enum nkv_status transfer(struct nkv_restoring *restoring)
{
    enum nkv_status status = NKV_OK;
    while (status == NKV_OK && !is_over(restoring)) {
        if (!restoring->is_failed)
            status = send_what_may_be(restoring);
        if (status == NKV_OK && is_complete(restoring) &&
            restoring->flight_count == 0) {
            nkv_exchange_linger(restoring->client, &restoring->exchange);
            return NKV_OK;
        }
        if (status == NKV_OK)
            status = wait_for_credit(restoring);
    }
    return status;
}

/* A new call begins where the last one got to. */
static void begin_call(struct nkv_restoring *restoring)
{
    restoring->exchange = (struct nkv_exchange){
        .message = nkv_restore_take_credit,
        .context = restoring,
    };
    restoring->offset = 0;
    restoring->crc32 = 0;
    restoring->sent = 0;
    restoring->ever_sent = 0;
    restoring->is_last_sent = false;
    restoring->is_last_ever_sent = false;
    restoring->written_before = restoring->restore->written;
    forget_flights(restoring);
    restoring->has_credit = false;
    restoring->is_begun = false;
    restoring->is_back_wanted = false;
    restoring->is_failed = false;
    restoring->reason = NKV_REASON_NONE;
    restoring->silent = 0;
    restoring->idle_credits = 0;
    nkv_exchange_begin(restoring->client, &restoring->exchange,
                       NKV_METHOD_RESTORE, (struct nkv_span){NULL, 0});
    /* Each chunk repeats it: a small number saves two bytes of each. */
    restoring->client->upload_id =
        restoring->client->upload_id % NKV_CLIENT_UPLOAD_ID_MAX + 1;
    restoring->exchange.call_id = restoring->client->upload_id;
}

/* Names the record that failed: the queue's first. */
static void name_failed(struct nkv_restoring *restoring)
{
    struct nkv_client_restore *restore = restoring->restore;
    struct nkv_span queue = {restoring->bytes, restoring->size};
    struct nkv_record record;
    bool is_ours = restoring->is_failed &&
                   restoring->reason != NKV_REASON_STORE_READ_ONLY &&
                   restoring->reason != NKV_REASON_FLASH_FAULT &&
                   restoring->reason != NKV_REASON_NO_SUCH_STORE;
    if (!is_ours || nkv_record_next(&queue, &record) != NKV_OK)
        return;
    restore->failed_key_size = record.key.size;
    memcpy(restore->failed_key, record.key.data, record.key.size);
    nkv_host_name_call(restoring->client, "restore", &record.key);
}

static enum nkv_status fail(struct nkv_restoring *restoring,
                            const struct nkv_answer *answer)
{
    struct nkv_client *client = restoring->client;
    if (answer->is_server_error)
        return nkv_host_refuse(client, answer);
    if (answer->status == NKV_ABORTED)
        return nkv_host_fail(client, NKV_ABORTED,
                             "another client has erased the store, or began "
                             "an upload (there is one at a time: repeat it)");
    if (answer->status == NKV_DATA_LOSS || answer->status == NKV_OK)
        return nkv_host_fail(client, NKV_DATA_LOSS,
                             "what arrived at the device is not what was sent "
                             "(%s)",
                             nkv_status_name(answer->status));
    name_failed(restoring);
    return nkv_host_refuse(client, answer);
}

/* Whether what is left is to be sent in a new call: the device was restarted,
 * or it has lost the thread of this one. */
static bool is_worth_another(const struct nkv_answer *answer)
{
    if (answer->is_server_error)
        return answer->status == NKV_FAILED_PRECONDITION ||
               answer->status == NKV_UNAVAILABLE;
    return answer->status == NKV_UNAVAILABLE ||
           answer->status == NKV_OUT_OF_RANGE ||
           answer->status == NKV_DEADLINE_EXCEEDED;
}

static enum nkv_status judge_end(struct nkv_restoring *restoring, bool *again)
{
    struct nkv_answer whole;
    nkv_exchange_answer(&restoring->exchange, &whole);
    const struct nkv_answer answer = {
        .status = whole.status,
        .reason = restoring->reason,
        .is_server_error = whole.is_server_error,
    };
    nkv_answer_clear(&whole);
    bool is_done = !answer.is_server_error && answer.status == NKV_OK &&
                   restoring->is_ended && restoring->is_last_ever_sent;
    if (is_done)
        nkv_restore_take_all(restoring);
    /* The response to the last chunk is lost, and it was sent again. */
    if (is_done || (is_complete(restoring) && is_worth_another(&answer)))
        return NKV_OK;
    *again = is_worth_another(&answer);
    return *again ? NKV_OK : fail(restoring, &answer);
}

/* One call, with what is not done yet. *again: there has to be another. */
static enum nkv_status run_call(struct nkv_restoring *restoring, bool *again)
{
    struct nkv_client *client = restoring->client;
    struct nkv_exchange *exchange = &restoring->exchange;
    *again = false;
    begin_call(restoring);
    enum nkv_status status = nkv_exchange_run(client, exchange);
    restoring->is_begun = true;
    exchange->stop = false;
    if (status == NKV_OK && !exchange->done) {
        start_timer(restoring);
        status = transfer(restoring);
    }
    if (status == NKV_OK && restoring->nonsense != NULL)
        status =
            nkv_host_fail(client, NKV_DATA_LOSS, "%s", restoring->nonsense);
    else if (status == NKV_OK && exchange->done)
        status = judge_end(restoring, again);
    else if (status == NKV_OK)
        *again = !is_complete(restoring);
    forget_flights(restoring);
    if (!exchange->done && !client->link.dead)
        nkv_exchange_cancel(client, exchange);
    nkv_exchange_end(client, exchange);
    return status;
}

static enum nkv_status run(struct nkv_restoring *restoring)
{
    struct nkv_client *client = restoring->client;
    unsigned fruitless = 0;
    for (;;) {
        uint32_t records = restoring->restore->records;
        bool again;
        enum nkv_status status = run_call(restoring, &again);
        if (status != NKV_OK || !again)
            return status;
        fruitless = restoring->restore->records == records ? fruitless + 1 : 0;
        if (fruitless == FRUITLESS_MAX)
            return nkv_host_fail(client, NKV_UNAVAILABLE,
                                 "the device gives up each upload before it "
                                 "has acknowledged anything");
        restoring->restore->resumed++;
        /* A device that acknowledges nothing is not asked without a pause. */
        if (fruitless >= 2)
            status = nkv_host_pause(client, fruitless);
        /* After a restart its limits may be others. */
        if (status == NKV_OK)
            status = nkv_host_open_session(client);
        if (status == NKV_OK)
            status = nkv_host_need_session(client, false);
        if (status != NKV_OK)
            return status;
    }
}

static void clear_results(struct nkv_client_restore *restore)
{
    restore->records = 0;
    restore->written = 0;
    restore->bytes = 0;
    restore->resumed = 0;
    restore->failed_key_size = 0;
}

/* Time ran out although the device was at work. */
static enum nkv_status fail_late(struct nkv_restoring *restoring)
{
    return nkv_host_fail(restoring->client, NKV_DEADLINE_EXCEEDED,
                         "%lu records were stored in time, then it was over "
                         "(give it more; what is there already takes no flash "
                         "the next time)",
                         (unsigned long)restoring->restore->records);
}

enum nkv_status nkv_client_restore(struct nkv_client *client,
                                   const struct nkv_call_options *call,
                                   struct nkv_client_restore *restore)
{
    clear_results(restore);
    enum nkv_status status = nkv_host_begin(client, call, "restore", NULL);
    if (status == NKV_OK)
        status = nkv_host_need_session(client, false);
    if (status != NKV_OK)
        return status;
    struct nkv_restoring *restoring = calloc(1, sizeof(*restoring));
    if (restoring == NULL)
        return nkv_host_no_memory(client);
    restoring->client = client;
    restoring->restore = restore;
    /* A first loss is no sign of more. */
    restoring->calm = UINT64_MAX / 2;
    status = run(restoring);
    if (status == NKV_DEADLINE_EXCEEDED && restoring->silent == 0 &&
        restore->records > 0)
        status = fail_late(restoring);
    free(restoring->bytes);
    free(restoring);
    return nkv_host_end(client, status);
}
