/* Maintenance.Sectors: as many sectors a turn as fit a packet. */
#include "service.h"

enum {
    /* Tag and length of a sector; its own size takes one byte to tell. */
    PREFIX = 2,
    /* What follows the sectors: sizes, done, index, reason. */
    TAIL_MAX = 6 + 6 + 2 + 6 + 2
};

_Static_assert(norkv_v1_SectorInfo_size < 128,
               "the size of a sector takes one byte");
_Static_assert(PREFIX + norkv_v1_SectorInfo_size + TAIL_MAX +
                       NKV_PACKET_OVERHEAD_MAX <=
                   NKV_SERVER_PACKET_MIN,
               "a sector must always fit a packet");

static norkv_v1_SectorState state_of(enum nkv_sector_condition condition)
{
    switch (condition) {
    case NKV_SECTOR_IS_ERASED:
        return norkv_v1_SectorState_SECTOR_ERASED;
    case NKV_SECTOR_IS_OPEN:
        return norkv_v1_SectorState_SECTOR_OPEN;
    case NKV_SECTOR_IS_FULL:
        return norkv_v1_SectorState_SECTOR_FULL;
    case NKV_SECTOR_IS_RETIRED:
        return norkv_v1_SectorState_SECTOR_RETIRED;
    case NKV_SECTOR_IS_DAMAGED:
    default:
        return norkv_v1_SectorState_SECTOR_DAMAGED;
    }
}

/* Adds one sector's message to what is used of room, which has the space. */
static enum nkv_status add_sector(struct nkv_store *store, uint32_t number,
                                  struct nkv_buffer room, size_t *used)
{
    struct nkv_sector_report report;
    enum nkv_status status = nkv_report_sector(store, number, &report);
    uint8_t *to = room.data + *used;
    uint8_t prefix[NKV_PB_PREFIX_MAX];
    struct nkv_span body = {NULL, 0};
    norkv_v1_SectorInfo message;

    if (status != NKV_OK) {
        return status;
    }
    message = (norkv_v1_SectorInfo){
        .number = number,
        .state = state_of(report.condition),
        .used_bytes = report.used_bytes,
        .live_bytes = report.live_bytes,
        .erases = report.erases,
        .age = report.age,
    };
    (void)nkv_pb_encode(
        (struct nkv_buffer){to + PREFIX, norkv_v1_SectorInfo_size},
        norkv_v1_SectorInfo_fields, &message, &body);
    (void)nkv_pb_prefix(prefix, norkv_v1_SectorsResponse_sectors_tag,
                        body.size);
    to[0] = prefix[0];
    to[1] = prefix[1];
    *used += PREFIX + body.size;
    return NKV_OK;
}

/* Sends what is in the room's first used bytes, with the rest of the message
 * behind it. False: the line is gone, and the call with it. */
static bool send_message(struct nkv_rpc_call *call, size_t used,
                         const norkv_v1_SectorsResponse *rest)
{
    struct nkv_buffer room = nkv_rpc_room(call);
    struct nkv_span tail = {NULL, 0};

    (void)nkv_pb_encode((struct nkv_buffer){room.data + used, TAIL_MAX},
                        norkv_v1_SectorsResponse_fields, rest, &tail);
    return nkv_rpc_send(call, (struct nkv_span){room.data, used + tail.size}) ==
           NKV_OK;
}

static void take_turn(struct nkv_rpc_call *call)
{
    struct nkv_server_work *work = nkv_work_of(call);
    struct nkv_server_sectors *sectors = &work->of.sectors;
    struct nkv_server_store *store =
        nkv_find_store(nkv_server_of(call), work->store);
    struct nkv_buffer room = nkv_rpc_room(call);
    norkv_v1_SectorsResponse rest = norkv_v1_SectorsResponse_init_zero;
    enum nkv_status status = NKV_OK;
    size_t used = 0;

    rest.sector_size = store->config->flash->sector_size;
    rest.sector_count = store->config->flash->sector_count;
    while (status == NKV_OK && sectors->next < rest.sector_count &&
           room.capacity - used >=
               PREFIX + norkv_v1_SectorInfo_size + TAIL_MAX) {
        status = add_sector(store->store, sectors->next, room, &used);
        sectors->next += status == NKV_OK ? 1 : 0;
    }
    if (status != NKV_OK) {
        nkv_respond_status(call, nkv_status_for_client(status));
        return;
    }
    rest.done = sectors->next == rest.sector_count;
    rest.index = sectors->index++;
    if (send_message(call, used, &rest) && rest.done) {
        nkv_respond_status(call, NKV_OK);
    }
}

static void refuse(struct nkv_rpc_call *call, enum nkv_status status,
                   norkv_v1_Reason reason)
{
    norkv_v1_SectorsResponse message = norkv_v1_SectorsResponse_init_zero;

    message.reason = reason;
    if (send_message(call, 0, &message)) {
        nkv_respond_status(call, status);
    }
}

static void start(struct nkv_rpc_call *call, struct nkv_span payload)
{
    norkv_v1_SectorsRequest request = norkv_v1_SectorsRequest_init_zero;
    struct nkv_server_work *work = nkv_work_of(call);
    const struct nkv_server_store *store;
    uint32_t detail;

    if (!nkv_decode_request(call, payload, norkv_v1_SectorsRequest_fields,
                            &request)) {
        return;
    }
    store = nkv_find_store(nkv_server_of(call), request.store);
    if (store == NULL) {
        refuse(call, NKV_INVALID_ARGUMENT,
               norkv_v1_Reason_REASON_NO_SUCH_STORE);
    } else if (nkv_fault_is_total(nkv_fault_of(store, &detail))) {
        refuse(call, NKV_FAILED_PRECONDITION, nkv_unusable_reason(store));
    } else if (request.first > store->config->flash->sector_count) {
        refuse(call, NKV_OUT_OF_RANGE, norkv_v1_Reason_REASON_NONE);
    } else {
        *work = (struct nkv_server_work){
            .kind = NKV_WORK_SECTORS,
            .store = (uint8_t)request.store,
            .of.sectors.next = request.first,
        };
        nkv_rpc_set_running(call, true);
    }
}

void nkv_handle_sectors(struct nkv_rpc_call *call, enum nkv_rpc_event event,
                        struct nkv_span payload)
{
    if (event == NKV_RPC_START) {
        start(call, payload);
    } else if (event == NKV_RPC_STEP) {
        take_turn(call);
    }
}
