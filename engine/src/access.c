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

    if (config != NULL && config->lock != NULL)
        config->unlock(config->lock_context);
    return status;
}
