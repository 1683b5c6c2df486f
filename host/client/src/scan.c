/*
 * Scans: a stream of chunks, each with the cursor behind it. A chunk that was
 * lost shows as a gap in their numbers or as silence; the scan then goes on
 * from the last good cursor with a new call.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    /* More than any device needs for its cursor. */
    CURSOR_MAX = 256,
    PAUSE_FIRST_MS = 20,
    PAUSE_MAX_MS = 1000
};

enum scan_end {
    SCAN_RUNNING,
    /* All records came. */
    SCAN_COMPLETE,
    /* Begin a new call at the cursor. */
    SCAN_LOST,
    /* The same, but nothing was lost: the device is busy. */
    SCAN_BUSY,
    /* The callback had enough. */
    SCAN_STOPPED,
    /* A chunk that makes no sense. */
    SCAN_BROKEN
};

struct scanning {
    struct nkv_client *client;
    struct nkv_client_scan *scan;
    struct nkv_exchange exchange;
    enum scan_end end;
    uint8_t cursor[CURSOR_MAX];
    size_t cursor_size;
    /* The number of the chunk that comes next in this call. */
    uint32_t next_index;
    bool begun;
    /* Calls, one after another, without a single chunk that could be used;
     * and those in which no chunk came at all, nor another answer. */
    unsigned fruitless;
    unsigned silent;
};

/* ---- Chunks coming in ------------------------------------------------- */

static bool has_prefix(const Norkv__V1__Record *record, struct nkv_span prefix)
{
    return record->key.len >= prefix.size &&
           (prefix.size == 0 ||
            memcmp(record->key.data, prefix.data, prefix.size) == 0);
}

static bool is_record_sound(const Norkv__V1__Record *record,
                            const struct nkv_client_scan *scan)
{
    if (record->key.len > NKV_CLIENT_KEY_SIZE_MAX)
        return false;
    /* Of a damaged entry the key may be unknown. */
    if (record->status != NKV_OK)
        return record->value.len == 0;
    if (record->key.len == 0 || !has_prefix(record, scan->prefix))
        return false;
    bool has_value = !scan->keys_only && !record->value_omitted;
    return record->value.len == (has_value ? record->value_size : 0);
}

static bool deliver(const struct scanning *scanning,
                    const Norkv__V1__Record *from)
{
    struct nkv_client_record record = {
        .key = nkv_message_span(from->key),
        .value = nkv_message_span(from->value),
        .version = from->version,
        .value_size = from->value_size,
        .value_omitted = from->value_omitted,
        .status = nkv_wire_status(from->status),
    };
    return scanning->scan->record(scanning->scan->context, &record);
}

static void take_records(struct scanning *scanning,
                         const Norkv__V1__ScanResponse *chunk)
{
    for (size_t i = 0; i < chunk->n_records; i++) {
        if (!is_record_sound(chunk->records[i], scanning->scan)) {
            scanning->end = SCAN_BROKEN;
            return;
        }
    }
    for (size_t i = 0; i < chunk->n_records; i++) {
        if (!deliver(scanning, chunk->records[i])) {
            scanning->end = SCAN_STOPPED;
            return;
        }
    }
    if (chunk->cursor.len > 0)
        memcpy(scanning->cursor, chunk->cursor.data, chunk->cursor.len);
    scanning->cursor_size = chunk->cursor.len;
    scanning->next_index++;
    scanning->fruitless = 0;
    if (chunk->done) {
        scanning->scan->changed |= chunk->changed != 0;
        scanning->end = SCAN_COMPLETE;
    }
}

static void take_chunk(void *context, struct nkv_span payload)
{
    struct scanning *scanning = context;
    Norkv__V1__ScanResponse *chunk =
        norkv__v1__scan_response__unpack(NULL, payload.size, payload.data);
    scanning->silent = 0;
    if (chunk == NULL || chunk->cursor.len > CURSOR_MAX)
        scanning->end = SCAN_BROKEN;
    else if (chunk->index > scanning->next_index)
        scanning->end = SCAN_LOST;
    else if (chunk->index == scanning->next_index)
        take_records(scanning, chunk);
    /* One that came before is a double. */
    if (chunk != NULL)
        norkv__v1__scan_response__free_unpacked(chunk, NULL);
    scanning->exchange.stop = scanning->end != SCAN_RUNNING;
}

/* ---- Calls ------------------------------------------------------------ */

static uint8_t *make_request(const struct scanning *scanning, size_t *size)
{
    struct nkv_span cursor = {scanning->cursor, scanning->cursor_size};
    Norkv__V1__ScanRequest request = NORKV__V1__SCAN_REQUEST__INIT;
    request.store = scanning->client->store;
    request.prefix = nkv_message_bytes(scanning->scan->prefix);
    request.cursor = nkv_message_bytes(cursor);
    request.keys_only = scanning->scan->keys_only;
    return nkv_message_pack(&request.base, size);
}

static bool is_cursor_refused(const struct scanning *scanning,
                              const struct nkv_answer *answer)
{
    return scanning->cursor_size > 0 && !answer->is_server_error &&
           (answer->status == NKV_INVALID_ARGUMENT ||
            answer->status == NKV_ABORTED ||
            answer->status == NKV_OUT_OF_RANGE ||
            answer->status == NKV_FAILED_PRECONDITION);
}

