/* Maintenance.Sectors: as many sectors a turn as fit a packet. */
#include "service.h"

NKV_MESSAGE(sectors_request, norkv_v1_SectorsRequest);
NKV_MESSAGE(sectors_response, norkv_v1_SectorsResponse);
NKV_MESSAGE(sector_info, norkv_v1_SectorInfo);

enum {
    /* Tag and length of a sector; its own size takes one byte to tell. */
    PREFIX = 2,
    /* What follows the sectors: sizes, done, index. */
    TAIL_MAX = 6 + 6 + 2 + 6
};

_Static_assert(norkv_v1_SectorInfo_size < 128,
               "the size of a sector takes one byte");
_Static_assert(PREFIX + norkv_v1_SectorInfo_size + TAIL_MAX +
                       NKV_PACKET_OVERHEAD_MAX <=
                   NKV_SERVER_PACKET_MIN,
               "a sector must always fit a packet");
_Static_assert(
    (int)norkv_v1_SectorState_SECTOR_ERASED == (int)NKV_SECTOR_IS_ERASED &&
        (int)norkv_v1_SectorState_SECTOR_OPEN == (int)NKV_SECTOR_IS_OPEN &&
        (int)norkv_v1_SectorState_SECTOR_FULL == (int)NKV_SECTOR_IS_FULL &&
        (int)norkv_v1_SectorState_SECTOR_DAMAGED ==
            (int)NKV_SECTOR_IS_DAMAGED &&
        (int)norkv_v1_SectorState_SECTOR_RETIRED == (int)NKV_SECTOR_IS_RETIRED,
    "what the store says is what is told");

/* Adds a sector to the first *used bytes of room. *fits: there was room. */
static enum nkv_status add_sector(struct nkv_store *store, uint32_t number,
                                  struct nkv_buffer room, size_t *used,
                                  bool *fits)
{
    struct nkv_sector_report report;
    enum nkv_status status = nkv_report_sector(store, number, &report);
    norkv_v1_SectorInfo message;

    if (status != NKV_OK) {
        return status;
    }
    message = (norkv_v1_SectorInfo){
        .number = number,
        .state = (norkv_v1_SectorState)report.condition,
        .used_bytes = report.used_bytes,
        .live_bytes = report.live_bytes,
        .erases = report.erases,
        .age = report.age,
    };
    *fits = nkv_message_append(room, used, norkv_v1_SectorsResponse_sectors_tag,
                               sector_info, &message);
    return NKV_OK;
}

static void take_turn(struct nkv_rpc_call *call)
{
    struct nkv_server_sectors *sectors = &nkv_work_of(call)->of.sectors;
    const struct nkv_server_store *store = nkv_store_of(call);
    struct nkv_buffer room = nkv_rpc_room(call);
    norkv_v1_SectorsResponse message = {
        .sectors.data = room.data,
        .sector_size = store->config->flash->sector_size,
        .sector_count = store->config->flash->sector_count,
        .index = sectors->index++,
    };
    bool fits = true;

    room.capacity -= TAIL_MAX;
    while (sectors->next < message.sector_count) {
        enum nkv_status status = add_sector(store->store, sectors->next, room,
                                            &message.sectors.size, &fits);

        if (status != NKV_OK) {
            nkv_respond_status(call, nkv_status_for_client(status));
            return;
        }
        if (!fits) {
            (void)nkv_message_tell(call, sectors_response, &message);
            return;
        }
        sectors->next++;
    }
    message.done = true;
    nkv_message_end(call, NKV_OK, sectors_response, &message);
}

static void start(struct nkv_rpc_call *call, const struct nkv_request *request)
{
    nkv_work_of(call)->of.sectors.next = request->of.sectors.first;
    (void)nkv_begin_sectors(call, request, request->of.sectors.first);
}

const struct nkv_server_method nkv_method_sectors = {
    .request = sectors_request,
    .start = start,
    .step = take_turn,
    .reason = norkv_v1_SectorsResponse_reason_tag,
    .is_of_store = true,
    .needs_flash = true,
};
