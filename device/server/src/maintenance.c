/* Maintenance: statistics, and the operations that take long. */
#include "service.h"

#include <string.h>

enum {
    /* Of an answer to Statistics: uptime, mount status, fault, its detail and
     * reason. */
    STATISTICS_REST = 6 + 6 + 2 + 6 + 2
};

/* Tag and length of a message within one. */
#define WITHIN(size) (1 + 2 + (size))

_Static_assert(WITHIN(norkv_v1_StoreStatistics_size) +
                       WITHIN(norkv_v1_StoreCounters_size) +
                       WITHIN(norkv_v1_LineCounters_size) + STATISTICS_REST +
                       NKV_PACKET_OVERHEAD_MAX <=
                   NKV_SERVER_PACKET_MIN,
               "the statistics must always fit a packet");
_Static_assert(WITHIN(norkv_v1_StoreRoom_size) +
                       WITHIN(norkv_v1_StoreWork_size) +
                       WITHIN(norkv_v1_CallCounters_size) + STATISTICS_REST +
                       NKV_PACKET_OVERHEAD_MAX <=
                   NKV_SERVER_PACKET_MIN,
               "and so must the others");

static norkv_v1_StoreStatistics
gather_store(const struct nkv_server_store *store,
             const struct nkv_statistics *from)
{
    const struct nkv_config *config = store->config;

    return (norkv_v1_StoreStatistics){
        .keys = from->keys,
        .max_keys = from->max_keys,
        .tombstones = from->tombstones,
        .max_tombstones = from->max_tombstones,
        .transaction_count = from->transaction_count,
        .live_bytes = from->live_bytes,
        .stale_bytes = from->stale_bytes,
        .free_bytes = from->free_bytes,
        .sector_size = config->flash->sector_size,
        .sector_count = config->flash->sector_count,
        .erased_sectors = from->erased_sectors,
        .damaged_sectors = from->damaged_sectors,
        .missing_copies = from->missing_copies,
        .copies = config->copies == 0 ? 1 : config->copies,
        .program_unit = config->flash->program_unit,
    };
}

static norkv_v1_StoreCounters gather_counters(const struct nkv_statistics *from)
{
    return (norkv_v1_StoreCounters){
        .erases = from->erases,
        .bytes_programmed = from->bytes_programmed,
        .collections = from->collections,
        .entries_relocated = from->entries_relocated,
        .corrupt_entries = from->corrupt_entries,
        .entries_healed = from->entries_healed,
        .read_errors = from->read_errors,
        .program_errors = from->program_errors,
        .erase_errors = from->erase_errors,
    };
}

static norkv_v1_LineCounters gather_line(const struct nkv_line_counters *from)
{
    return (norkv_v1_LineCounters){
        .frames_received = from->frames_received,
        .bad_frames = from->bad_frames,
        .oversize_frames = from->oversize_frames,
        .bad_packets = from->bad_packets,
        .frames_sent = from->frames_sent,
        .replays = from->replays,
        .overruns = from->overruns,
    };
}

static norkv_v1_StoreRoom gather_room(const struct nkv_server_store *store,
                                      const struct nkv_statistics *from)
{
    uint32_t value = nkv_value_size_free(store->store, NKV_KEY_SIZE_MAX);

    return (norkv_v1_StoreRoom){
        .reserved_bytes = from->reserved_bytes,
        .retired_bytes = from->retired_bytes,
        .retired_sectors = from->retired_sectors,
        .has_room = value != NKV_NONE_FITS,
        .value_room = value != NKV_NONE_FITS ? value : 0,
        .pending_steps = nkv_pending_steps(store->store),
    };
}

static norkv_v1_StoreWork gather_work(const struct nkv_statistics *from)
{
    return (norkv_v1_StoreWork){
        .steps = from->steps,
        .longest_write_steps = from->longest_write_steps,
        .entries_recovered = from->entries_recovered,
        .entries_lost = from->entries_lost,
    };
}

static norkv_v1_CallCounters gather_calls(const struct nkv_server *server)
{
    return (norkv_v1_CallCounters){
        .stray_frames = server->counters.stray_frames,
        .refused = nkv_rpc_refused(&server->rpc),
        .cancelled = nkv_rpc_cancelled(&server->rpc),
    };
}

static void add_store(norkv_v1_StatisticsResponse *response,
                      const struct nkv_server_store *store, bool more)
{
    struct nkv_statistics statistics;

    nkv_statistics(store->store, &statistics);
    response->mount_status = (uint32_t)store->mount_status;
    response->fault =
        (norkv_v1_Fault)nkv_fault_of(store, &response->fault_detail);
    response->has_room = more;
    response->has_work = more;
    response->has_store = !more;
    response->has_counters = !more;
    if (more) {
        response->room = gather_room(store, &statistics);
        response->work = gather_work(&statistics);
    } else {
        response->store = gather_store(store, &statistics);
        response->counters = gather_counters(&statistics);
    }
}

