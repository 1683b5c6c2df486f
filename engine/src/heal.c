#include "heal.h"

#include "collect.h"
#include "index.h"
#include "lookup.h"
#include "write.h"

static bool lacks_copies(const struct nkv_store *store, uint32_t slot)
{
    return nkv_slot_is_used(store, slot) &&
           nkv_slot_copies(store, slot) < store->copies;
}

uint32_t nkv_heal_count(const struct nkv_store *store)
{
    uint32_t count = 0;

    for (uint32_t slot = 0; slot < store->slots; slot++)
        count += lacks_copies(store, slot);
    return count;
}

/* The first slot that lacks copies and has one to copy from. */
static enum nkv_status find_incomplete(struct nkv_store *store, uint32_t *slot,
                                       struct nkv_entry *entry)
{
    for (*slot = 0; *slot < store->slots; ++*slot) {
        enum nkv_status status;
        if (!lacks_copies(store, *slot))
            continue;
        status = nkv_intact_copy(store, *slot, entry);
        if (status != NKV_DATA_LOSS)
            return status;
    }
    return NKV_NOT_FOUND;
}

enum nkv_status nkv_heal_step(struct nkv_store *store, bool *more)
{
    uint32_t slot;
    struct nkv_entry entry;
    enum nkv_status status = find_incomplete(store, &slot, &entry);

    *more = status != NKV_NOT_FOUND;
    if (!*more) {
        store->lacks_copies = false;
        return NKV_OK;
    }
    if (status == NKV_OK)
        status = nkv_complete_copies(store, slot, &entry);
    if (status == NKV_OK)
        store->counters[NKV_COUNT_HEALED]++;
    /* With room made, the next step tries again. */
    if (status == NKV_RESOURCE_EXHAUSTED)
        status = nkv_collect_best(store);
    return status;
}

enum nkv_status nkv_heal_all(struct nkv_store *store)
{
    enum nkv_status status = NKV_OK;
    bool more = true;

    while (status == NKV_OK && more)
        status = nkv_heal_step(store, &more);
    return status;
}
