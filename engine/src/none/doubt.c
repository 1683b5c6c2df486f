/* In place of doubt.c, for firmware on flash whose bits read steadily also
 * where a program was cut. */
#include "../doubt.h"

enum nkv_status nkv_doubt_entry(struct nkv_store *store,
                                const struct nkv_entry *entry)
{
    (void)store;
    (void)entry;
    return NKV_OK;
}

enum nkv_status nkv_doubt_end(struct nkv_store *store, uint32_t number)
{
    (void)store;
    (void)number;
    return NKV_OK;
}