void nkv_handle_statistics(struct nkv_rpc_call *call, enum nkv_rpc_event event,
                           struct nkv_span payload)
{
    const struct nkv_server *server = nkv_server_of(call);
    norkv_v1_StatisticsRequest request = norkv_v1_StatisticsRequest_init_zero;
    norkv_v1_StatisticsResponse response =
        norkv_v1_StatisticsResponse_init_zero;
    const struct nkv_server_store *store;

    (void)event;
    if (!nkv_decode_request(call, payload, norkv_v1_StatisticsRequest_fields,
                            &request)) {
        return;
    }
    store = nkv_find_store(server, request.store);
    if (store == NULL) {
        response.reason = norkv_v1_Reason_REASON_NO_SUCH_STORE;
    } else {
        add_store(&response, store, request.more);
    }
    response.has_line = !request.more;
    response.line = gather_line(&server->counters);
    response.has_calls = request.more;
    response.calls = gather_calls(server);
    response.uptime_ms = nkv_server_now_ms(server) - server->start_ms;
    nkv_respond_message(call, store == NULL ? NKV_INVALID_ARGUMENT : NKV_OK,
                        norkv_v1_StatisticsResponse_fields, &response);
}

/* False: the line is gone, and the call with it. */
static bool report(struct nkv_rpc_call *call, uint32_t steps,
                   norkv_v1_Reason reason)
{
    norkv_v1_Progress progress = {.steps = steps, .reason = reason};
    struct nkv_span payload = {NULL, 0};

    /* The smallest room is larger than any Progress. */
    (void)nkv_pb_encode(nkv_rpc_room(call), norkv_v1_Progress_fields, &progress,
                        &payload);
    return nkv_rpc_send(call, payload) == NKV_OK;
}

/* A stream's last packet tells no reason, so a message before it does. */
static void finish(struct nkv_rpc_call *call, enum nkv_status status,
                   uint32_t steps, norkv_v1_Reason reason)
{
    nkv_work_of(call)->kind = NKV_WORK_NONE;
    if (report(call, steps, reason)) {
        nkv_respond_status(call, status);
    }
}

static void refuse(struct nkv_rpc_call *call, enum nkv_status status,
                   norkv_v1_Reason reason)
{
    finish(call, status, 0, reason);
}

/* Whether a collection runs on a store. */
static bool is_busy(const struct nkv_server *server, uint32_t store)
{
    const struct nkv_server_memory *memory = &server->config->memory;

    for (size_t i = 0; i < memory->call_count; i++) {
        if (memory->work[i].store == store &&
            memory->work[i].kind == NKV_WORK_COLLECT) {
            return true;
        }
    }
    return false;
}

static void begin_collect(struct nkv_rpc_call *call, uint32_t store,
                          enum nkv_maintenance_kind kind)
{
    struct nkv_server_work *work = nkv_work_of(call);

    *work = (struct nkv_server_work){
        .kind = NKV_WORK_COLLECT,
        .store = (uint8_t)store,
        .of.operation =
            {
                .maintenance.kind = kind,
                .reported_ms = nkv_server_now_ms(nkv_server_of(call)),
            },
    };
    nkv_rpc_set_running(call, true);
    if (!report(call, 0, norkv_v1_Reason_REASON_NONE)) {
        work->kind = NKV_WORK_NONE;
    }
}

static bool maintenance_kind(norkv_v1_CollectKind asked,
                             enum nkv_maintenance_kind *kind)
{
    switch (asked) {
    case norkv_v1_CollectKind_COLLECT_PARTIAL:
        *kind = NKV_MAINTAIN_PARTIAL;
        return true;
    case norkv_v1_CollectKind_COLLECT_FULL:
        *kind = NKV_MAINTAIN_FULL;
        return true;
    case norkv_v1_CollectKind_COLLECT_HEAVY:
        *kind = NKV_MAINTAIN_HEAVY;
        return true;
    default:
        return false;
    }
}

static void start_collect(struct nkv_rpc_call *call, struct nkv_span payload)
{
    const struct nkv_server *server = nkv_server_of(call);
    norkv_v1_CollectRequest request = norkv_v1_CollectRequest_init_zero;
    enum nkv_maintenance_kind kind;

    if (!nkv_decode_request(call, payload, norkv_v1_CollectRequest_fields,
                            &request)) {
        return;
    }
    if (nkv_find_store(server, request.store) == NULL) {
        refuse(call, NKV_INVALID_ARGUMENT,
               norkv_v1_Reason_REASON_NO_SUCH_STORE);
    } else if (!maintenance_kind(request.kind, &kind)) {
        refuse(call, NKV_INVALID_ARGUMENT, norkv_v1_Reason_REASON_NONE);
    } else if (is_busy(server, request.store)) {
        refuse(call, NKV_UNAVAILABLE, norkv_v1_Reason_REASON_BUSY);
    } else {
        begin_collect(call, request.store, kind);
    }
}

