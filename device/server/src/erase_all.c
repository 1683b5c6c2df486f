/* Maintenance.EraseAll. */
#include "progress.h"

#include <string.h>

NKV_MESSAGE(erase_all_request, norkv_v1_EraseAllRequest);

/* A device without a unit id cannot be told from another one: it is not
 * erased. */
static bool is_our_unit_id(const struct nkv_server *server,
                           struct nkv_span given)
{
    struct nkv_span ours = nkv_text_span(server->config->unit_id);

    return ours.size > 0 && given.size == ours.size &&
           memcmp(given.data, ours.data, ours.size) == 0;
}

/* A Restore to a store that is erased has been in vain. */
static void end_restore(const struct nkv_server *server, uint8_t store)
{
    struct nkv_rpc_call *call = server->restore.call;

    if (call != NULL && nkv_work_of(call)->store == store) {
        server->restore.end(call, NKV_ABORTED);
    }
}

static void erase_all(struct nkv_rpc_call *call, struct nkv_server_store *store)
{
    struct nkv_server *server = nkv_server_of(call);
    enum nkv_status status;

    end_restore(server, nkv_work_of(call)->store);
    status = store->fault == NKV_FAULT_NONE ? nkv_erase_all(store->store)
                                            : NKV_FAILED_PRECONDITION;
    server->value_crc.known = false;
    if (status == NKV_OK) {
        store->mount_status = NKV_OK;
    } else if (nkv_is_erase_cut(store->store)) {
        store->mount_status = NKV_FAILED_PRECONDITION;
    }
    nkv_progress_end(call, status, store->config->flash->sector_count);
}

/* Erases before anything else is taken from the line: what was written by the
 * requests behind this one must stay. */
static void start(struct nkv_rpc_call *call, const struct nkv_request *request)
{
    if (!is_our_unit_id(nkv_server_of(call), request->of.erase_all.unit_id)) {
        nkv_call_refuse(call, NKV_INVALID_ARGUMENT,
                        norkv_v1_Reason_REASON_WRONG_UNIT_ID);
    } else if (nkv_store_is_busy(call)) {
        nkv_call_refuse(call, NKV_UNAVAILABLE, norkv_v1_Reason_REASON_BUSY);
    } else if (nkv_progress(call, 0)) {
        erase_all(call, request->store);
    }
}

const struct nkv_server_method nkv_method_erase_all = {
    .request = erase_all_request,
    .start = start,
    .reason = norkv_v1_Progress_reason_tag,
    .is_of_store = true,
};
