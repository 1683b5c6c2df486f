/* Cutting chunks from the records of an upload, as large as is best. */
#include "restore.h"

#include "internal.h"
#include <norkv/crc32.h>
#include <norkv/record.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* More content than this gains little, and costs much where a frame is
     * damaged; but where chunks go one at a time, each costs a round trip. */
    CONTENT_MAX = 1024,
    LONE_CONTENT_MAX = 4096,
    /* Less than this is mostly overhead. */
    CONTENT_MIN = 76,
    /* Content around the records of a chunk, and what a frame has around its
     * content; a credit's bytes on the wire. */
    OVERHEAD = 30,
    FLAGS = 2,
    CREDIT = 48
};

/* ---- How large -------------------------------------------------------- */

static bool is_one_at_a_time(const struct nkv_restoring *restoring)
{
    return nkv_window_is_for_one(restoring->client, restoring->window);
}

/* What may be in flight now. */
static size_t allowed(const struct nkv_restoring *restoring)
{
    return restoring->window >> restoring->caution;
}

/* The bytes of an average record. */
static double average(const struct nkv_restoring *restoring)
{
    if (restoring->taken == 0)
        return 1;
    return (double)restoring->taken_bytes / restoring->taken;
}

/*
 * Records in a millisecond, when chunks of count of them fill the window: as
 * many as fit, or one and a smaller one.
 */
static double rate(const struct nkv_restoring *restoring, double size,
                   double count)
{
    const struct nkv_client *client = restoring->client;
    double byte_ms = client->baud == 0 ? 0.001 : 10000.0 / client->baud;
    double window = (double)allowed(restoring);
    double content = OVERHEAD + count * size;
    unsigned chunks = (unsigned)(window / content);
    double second = 0;
    if (is_one_at_a_time(restoring) || chunks < 1)
        chunks = 1;
    else if (chunks == 1 && window - content > OVERHEAD)
        second = (double)(unsigned)((window - content - OVERHEAD) / size);
    double wire = chunks * (content + FLAGS);
    if (second > 0)
        wire += OVERHEAD + second * size + FLAGS;
    double there_and_back =
        (content + FLAGS + CREDIT) * byte_ms + 2.0 * client->latency_ms;
    double cycle =
        wire * byte_ms > there_and_back ? wire * byte_ms : there_and_back;
    return (chunks * count + second) / cycle;
}

/* The content of a chunk that brings most. */
static size_t best_content(const struct nkv_restoring *restoring, size_t most)
{
    double size = average(restoring);
    double best = 0;
    double best_rate = 0;
    for (unsigned count = 1; OVERHEAD + count * size <= (double)most; count++) {
        double gained = rate(restoring, size, count);
        if (gained > best_rate) {
            best_rate = gained;
            best = count;
        }
    }
    return (size_t)(OVERHEAD + (best + 0.5) * size);
}

/* The content of the next chunk, at most; one record may be larger. */
static size_t content_limit(const struct nkv_restoring *restoring)
{
    size_t most = is_one_at_a_time(restoring) ? LONE_CONTENT_MAX : CONTENT_MAX;
    size_t max_frame = restoring->client->session.device.max_frame;
    if (restoring->restore->chunk_size != 0 || allowed(restoring) < most)
        most = allowed(restoring);
    if (most < CONTENT_MIN)
        most = CONTENT_MIN;
    if (most > max_frame)
        most = max_frame;
    if (restoring->restore->chunk_size != 0)
        return most;
    size_t best = best_content(restoring, most);
    return best < most ? best : most;
}

/* Whether a chunk may be sent as far as the upload alone is concerned. */
static bool is_allowed(const struct nkv_restoring *restoring,
                       const struct nkv_restore_chunk *chunk)
{
    if (restoring->flight_count == 0)
        return true;
    if (restoring->flight_count == NKV_RESTORE_FLIGHTS_MAX ||
        is_one_at_a_time(restoring))
        return false;
    size_t used = restoring->client->window.chunks;
    return used + chunk->content <= allowed(restoring);
}

bool nkv_restore_may_send(const struct nkv_restoring *restoring,
                          const struct nkv_restore_chunk *chunk)
{
    return is_allowed(restoring, chunk) &&
           nkv_window_takes_chunk(restoring->client, chunk->content);
}

/* ---- Records ---------------------------------------------------------- */

