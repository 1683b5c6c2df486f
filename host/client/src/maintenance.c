/* Statistics, garbage collection, erasing. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    /* An old NOR part's sector erase: what erase-all may take a sector, during
     * which the device may be deaf. */
    ERASE_SECTOR_MS = 100,
    ERASE_SECTOR_SIZE = 4096,
    ERASE_EXTRA_MAX_MS = 120000
};

static void copy_store(struct nkv_client_statistics *to,
                       const Norkv__V1__StoreStatistics *from)
{
    if (from == NULL)
        return;
    to->keys = from->keys;
    to->max_keys = from->max_keys;
    to->tombstones = from->tombstones;
    to->max_tombstones = from->max_tombstones;
    to->transaction_count = from->transaction_count;
    to->live_bytes = from->live_bytes;
    to->stale_bytes = from->stale_bytes;
    to->free_bytes = from->free_bytes;
    to->sector_size = from->sector_size;
    to->sector_count = from->sector_count;
    to->erased_sectors = from->erased_sectors;
    to->damaged_sectors = from->damaged_sectors;
    to->missing_copies = from->missing_copies;
    to->copies = from->copies;
    to->program_unit = from->program_unit;
}

static void copy_counters(struct nkv_client_statistics *to,
                          const Norkv__V1__StoreCounters *from)
{
    if (from == NULL)
        return;
    to->erases = from->erases;
    to->bytes_programmed = from->bytes_programmed;
    to->collections = from->collections;
    to->entries_relocated = from->entries_relocated;
    to->corrupt_entries = from->corrupt_entries;
    to->entries_healed = from->entries_healed;
    to->read_errors = from->read_errors;
    to->program_errors = from->program_errors;
    to->erase_errors = from->erase_errors;
}

static void copy_line(struct nkv_client_statistics *to,
                      const Norkv__V1__LineCounters *from)
{
    if (from == NULL)
        return;
    to->frames_received = from->frames_received;
    to->bad_frames = from->bad_frames;
    to->oversize_frames = from->oversize_frames;
    to->bad_packets = from->bad_packets;
    to->frames_sent = from->frames_sent;
    to->replays = from->replays;
    to->overruns = from->overruns;
}

static void copy_more(struct nkv_client_statistics *to,
                      const Norkv__V1__StatisticsResponse *from)
{
    if (from->room != NULL) {
        to->reserved_bytes = from->room->reserved_bytes;
        to->retired_bytes = from->room->retired_bytes;
        to->retired_sectors = from->room->retired_sectors;
        to->has_room = from->room->has_room != 0;
        to->value_room = from->room->value_room;
        to->pending_steps = from->room->pending_steps;
    }
    if (from->work != NULL) {
        to->steps = from->work->steps;
        to->longest_write_steps = from->work->longest_write_steps;
        to->entries_recovered = from->work->entries_recovered;
        to->entries_lost = from->work->entries_lost;
    }
    if (from->calls != NULL) {
        to->stray_frames = from->calls->stray_frames;
        to->calls_refused = from->calls->refused;
        to->calls_cancelled = from->calls->cancelled;
    }
}

static enum nkv_status
read_more_statistics(struct nkv_client *client,
                     struct nkv_client_statistics *statistics)
{
    Norkv__V1__StatisticsRequest request = NORKV__V1__STATISTICS_REQUEST__INIT;
    request.store = client->store;
    request.more = true;
    struct nkv_answer answer;
    enum nkv_status status = nkv_exchange_call(client, NKV_METHOD_STATISTICS,
                                               &request.base, &answer);
    if (status == NKV_OK)
        copy_more(statistics, (const void *)answer.message);
    nkv_answer_clear(&answer);
    return status;
}

