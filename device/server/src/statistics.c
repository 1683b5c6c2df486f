/* Maintenance.Statistics. */
#include "service.h"

enum {
    /* Of an answer to Statistics: uptime, mount status, fault, its detail and
     * reason. */
    STATISTICS_REST = 6 + 6 + 2 + 6 + 2
};

NKV_MESSAGE(statistics_request, norkv_v1_StatisticsRequest);
NKV_MESSAGE(statistics_response, norkv_v1_StatisticsResponse);

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

static void add_usual(norkv_v1_StatisticsResponse *response,
                      const struct nkv_server *server,
                      const struct nkv_server_store *store,
                      const struct nkv_statistics *statistics)
{
    response->has_store = true;
    response->store = gather_store(store, statistics);
    response->has_counters = true;
    response->counters = gather_counters(statistics);
    response->has_line = true;
    response->line = gather_line(&server->counters);
}

static void add_more(norkv_v1_StatisticsResponse *response,
                     const struct nkv_server *server,
                     const struct nkv_server_store *store,
                     const struct nkv_statistics *statistics)
{
    response->has_room = true;
    response->room = gather_room(store, statistics);
    response->has_work = true;
    response->work = gather_work(statistics);
    response->has_calls = true;
    response->calls = gather_calls(server);
}

static void start(struct nkv_rpc_call *call, const struct nkv_request *request)
{
    const struct nkv_server *server = nkv_server_of(call);
    norkv_v1_StatisticsResponse response = {
        .uptime_ms = nkv_server_now_ms(server) - server->start_ms,
    };
    struct nkv_statistics statistics;

    nkv_statistics(request->store->store, &statistics);
    if (request->of.statistics.more) {
        add_more(&response, server, request->store, &statistics);
    } else {
        add_usual(&response, server, request->store, &statistics);
    }
    response.mount_status = (uint32_t)request->store->mount_status;
    response.fault =
        (norkv_v1_Fault)nkv_fault_of(request->store, &response.fault_detail);
    nkv_respond_message(call, NKV_OK, statistics_response, &response);
}

const struct nkv_server_method nkv_method_statistics = {
    .request = statistics_request,
    .start = start,
    .reason = norkv_v1_StatisticsResponse_reason_tag,
    .is_of_store = true,
};
