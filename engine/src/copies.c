#include "copies.h"

#include "append.h"
#include "index.h"
#include "lookup.h"
#include "victim.h"

uint32_t nkv_copies_most(void)
{
    return NKV_COPIES_MAX;
}

static bool lacks_copies(const struct nkv_store *store, uint32_t slot)
{
    return nkv_slot_is_used(store, slot) &&
           nkv_slot_copies(store, slot) < store->copies;
}

uint32_t nkv_copies_missing(const struct nkv_store *store)
{
    uint32_t count = 0;

    for (uint32_t slot = 0; slot < store->slots; slot++)
        count += lacks_copies(store, slot);
    return count;
}

/* Adds one copy of a slot's entry. NKV_NOT_FOUND: none is intact. */
static NKV_APART enum nkv_status add_copy(struct nkv_store *store,
                                          uint32_t slot)
{
    struct nkv_entry entry;
    enum nkv_status status = nkv_intact_copy(store, slot, &entry);

    if (status == NKV_DATA_LOSS)
        return NKV_NOT_FOUND;
    if (status == NKV_OK)
        status = nkv_append_copy(store, slot, &entry, NKV_FOR_WRITING);
    if (status == NKV_OK)
        (void)nkv_remember_address(store, slot, &entry);
    return status;
}

static NKV_APART enum nkv_status find_slot(struct nkv_store *store,
                                           struct nkv_span key, uint32_t *slot)
{
    struct nkv_entry entry;

    return nkv_find(store, &key, NKV_WANT_ANY, slot, &entry);
}

void nkv_copies_write(struct nkv_store *store, struct nkv_span key)
{
    for (uint32_t tries = store->sector_count + NKV_COPIES_MAX;
         tries > 0 && store->copies > 1; tries--) {
        uint32_t slot;
        /* Collection may have moved the entry. */
        enum nkv_status status = find_slot(store, key, &slot);
        if (status == NKV_OK && !lacks_copies(store, slot))
            return;
        if (status == NKV_OK)
            status = add_copy(store, slot);
        if (status == NKV_RESOURCE_EXHAUSTED)
            status = nkv_collect_best(store, 0);
        if (status != NKV_OK)
            break;
    }
    store->lacks_copies = store->copies > 1;
}

enum nkv_status nkv_copies_step(struct nkv_store *store, bool *more)
{
    for (uint32_t slot = 0; slot < store->slots; slot++) {
        enum nkv_status status;
        if (!lacks_copies(store, slot))
            continue;
        status = add_copy(store, slot);
        if (status == NKV_NOT_FOUND)
            continue;
        if (status == NKV_OK && !lacks_copies(store, slot))
            store->counters[NKV_COUNT_HEALED]++;
        *more = true;
        return status;
    }
    *more = false;
    store->lacks_copies = false;
    return NKV_OK;
}

/* Whether there is room for all copies of everything, by sums alone. */
static bool can_be_whole(struct nkv_store *store)
{
    uint32_t needed = 0, most = (store->sector_count - 1) * store->sector_bytes;

    for (uint32_t slot = 0; slot < store->slots && needed <= most; slot++) {
        struct nkv_entry entry;
        if (nkv_slot_read(store, slot, &entry) == NKV_OK)
            needed += store->copies *
                      nkv_entry_size(store, entry.key_size, entry.value_size);
    }
    return needed <= most;
}

enum nkv_status nkv_copies_complete(struct nkv_store *store)
{
    /* None has to be collected twice. Where not all copies can be added,
     * collecting for some would go on at every mount. */
    uint32_t collections = can_be_whole(store) ? 2 * store->sector_count : 0;
    enum nkv_status status = NKV_OK;
    bool more = true;

    while (status == NKV_OK && more) {
        status = nkv_copies_step(store, &more);
        if (status != NKV_RESOURCE_EXHAUSTED)
            continue;
        if (collections-- == 0)
            return NKV_OK;
        status = nkv_collect_best(store, 0);
    }
    return status;
}

enum nkv_status nkv_copies_check(struct nkv_store *store, uint32_t slot)
{
    struct nkv_entry entry;
    enum nkv_status status = nkv_intact_copy(store, slot, &entry);

    if (status != NKV_OK)
        return status;
    for (uint32_t copy = nkv_slot_copies(store, slot); copy-- > 1;) {
        status = nkv_read_verified(store, nkv_slot_address(store, slot, copy),
                                   &entry);
        if (status == NKV_DATA_LOSS)
            nkv_give_up_copy(store, slot, copy);
        else if (status != NKV_OK)
            return status;
    }
    return NKV_OK;
}