/* Within a call that has begun. */
static enum nkv_status read_statistics(struct nkv_client *client,
                                       struct nkv_client_statistics *statistics)
{
    Norkv__V1__StatisticsRequest request = NORKV__V1__STATISTICS_REQUEST__INIT;
    request.store = client->store;
    struct nkv_answer answer;
    enum nkv_status status = nkv_exchange_call(client, NKV_METHOD_STATISTICS,
                                               &request.base, &answer);
    if (status == NKV_OK) {
        const Norkv__V1__StatisticsResponse *message =
            (const void *)answer.message;
        copy_store(statistics, message->store);
        copy_counters(statistics, message->counters);
        copy_line(statistics, message->line);
        statistics->uptime_ms = message->uptime_ms;
        statistics->mount_status = nkv_wire_status(message->mount_status);
        statistics->fault = (enum nkv_fault)message->fault;
        statistics->fault_detail = message->fault_detail;
    }
    nkv_answer_clear(&answer);
    return status;
}

enum nkv_status nkv_client_statistics(struct nkv_client *client,
                                      const struct nkv_call_options *call,
                                      struct nkv_client_statistics *statistics)
{
    *statistics = (struct nkv_client_statistics){0};
    enum nkv_status status = nkv_host_begin(client, call, "statistics", NULL);
    if (status == NKV_OK)
        status = nkv_host_need_session(client, false);
    if (status == NKV_OK)
        status = read_statistics(client, statistics);
    if (status == NKV_OK)
        status = read_more_statistics(client, statistics);
    return nkv_host_end(client, status);
}

/* ---- Operations that take long ---------------------------------------- */

struct operation {
    struct nkv_client *client;
    const struct nkv_client_progress *progress;
    enum nkv_reason reason;
    uint32_t extra_ms;
    /* Before it is repeated, as struct nkv_exchange's. */
    enum nkv_status (*before_repeat)(void *context, bool *is_over);
    /* Of an erase: the store as it was. */
    struct nkv_client_statistics before;
};

static void take_progress(void *context, struct nkv_span payload)
{
    struct operation *operation = context;
    Norkv__V1__Progress *message =
        norkv__v1__progress__unpack(NULL, payload.size, payload.data);
    if (message == NULL)
        return;
    operation->reason = nkv_message_reason(&message->base);
    nkv_host_tell(operation->progress, message->steps);
    norkv__v1__progress__free_unpacked(message, NULL);
}

/* What became of an operation that has ended. */
static enum nkv_status take_outcome(struct nkv_client *client,
                                    const struct nkv_exchange *exchange,
                                    const struct operation *operation)
{
    struct nkv_answer answer;
    enum nkv_status status = NKV_OK;
    /* It had been done before it was to be repeated. */
    if (!exchange->done)
        return NKV_OK;
    nkv_exchange_answer(exchange, &answer);
    answer.reason = operation->reason;
    if (answer.status != NKV_OK)
        status = nkv_host_refuse(client, &answer);
    nkv_answer_clear(&answer);
    return status;
}

/* Runs an operation. It is repeated under the same call id when its end was
 * lost: the device then begins it anew, in place of the old one. */
static enum nkv_status operate(struct nkv_client *client,
                               enum nkv_method_number method,
                               const ProtobufCMessage *request,
                               struct operation *operation)
{
    size_t size;
    uint8_t *bytes = nkv_message_pack(request, &size);
    if (bytes == NULL)
        return nkv_host_no_memory(client);
    struct nkv_exchange exchange = {
        .message = take_progress,
        .before_repeat = operation->before_repeat,
        .context = operation,
        .extra_ms = operation->extra_ms,
    };
    nkv_exchange_begin(client, &exchange, method,
                       (struct nkv_span){bytes, size});
    enum nkv_status status = nkv_exchange_run(client, &exchange);
    if (status == NKV_OK)
        status = take_outcome(client, &exchange, operation);
    else if (exchange.attempts > 0 && !client->link.dead)
        nkv_exchange_cancel(client, &exchange);
    nkv_exchange_end(client, &exchange);
    free(bytes);
    return status;
}

