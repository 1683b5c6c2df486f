#include "progress.h"

NKV_MESSAGE(progress, norkv_v1_Progress);

bool nkv_progress(struct nkv_rpc_call *call, uint32_t steps)
{
    norkv_v1_Progress message = {.steps = steps};

    return nkv_message_tell(call, progress, &message);
}

static norkv_v1_Reason reason_of(const struct nkv_server_store *store,
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

void nkv_progress_end(struct nkv_rpc_call *call, enum nkv_status status,
                      uint32_t steps)
{
    norkv_v1_Progress message = {
        .steps = steps, .reason = reason_of(nkv_store_of(call), status)};

    nkv_message_end(call, nkv_status_for_client(status), progress, &message);
}
