/*
 * Maintenance.Check: each turn surveys one sector, or sends one finding of it.
 *
 * A survey keeps a few findings only. When there are more in the sector, it is
 * surveyed again for those behind the ones that were sent: no two findings have
 * the same offset.
 */
#include "service.h"

enum {
    /* A message with a finding whose key is the longest. */
    MESSAGE_MAX = 3 * 6 + 2 * 2 + 6 + (2 + 2 + 3 * 6 + 2) + 2 + NKV_KEY_SIZE_MAX
};

_Static_assert(MESSAGE_MAX + NKV_PACKET_OVERHEAD_MAX <= NKV_SERVER_PACKET_MIN,
               "a finding must always fit a packet");

static norkv_v1_FindingKind kind_of(enum nkv_place_kind kind)
{
    switch (kind) {
    case NKV_PLACE_TORN:
        return norkv_v1_FindingKind_FINDING_TORN;
    case NKV_PLACE_CORRUPT:
        return norkv_v1_FindingKind_FINDING_CORRUPT;
    case NKV_PLACE_STALE_ERASE:
        return norkv_v1_FindingKind_FINDING_STALE_ERASE;
    case NKV_PLACE_FOREIGN:
        return norkv_v1_FindingKind_FINDING_FOREIGN;
    case NKV_PLACE_MISSING_COPY:
        return norkv_v1_FindingKind_FINDING_MISSING_COPY;
    case NKV_PLACE_LIVE:
    case NKV_PLACE_TOMBSTONE:
    case NKV_PLACE_STALE:
    case NKV_PLACE_FREE:
    default:
        return norkv_v1_FindingKind_FINDING_NONE;
    }
}

/* False: there is no room for another finding. */
static bool visit(void *context, const struct nkv_place *place)
{
    struct nkv_server_check *check = context;

    if (place->kind == NKV_PLACE_LIVE || place->kind == NKV_PLACE_TOMBSTONE) {
        check->sector_entries++;
    }
    if (kind_of(place->kind) == norkv_v1_FindingKind_FINDING_NONE ||
        place->offset < check->offset) {
        return true;
    }
    if (check->found_count == NKV_SERVER_FINDINGS_MAX) {
        check->has_more = true;
        return false;
    }
    check->found[check->found_count++] = *place;
    return true;
}

static uint32_t sector_count(const struct nkv_rpc_call *call)
{
    const struct nkv_server_store *store =
        nkv_find_store(nkv_server_of(call), nkv_work_of(call)->store);

    return store->config->flash->sector_count;
}

static bool is_done(const struct nkv_rpc_call *call)
{
    return nkv_work_of(call)->of.check.sector == sector_count(call);
}

/* Sends how far the check is, with a finding if place is not NULL. False: the
 * line is gone, and the call with it. */
static bool report(struct nkv_rpc_call *call, const struct nkv_place *place)
{
    struct nkv_server_check *check = &nkv_work_of(call)->of.check;
    norkv_v1_CheckResponse message = norkv_v1_CheckResponse_init_zero;
    struct nkv_span payload = {NULL, 0};
    struct nkv_span key = {NULL, 0};

    message.sectors_checked = check->sector;
    message.sector_count = sector_count(call);
    message.done = is_done(call);
    message.index = check->index++;
    message.entries = check->entries;
    if (place != NULL) {
        message.has_finding = true;
        message.finding.kind = kind_of(place->kind);
        message.finding.sector = place->sector;
        message.finding.offset = place->offset;
        message.finding.size = place->size;
        message.finding.intact_elsewhere = place->intact_elsewhere;
        key = (struct nkv_span){place->key, place->key_size};
        nkv_pb_give(&message.finding.key, &key);
    }
    check->reported_ms = nkv_server_now_ms(nkv_server_of(call));
    /* It fits the smallest room. */
    (void)nkv_pb_encode(nkv_rpc_room(call), norkv_v1_CheckResponse_fields,
                        &message, &payload);
    return nkv_rpc_send(call, payload) == NKV_OK;
}

static void send_finding(struct nkv_rpc_call *call)
{
    struct nkv_server_check *check = &nkv_work_of(call)->of.check;
    const struct nkv_place *place = &check->found[check->sent_count++];

    check->offset = place->offset + 1;
    (void)report(call, place);
}

/* Ends the call when all sectors are done, else reports from time to time. */
static void end_sector(struct nkv_rpc_call *call)
{
    uint32_t now = nkv_server_now_ms(nkv_server_of(call));
    bool done = is_done(call);

    if (!done &&
        now - nkv_work_of(call)->of.check.reported_ms < NKV_REPORT_MS) {
        return;
    }
    if (report(call, NULL) && done) {
        nkv_respond_status(call, NKV_OK);
    }
}

/* Surveys a sector, the same as before if that has more findings. */
static void survey(struct nkv_rpc_call *call)
{
    struct nkv_server_work *work = nkv_work_of(call);
    struct nkv_server_check *check = &work->of.check;
    struct nkv_store *store =
        nkv_find_store(nkv_server_of(call), work->store)->store;
    enum nkv_status status;

    check->found_count = 0;
    check->sent_count = 0;
    check->sector_entries = 0;
    check->has_more = false;
    check->is_surveyed = true;
    status = nkv_survey_sector(store, check->sector, visit, check);
    if (status != NKV_OK) {
        nkv_respond_status(call, nkv_status_for_client(status));
    }
}

static void take_turn(struct nkv_rpc_call *call)
{
    struct nkv_server_check *check = &nkv_work_of(call)->of.check;

    if (check->sent_count < check->found_count) {
        send_finding(call);
    } else if (!check->is_surveyed || check->has_more) {
        survey(call);
    } else {
        check->entries += check->sector_entries;
        check->is_surveyed = false;
        check->sector++;
        end_sector(call);
    }
}

static void begin(struct nkv_rpc_call *call,
                  const norkv_v1_CheckRequest *request)
{
    *nkv_work_of(call) = (struct nkv_server_work){
        .kind = NKV_WORK_CHECK,
        .store = (uint8_t)request->store,
        .of.check.sector = request->first,
    };
    if (!report(call, NULL)) {
        return;
    }
    if (is_done(call)) {
        nkv_respond_status(call, NKV_OK);
    } else {
        nkv_rpc_set_running(call, true);
    }
}

/* A stream's last packet tells no reason, so a message before it does. */
static void refuse(struct nkv_rpc_call *call, enum nkv_status status,
                   norkv_v1_Reason reason)
{
    norkv_v1_CheckResponse message = norkv_v1_CheckResponse_init_zero;
    struct nkv_span payload = {NULL, 0};

    message.reason = reason;
    (void)nkv_pb_encode(nkv_rpc_room(call), norkv_v1_CheckResponse_fields,
                        &message, &payload);
    if (nkv_rpc_send(call, payload) == NKV_OK) {
        nkv_respond_status(call, status);
    }
}

static void start(struct nkv_rpc_call *call, struct nkv_span payload)
{
    norkv_v1_CheckRequest request = norkv_v1_CheckRequest_init_zero;
    const struct nkv_server_store *store;
    uint32_t detail;

    if (!nkv_decode_request(call, payload, norkv_v1_CheckRequest_fields,
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
        begin(call, &request);
    }
}

void nkv_handle_check(struct nkv_rpc_call *call, enum nkv_rpc_event event,
                      struct nkv_span payload)
{
    if (event == NKV_RPC_START) {
        start(call, payload);
    } else if (event == NKV_RPC_STEP) {
        take_turn(call);
    }
}
