/* In place of copies.c, for firmware whose stores keep one copy of each entry:
 * nkv_mount refuses a config with more. */
#include "../copies.h"

#include "../lookup.h"

uint32_t nkv_copies_most(void)
{
    return 1;
}

uint32_t nkv_copies_missing(const struct nkv_store *store)
{
    (void)store;
    return 0;
}

void nkv_copies_write(struct nkv_store *store, struct nkv_span key)
{
    (void)store;
    (void)key;
}

enum nkv_status nkv_copies_step(struct nkv_store *store, bool *more)
{
    store->lacks_copies = false;
    *more = false;
    return NKV_OK;
}

enum nkv_status nkv_copies_complete(struct nkv_store *store)
{
    store->lacks_copies = false;
    return NKV_OK;
}

enum nkv_status nkv_copies_check(struct nkv_store *store, uint32_t slot)
{
    struct nkv_entry entry;

    return nkv_intact_copy(store, slot, &entry);
}