static norkv_v1_Reason long_reason(const struct nkv_server_store *store,
                                   enum nkv_status status)
{
    switch (status) {
    case NKV_RESOURCE_EXHAUSTED:
        return norkv_v1_Reason_REASON_STORE_FULL;
    case NKV_FAILED_PRECONDITION:
        return nkv_unusable_reason(store);
    default:
        return norkv_v1_Reason_REASON_NONE;
    }
}

static void step_collect(struct nkv_rpc_call *call)
{
    struct nkv_server *server = nkv_server_of(call);
    struct nkv_server_work *work = nkv_work_of(call);
    struct nkv_server_long *operation = &work->of.operation;
    struct nkv_server_store *store = nkv_find_store(server, work->store);
    uint32_t now = nkv_server_now_ms(server);
    bool more = true;
    enum nkv_status status =
        nkv_maintain_step(store->store, &operation->maintenance, &more);
    uint32_t steps = operation->maintenance.steps;

    if (status == NKV_OK && store->mount_status == NKV_DATA_LOSS && !more) {
        store->mount_status = NKV_OK;
    }
    if (status != NKV_OK || !more) {
        finish(call, nkv_status_for_client(status), steps,
               long_reason(store, status));
    } else if (now - operation->reported_ms >= NKV_REPORT_MS) {
        operation->reported_ms = now;
        if (!report(call, steps, norkv_v1_Reason_REASON_NONE)) {
            work->kind = NKV_WORK_NONE;
        }
    }
}

void nkv_handle_collect(struct nkv_rpc_call *call, enum nkv_rpc_event event,
                        struct nkv_span payload)
{
    if (event == NKV_RPC_START) {
        start_collect(call, payload);
    } else if (event == NKV_RPC_STEP) {
        step_collect(call);
    } else if (event == NKV_RPC_CANCEL) {
        nkv_work_of(call)->kind = NKV_WORK_NONE;
    }
}

/* A device without a unit id cannot be told from another one: it is not
 * erased. */
static bool is_our_unit_id(const struct nkv_server *server,
                           struct nkv_span given)
{
    struct nkv_span ours = nkv_text_span(server->config->unit_id);

    return ours.size > 0 && given.size == ours.size &&
           memcmp(given.data, ours.data, ours.size) == 0;
}

static void erase_all(struct nkv_rpc_call *call, struct nkv_server_store *store)
{
    struct nkv_server *server = nkv_server_of(call);
    enum nkv_status status;

    nkv_restore_abort(server, (uint32_t)(store - server->config->stores));
    status = store->fault == NKV_FAULT_NONE ? nkv_erase_all(store->store)
                                            : NKV_FAILED_PRECONDITION;
    server->value_crc.known = false;
    if (status == NKV_OK) {
        store->mount_status = NKV_OK;
    } else if (nkv_is_erase_cut(store->store)) {
        store->mount_status = NKV_FAILED_PRECONDITION;
    }
    finish(call, nkv_status_for_client(status),
           store->config->flash->sector_count, long_reason(store, status));
}

/* Erases before anything else is taken from the line: what was written by the
 * requests behind this one must stay. */
static void start_erase_all(struct nkv_rpc_call *call, struct nkv_span payload)
{
    const struct nkv_server *server = nkv_server_of(call);
    norkv_v1_EraseAllRequest request = norkv_v1_EraseAllRequest_init_zero;
    struct nkv_server_store *store;
    struct nkv_span unit_id;

    nkv_pb_take(&request.unit_id, &unit_id);
    if (!nkv_decode_request(call, payload, norkv_v1_EraseAllRequest_fields,
                            &request)) {
        return;
    }
    store = nkv_find_store(server, request.store);
    if (store == NULL) {
        refuse(call, NKV_INVALID_ARGUMENT,
               norkv_v1_Reason_REASON_NO_SUCH_STORE);
    } else if (!is_our_unit_id(server, unit_id)) {
        refuse(call, NKV_INVALID_ARGUMENT,
               norkv_v1_Reason_REASON_WRONG_UNIT_ID);
    } else if (is_busy(server, request.store)) {
        refuse(call, NKV_UNAVAILABLE, norkv_v1_Reason_REASON_BUSY);
    } else if (report(call, 0, norkv_v1_Reason_REASON_NONE)) {
        erase_all(call, store);
    }
}

void nkv_handle_erase_all(struct nkv_rpc_call *call, enum nkv_rpc_event event,
                          struct nkv_span payload)
{
    if (event == NKV_RPC_START) {
        start_erase_all(call, payload);
    }
}
