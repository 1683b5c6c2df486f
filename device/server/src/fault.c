/* What keeps a store from being used. */
#include "service.h"

#define SAME(fault)                                                            \
    _Static_assert((int)norkv_v1_Fault_FAULT_##fault == NKV_FAULT_##fault,     \
                   "a fault has the same number on the wire")

SAME(NONE);
SAME(NO_FLASH);
SAME(WRONG_FLASH);
SAME(FLASH_TOO_SMALL);
SAME(FLASH_PROTECTED);
SAME(SELF_TEST);
SAME(FLASH_ERROR);
SAME(FOREIGN_DATA);
SAME(ERASE_CUT);
SAME(TABLE_TOO_SMALL);
SAME(NEEDS_REPAIR);
SAME(BAD_CONFIG);

void nkv_server_mount(struct nkv_server_store *store)
{
    if (store->fault == NKV_FAULT_NONE) {
        store->mount_status = nkv_mount(store->store, store->config);
    } else {
        *store->store = (struct nkv_store){0};
        store->mount_status = NKV_UNAVAILABLE;
    }
}

enum nkv_fault nkv_fault_of(const struct nkv_server_store *store,
                            uint32_t *detail)
{
    *detail = store->fault_detail;
    if (store->fault != NKV_FAULT_NONE) {
        return store->fault;
    }
    *detail = 0;
    switch (store->mount_status) {
    case NKV_OK:
        return NKV_FAULT_NONE;
    case NKV_INVALID_ARGUMENT:
        return NKV_FAULT_BAD_CONFIG;
    case NKV_RESOURCE_EXHAUSTED:
        *detail = store->config->max_keys;
        return NKV_FAULT_TABLE_TOO_SMALL;
    case NKV_DATA_LOSS:
        return NKV_FAULT_NEEDS_REPAIR;
    case NKV_FAILED_PRECONDITION:
        return nkv_is_erase_cut(store->store) ? NKV_FAULT_ERASE_CUT
                                              : NKV_FAULT_FOREIGN_DATA;
    default:
        *detail = (uint32_t)store->mount_status;
        return NKV_FAULT_FLASH_ERROR;
    }
}

norkv_v1_Reason nkv_unusable_reason(const struct nkv_server_store *store)
{
    uint32_t detail;

    return nkv_fault_is_total(nkv_fault_of(store, &detail))
               ? norkv_v1_Reason_REASON_FLASH_FAULT
               : norkv_v1_Reason_REASON_STORE_READ_ONLY;
}