static Norkv__V1__RestoreRequest
message_of(const struct nkv_restoring *restoring, size_t size, bool is_last)
{
    Norkv__V1__RestoreRequest message = NORKV__V1__RESTORE_REQUEST__INIT;
    struct nkv_span records = {restoring->bytes, size};
    if (restoring->sent > 0)
        records.data += restoring->sent;
    message.store = restoring->client->store;
    message.offset = restoring->offset + (uint32_t)restoring->sent;
    message.records = nkv_message_bytes(records);
    message.last = is_last;
    /* Not 0, so that it counts when a size is asked for. */
    message.crc32 = is_last;
    return message;
}

static size_t content_of(const struct nkv_restoring *restoring, size_t size,
                         bool is_last)
{
    Norkv__V1__RestoreRequest message = message_of(restoring, size, is_last);
    return nkv_exchange_message_size(
        &restoring->exchange,
        norkv__v1__restore_request__get_packed_size(&message));
}

static enum nkv_status refuse(struct nkv_restoring *restoring,
                              struct nkv_span key, enum nkv_reason reason)
{
    struct nkv_client_restore *restore = restoring->restore;
    struct nkv_answer answer = {NKV_INVALID_ARGUMENT, reason, false, NULL};
    if (key.size <= sizeof(restore->failed_key)) {
        restore->failed_key_size = key.size;
        if (key.size > 0)
            memcpy(restore->failed_key, key.data, key.size);
    }
    nkv_host_name_call(restoring->client, "restore", &key);
    return nkv_host_refuse(restoring->client, &answer);
}

static enum nkv_status make_room(struct nkv_restoring *restoring, size_t size)
{
    size_t capacity = restoring->capacity == 0 ? 4096 : restoring->capacity;
    while (capacity < restoring->size + size)
        capacity *= 2;
    if (capacity == restoring->capacity)
        return NKV_OK;
    uint8_t *bytes = realloc(restoring->bytes, capacity);
    if (bytes == NULL)
        return nkv_host_no_memory(restoring->client);
    restoring->bytes = bytes;
    restoring->capacity = capacity;
    return NKV_OK;
}

/* Whether a record fits a frame of its own, wherever in the stream. */
static bool fits_frame(const struct nkv_restoring *restoring, size_t size)
{
    Norkv__V1__RestoreRequest message = message_of(restoring, size, false);
    message.offset = UINT32_MAX;
    return nkv_exchange_message_size(
               &restoring->exchange,
               norkv__v1__restore_request__get_packed_size(&message)) <=
           restoring->client->session.device.max_frame;
}

static enum nkv_status append(struct nkv_restoring *restoring,
                              struct nkv_span key, struct nkv_span value)
{
    if (key.size == 0 || key.size > restoring->client->session.device.max_key ||
        key.size > NKV_RECORD_KEY_MAX)
        return refuse(restoring, key, NKV_REASON_BAD_KEY);
    if (value.size > NKV_RECORD_VALUE_MAX)
        return refuse(restoring, key, NKV_REASON_VALUE_TOO_LARGE);
    size_t size = nkv_record_size(key.size, value.size);
    enum nkv_status status = make_room(restoring, size);
    if (status != NKV_OK)
        return status;
    if (!fits_frame(restoring, size))
        return refuse(restoring, key, NKV_REASON_VALUE_TOO_LARGE);
    uint8_t head[NKV_RECORD_HEAD_MAX];
    size_t head_size = nkv_record_head(head, key, value.size);
    memcpy(restoring->bytes + restoring->size, head, head_size);
    if (value.size > 0)
        memcpy(restoring->bytes + restoring->size + head_size, value.data,
               value.size);
    restoring->size += size;
    restoring->taken++;
    restoring->taken_bytes += size;
    return NKV_OK;
}

static enum nkv_status call_next(struct nkv_restoring *restoring,
                                 struct nkv_span *key, struct nkv_span *value)
{
    struct nkv_client_restore *restore = restoring->restore;
    restoring->client->is_calling_back = true;
    enum nkv_status status = restore->next(restore->context, key, value);
    restoring->client->is_calling_back = false;
    return status;
}

/* Takes records from the caller until there is more to send than size bytes,
 * so that it is known of a chunk whether it is the last. */