/* The call ended with a status, before the last chunk was here. */
static enum nkv_status take_end(struct scanning *scanning)
{
    struct nkv_answer answer;
    enum nkv_status status = NKV_OK;
    nkv_exchange_answer(&scanning->exchange, &answer);
    scanning->silent = 0;
    scanning->end = SCAN_LOST;
    if (answer.status == NKV_UNAVAILABLE) {
        /* Not the same call again: its chunks would be counted from 0, and
         * need not begin where those of this one did. */
        scanning->end = SCAN_BUSY;
    } else if (is_cursor_refused(scanning, &answer)) {
        /* The device restarted: its cursors are new ones. */
        scanning->cursor_size = 0;
        scanning->scan->changed = true;
    } else if (answer.status != NKV_OK) {
        status = nkv_host_refuse(scanning->client, &answer);
    }
    nkv_answer_clear(&answer);
    return status;
}

/* The response follows the last chunk at once, and says nothing new: it is
 * waited for only so that it is not left on the line. */
static void wait_for_response(struct scanning *scanning)
{
    struct nkv_client *client = scanning->client;
    uint64_t until = nkv_link_now(&client->link) + client->latency_ms;
    enum nkv_status status = NKV_OK;
    while (status == NKV_OK && !scanning->exchange.done &&
           nkv_link_now(&client->link) < until)
        status = nkv_link_poll(&client->link, until);
}

/* One call, from the cursor on; scanning->end says how it ended. */
static enum nkv_status run_call(struct scanning *scanning)
{
    struct nkv_client *client = scanning->client;
    struct nkv_exchange *exchange = &scanning->exchange;
    size_t size;
    uint8_t *request = make_request(scanning, &size);
    if (request == NULL)
        return nkv_host_no_memory(client);
    *exchange = (struct nkv_exchange){
        .message = take_chunk,
        .context = scanning,
        /* Patience doubles while nothing comes. */
        .attempts = scanning->silent - 1,
        .sent = scanning->begun,
    };
    scanning->begun = true;
    scanning->end = SCAN_RUNNING;
    scanning->next_index = 0;
    nkv_exchange_begin(client, exchange, NKV_METHOD_SCAN,
                       (struct nkv_span){request, size});
    enum nkv_status status = nkv_exchange_run_stream(client, exchange);
    if (scanning->end == SCAN_COMPLETE)
        wait_for_response(scanning);
    if (status == NKV_OK && exchange->done && scanning->end == SCAN_RUNNING)
        status = take_end(scanning);
    if (status == NKV_OK && scanning->end == SCAN_RUNNING)
        scanning->end = SCAN_LOST;
    if (!exchange->done && scanning->end != SCAN_COMPLETE && !client->link.dead)
        nkv_exchange_cancel(client, exchange);
    nkv_exchange_end(client, exchange);
    free(request);
    return status;
}

/* A device that has nothing of use to say is not asked without a pause. */
static enum nkv_status pause_before_call(struct scanning *scanning)
{
    struct nkv_client *client = scanning->client;
    enum nkv_status status = NKV_OK;
    unsigned count = scanning->fruitless;
    /* The first loss is the line's, and silence was a pause already. */
    if (scanning->silent > 0 || (count < 2 && scanning->end != SCAN_BUSY))
        return NKV_OK;
    uint32_t pause = (uint32_t)PAUSE_FIRST_MS << (count > 6 ? 6 : count);
    uint64_t until = nkv_link_now(&client->link) +
                     (pause > PAUSE_MAX_MS ? PAUSE_MAX_MS : pause);
    while (status == NKV_OK && nkv_link_now(&client->link) < until)
        status = nkv_host_wait(client, until);
    return status;
}

/* What to do once a call has ended: NKV_OK to go on. */
static enum nkv_status judge_call(struct scanning *scanning)
{
    struct nkv_client *client = scanning->client;
    switch (scanning->end) {
    case SCAN_STOPPED:
        return nkv_host_fail(client, NKV_CANCELLED, "stopped");
    case SCAN_BROKEN:
        return nkv_host_fail(client, NKV_DATA_LOSS,
                             "the device sent records that make no sense");
    case SCAN_LOST:
        return nkv_host_shrink_packets(client);
    default:
        return NKV_OK;
    }
}

static enum nkv_status run_scan(struct scanning *scanning)
{
    struct nkv_client *client = scanning->client;
    enum nkv_status status = NKV_OK;
    while (status == NKV_OK && scanning->end != SCAN_COMPLETE) {
        if (scanning->silent >= client->attempts)
            return nkv_host_fail_silent(client);
        bool was_busy = scanning->end == SCAN_BUSY;
        status = pause_before_call(scanning);
        if (status == NKV_OK) {
            scanning->fruitless++;
            scanning->silent++;
            status = run_call(scanning);
        }
        if (status == NKV_DEADLINE_EXCEEDED && was_busy &&
            scanning->fruitless > 0)
            return nkv_host_fail(client, NKV_UNAVAILABLE,
                                 "the device stayed busy");
        if (status == NKV_OK)
            status = judge_call(scanning);
    }
    return status;
}

enum nkv_status nkv_client_scan(struct nkv_client *client,
                                const struct nkv_call_options *call,
                                struct nkv_client_scan *scan)
{
    scan->changed = false;
    enum nkv_status status = nkv_host_begin(client, call, "scan", NULL);
    if (status == NKV_OK)
        status = nkv_host_need_session(client, false);
    if (status != NKV_OK)
        return status;
    struct scanning *scanning = calloc(1, sizeof(*scanning));
    if (scanning == NULL)
        return nkv_host_no_memory(client);
    scanning->client = client;
    scanning->scan = scan;
    status = run_scan(scanning);
    free(scanning);
    if (status == NKV_OK)
        status = nkv_host_check_mounted(client);
    return nkv_host_end(client, status);
}
