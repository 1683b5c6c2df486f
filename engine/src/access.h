/* What every call checks first. */
#ifndef NKV_ACCESS_H
#define NKV_ACCESS_H

#include "core.h"

static inline enum nkv_status nkv_check_key(struct nkv_span key)
{
    return key.size == 0 || key.size > NKV_KEY_SIZE_MAX ? NKV_INVALID_ARGUMENT
                                                        : NKV_OK;
}

static inline enum nkv_status nkv_check_readable(const struct nkv_store *store)
{
    return store->access == NKV_ACCESS_NONE ? NKV_FAILED_PRECONDITION : NKV_OK;
}

static inline enum nkv_status nkv_check_writable(const struct nkv_store *store)
{
    return store->access == NKV_ACCESS_FULL ? NKV_OK : NKV_FAILED_PRECONDITION;
}

#endif
