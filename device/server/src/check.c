/*
 * Maintenance.Check: each turn surveys one sector, or sends one finding of it.
 *
 * A survey keeps a few findings only. When there are more in the sector, it is
 * surveyed again for those behind the ones that were sent: no two findings have
 * the same offset.
 */
#include "service.h"

NKV_MESSAGE(check_request, norkv_v1_CheckRequest);
NKV_MESSAGE(check_response, norkv_v1_CheckResponse);

enum {
    /* A message with a finding whose key is the longest. */
    MESSAGE_MAX = 3 * 6 + 2 * 2 + 6 + (2 + 2 + 3 * 6 + 2) + 2 + NKV_KEY_SIZE_MAX
};

_Static_assert(MESSAGE_MAX + NKV_PACKET_OVERHEAD_MAX <= NKV_SERVER_PACKET_MIN,
               "a finding must always fit a packet");

/* The last kinds of places are the findings, in one order. */
#define IS_TOLD_AS(place, finding)                                             \
    ((int)(place) - (int)NKV_PLACE_TORN + 1 == (int)(finding))

_Static_assert(IS_TOLD_AS(NKV_PLACE_TORN, norkv_v1_FindingKind_FINDING_TORN) &&
                   IS_TOLD_AS(NKV_PLACE_CORRUPT,
                              norkv_v1_FindingKind_FINDING_CORRUPT) &&
                   IS_TOLD_AS(NKV_PLACE_STALE_ERASE,
                              norkv_v1_FindingKind_FINDING_STALE_ERASE) &&
                   IS_TOLD_AS(NKV_PLACE_FOREIGN,
                              norkv_v1_FindingKind_FINDING_FOREIGN) &&
                   IS_TOLD_AS(NKV_PLACE_MISSING_COPY,
                              norkv_v1_FindingKind_FINDING_MISSING_COPY),
               "what the store finds is what is told");

static norkv_v1_FindingKind kind_of(enum nkv_place_kind kind)
{
    return kind < NKV_PLACE_TORN
               ? norkv_v1_FindingKind_FINDING_NONE
               : (norkv_v1_FindingKind)(kind - NKV_PLACE_TORN + 1);
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
    return nkv_store_of(call)->config->flash->sector_count;
}

static bool is_done(const struct nkv_rpc_call *call)
{
    return nkv_work_of(call)->of.check.sector == sector_count(call);
}

/* Tells how far the check is, with a finding if place is not NULL; behind the
 * last sector that ends the call. */
static void report(struct nkv_rpc_call *call, const struct nkv_place *place)
{
    struct nkv_server_check *check = &nkv_work_of(call)->of.check;
    norkv_v1_CheckResponse message = {
        .sectors_checked = check->sector,
        .sector_count = sector_count(call),
        .done = is_done(call),
        .index = check->index++,
        .entries = check->entries,
    };

    if (place != NULL) {
        message.has_finding = true;
        message.finding = (norkv_v1_Finding){
            .kind = kind_of(place->kind),
            .sector = place->sector,
            .offset = place->offset,
            .size = place->size,
            .key = {place->key, place->key_size},
            .intact_elsewhere = place->intact_elsewhere,
        };
    }
    check->reported_ms = nkv_server_now_ms(nkv_server_of(call));
    if (message.done) {
        nkv_message_end(call, NKV_OK, check_response, &message);
    } else {
        (void)nkv_message_tell(call, check_response, &message);
    }
}

static void send_finding(struct nkv_rpc_call *call)
{
    struct nkv_server_check *check = &nkv_work_of(call)->of.check;
    const struct nkv_place *place = &check->found[check->sent_count++];

    check->offset = place->offset + 1;
    report(call, place);
}

/* Reports when all sectors are done, else from time to time. */
static void end_sector(struct nkv_rpc_call *call)
{
    struct nkv_server_check *check = &nkv_work_of(call)->of.check;

    if (is_done(call) || nkv_report_is_due(call, &check->reported_ms)) {
        report(call, NULL);
    }
}

/* Surveys a sector, the same as before if that has more findings. */
static void survey(struct nkv_rpc_call *call)
{
    struct nkv_server_check *check = &nkv_work_of(call)->of.check;
    enum nkv_status status;

    check->found_count = 0;
    check->sent_count = 0;
    check->sector_entries = 0;
    check->has_more = false;
    check->is_surveyed = true;
    status = nkv_survey_sector(nkv_store_of(call)->store, check->sector, visit,
                               check);
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

static void start(struct nkv_rpc_call *call, const struct nkv_request *request)
{
    nkv_work_of(call)->of.check.sector = request->of.check.first;
    if (nkv_begin_sectors(call, request, request->of.check.first)) {
        report(call, NULL);
    }
}

const struct nkv_server_method nkv_method_check = {
    .request = check_request,
    .start = start,
    .step = take_turn,
    .reason = norkv_v1_CheckResponse_reason_tag,
    .is_of_store = true,
    .needs_flash = true,
};