static enum nkv_status pull(struct nkv_restoring *restoring, size_t size)
{
    enum nkv_status status = NKV_OK;
    while (status == NKV_OK && !restoring->is_ended &&
           restoring->size - restoring->sent <= size) {
        struct nkv_span key = {NULL, 0};
        struct nkv_span value = {NULL, 0};
        status = call_next(restoring, &key, &value);
        if (status == NKV_OK)
            status = append(restoring, key, value);
        else if (status == NKV_NOT_FOUND)
            restoring->is_ended = true;
        else
            return nkv_host_fail(restoring->client, status, "stopped");
    }
    return restoring->is_ended ? NKV_OK : status;
}

/* ---- Chunks ----------------------------------------------------------- */

/* Cuts whole records, at least one, of most bytes and limit content. */
static void cut(const struct nkv_restoring *restoring, size_t limit,
                struct nkv_restore_chunk *chunk)
{
    size_t most = restoring->restore->chunk_size;
    struct nkv_span rest = {restoring->bytes, restoring->size};
    if (restoring->sent > 0) {
        rest.data += restoring->sent;
        rest.size -= restoring->sent;
    }
    size_t total = rest.size;
    struct nkv_record record;
    *chunk = (struct nkv_restore_chunk){0};
    while (nkv_record_next(&rest, &record) == NKV_OK) {
        size_t size = total - rest.size;
        bool is_last = restoring->is_ended && rest.size == 0;
        size_t content = content_of(restoring, size, is_last);
        if (chunk->size > 0 && ((most != 0 && size > most) || content > limit))
            return;
        /* One that fits a frame but for the mark goes without it. */
        if (is_last && content > restoring->client->session.device.max_frame) {
            is_last = false;
            content = content_of(restoring, size, false);
        }
        *chunk = (struct nkv_restore_chunk){size, content, is_last};
    }
    if (chunk->size == 0)
        *chunk =
            (struct nkv_restore_chunk){0, content_of(restoring, 0, true), true};
}

enum nkv_status nkv_restore_cut(struct nkv_restoring *restoring,
                                struct nkv_restore_chunk *chunk)
{
    size_t ahead = restoring->restore->chunk_size;
    enum nkv_status status =
        pull(restoring, ahead == 0 ? LONE_CONTENT_MAX : ahead);
    if (status != NKV_OK)
        return status;
    if (restoring->is_last_sent)
        return NKV_NOT_FOUND;
    size_t limit = content_limit(restoring);
    cut(restoring, limit, chunk);
    /* A smaller one behind a lone chunk keeps the line busy. */
    if (restoring->flight_count == 1 && !is_allowed(restoring, chunk)) {
        size_t used = restoring->client->window.chunks;
        size_t left = used < allowed(restoring) ? allowed(restoring) - used : 0;
        cut(restoring, left < limit ? left : limit, chunk);
    }
    return NKV_OK;
}

static void note_flight(struct nkv_restoring *restoring,
                        const struct nkv_restore_chunk *chunk)
{
    restoring->sent += chunk->size;
    if (restoring->ever_sent < restoring->sent)
        restoring->ever_sent = restoring->sent;
    restoring->is_last_sent = chunk->is_last;
    restoring->is_last_ever_sent |= chunk->is_last;
    restoring->client->window.chunks += chunk->content;
    restoring->flights[restoring->flight_count++] = (struct nkv_restore_flight){
        .end = restoring->offset + (uint32_t)restoring->sent,
        .content = chunk->content,
    };
}

enum nkv_status nkv_restore_send(struct nkv_restoring *restoring,
                                 const struct nkv_restore_chunk *chunk)
{
    struct nkv_client *client = restoring->client;
    Norkv__V1__RestoreRequest message =
        message_of(restoring, chunk->size, chunk->is_last);
    if (chunk->is_last)
        message.crc32 =
            nkv_crc32(restoring->crc32, restoring->bytes, restoring->size);
    size_t size;
    uint8_t *bytes = nkv_message_pack(&message.base, &size);
    if (bytes == NULL)
        return nkv_host_no_memory(client);
    if (restoring->sent < restoring->ever_sent)
        client->link.counters.retries++;
    note_flight(restoring, chunk);
    struct nkv_span payload = {bytes, size};
    enum nkv_status status =
        nkv_exchange_send_message(client, &restoring->exchange, payload);
    free(bytes);
    return status;
}
