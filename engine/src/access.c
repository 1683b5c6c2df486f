#include "access.h"

enum nkv_status nkv_enter(const struct nkv_store *store, enum nkv_access access)
{
    const struct nkv_config *config = store->config;

    if (config != NULL && config->lock != NULL)
        config->lock(config->lock_context);
    return store->access < access ? NKV_FAILED_PRECONDITION : NKV_OK;
}

enum nkv_status nkv_leave(const struct nkv_store *store, enum nkv_status status)
{
    const struct nkv_config *config = store->config;

    /* The flash could not be read anew: what was found in it does not count. */
    if (store->access == NKV_ACCESS_NONE &&
        (status == NKV_OK || status == NKV_NOT_FOUND ||
         status == NKV_RESOURCE_EXHAUSTED))
        status = NKV_UNAVAILABLE;
    if (config != NULL && config->lock != NULL)
        config->unlock(config->lock_context);
    return status;
}