enum nkv_status nkv_client_collect(struct nkv_client *client,
                                   const struct nkv_call_options *call,
                                   enum nkv_collect_kind kind,
                                   const struct nkv_client_progress *progress)
{
    struct operation operation = {.client = client, .progress = progress};
    enum nkv_status status = nkv_host_begin(client, call, "collect", NULL);
    if (status == NKV_OK)
        status = nkv_host_need_session(client, false);
    if (status != NKV_OK)
        return status;
    Norkv__V1__CollectRequest request = NORKV__V1__COLLECT_REQUEST__INIT;
    request.store = client->store;
    request.kind = (Norkv__V1__CollectKind)kind;
    status = operate(client, NKV_METHOD_COLLECT, &request.base, &operation);
    if (status == NKV_NOT_FOUND && client->reason == NKV_REASON_NONE)
        status =
            nkv_host_fail(client, status, "no sector gains by being collected");
    return nkv_host_end(client, status);
}

/* How much longer than other calls erasing a store may take. */
static uint32_t erase_extra_ms(struct nkv_client *client)
{
    const struct nkv_device_store *store = nkv_host_store(client);
    if (store == NULL)
        return 0;
    uint64_t sectors = store->capacity / ERASE_SECTOR_SIZE + 1;
    uint64_t time = sectors * ERASE_SECTOR_MS;
    return time > ERASE_EXTRA_MAX_MS ? ERASE_EXTRA_MAX_MS : (uint32_t)time;
}

/* The end of an erase was lost, or its beginning. Erased again, the store would
 * lose what others have written since. */
static enum nkv_status before_erasing_again(void *context, bool *is_over)
{
    struct operation *operation = context;
    const struct nkv_client_statistics *before = &operation->before;
    struct nkv_client_statistics now = {0};
    enum nkv_status status = read_statistics(operation->client, &now);
    if (status != NKV_OK)
        return status;
    bool is_untouched = now.keys == before->keys &&
                        now.transaction_count == before->transaction_count &&
                        now.erases == before->erases &&
                        now.live_bytes == before->live_bytes &&
                        now.stale_bytes == before->stale_bytes;
    /* Cut short, it must go on; and nobody can write until then. */
    if (is_untouched || now.mount_status == NKV_FAILED_PRECONDITION)
        return NKV_OK;
    *is_over = true;
    if (now.keys == 0)
        return NKV_OK;
    return nkv_host_fail(operation->client, NKV_UNKNOWN,
                         "unknown outcome: the answer was lost, and the store "
                         "was written since and has %lu keys: look at them, "
                         "and erase again if they are the old ones",
                         (unsigned long)now.keys);
}

static enum nkv_status erase(struct nkv_client *client, const char *unit_id,
                             struct operation *operation)
{
    char *copy = strdup(unit_id);
    if (copy == NULL)
        return nkv_host_no_memory(client);
    Norkv__V1__EraseAllRequest request;
    norkv__v1__erase_all_request__init(&request);
    request.store = client->store;
    request.unit_id = copy;
    enum nkv_status status =
        operate(client, NKV_METHOD_ERASE_ALL, &request.base, operation);
    free(copy);
    return status;
}

enum nkv_status nkv_client_erase_all(struct nkv_client *client,
                                     const struct nkv_call_options *call,
                                     const char *unit_id,
                                     const struct nkv_client_progress *progress)
{
    struct operation operation = {
        .client = client,
        .progress = progress,
        .before_repeat = before_erasing_again,
    };
    enum nkv_status status = nkv_host_begin(client, call, "erase-all", NULL);
    if (status == NKV_OK)
        status = nkv_host_need_session(client, false);
    if (status == NKV_OK)
        status = read_statistics(client, &operation.before);
    if (status != NKV_OK)
        return status;
    operation.extra_ms = erase_extra_ms(client);
    status = erase(client, unit_id, &operation);
    struct nkv_device_store *store = nkv_host_store(client);
    if (status == NKV_OK && store != NULL) {
        store->mount_status = NKV_OK;
        store->fault = NKV_FAULT_NONE;
    }
    return nkv_host_end(client, status);
}
