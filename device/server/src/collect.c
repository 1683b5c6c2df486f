/* Maintenance.Collect: a step of it each turn. */
#include "progress.h"

NKV_MESSAGE(collect_request, norkv_v1_CollectRequest);

_Static_assert(
    (int)norkv_v1_CollectKind_COLLECT_PARTIAL == (int)NKV_MAINTAIN_PARTIAL &&
        (int)norkv_v1_CollectKind_COLLECT_FULL == (int)NKV_MAINTAIN_FULL &&
        (int)norkv_v1_CollectKind_COLLECT_HEAVY == (int)NKV_MAINTAIN_HEAVY,
    "what is asked for is what the store is told");

static void start(struct nkv_rpc_call *call, const struct nkv_request *request)
{
    struct nkv_server_long *operation = &nkv_work_of(call)->of.operation;
    norkv_v1_CollectKind kind = request->of.collect.kind;

    if (kind > norkv_v1_CollectKind_COLLECT_HEAVY) {
        nkv_call_refuse(call, NKV_INVALID_ARGUMENT,
                        norkv_v1_Reason_REASON_NONE);
    } else if (nkv_store_is_busy(call)) {
        nkv_call_refuse(call, NKV_UNAVAILABLE, norkv_v1_Reason_REASON_BUSY);
    } else {
        operation->maintenance.kind = (enum nkv_maintenance_kind)kind;
        operation->reported_ms = nkv_server_now_ms(nkv_server_of(call));
        nkv_rpc_set_running(call, true);
        (void)nkv_progress(call, 0);
    }
}

static void step(struct nkv_rpc_call *call)
{
    struct nkv_server_long *operation = &nkv_work_of(call)->of.operation;
    struct nkv_server_store *store = nkv_store_of(call);
    bool more = true;
    enum nkv_status status =
        nkv_maintain_step(store->store, &operation->maintenance, &more);
    uint32_t steps = operation->maintenance.steps;

    if (status == NKV_OK && store->mount_status == NKV_DATA_LOSS && !more) {
        store->mount_status = NKV_OK;
    }
    if (status != NKV_OK || !more) {
        nkv_progress_end(call, status, steps);
    } else if (nkv_report_is_due(call, &operation->reported_ms)) {
        (void)nkv_progress(call, steps);
    }
}

const struct nkv_server_method nkv_method_collect = {
    .request = collect_request,
    .start = start,
    .step = step,
    .reason = norkv_v1_Progress_reason_tag,
    .is_of_store = true,
    .is_alone = true,
};
