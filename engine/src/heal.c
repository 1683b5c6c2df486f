#include "heal.h"

#include "collect.h"
#include "index.h"
#include "lookup.h"
#include "sector.h"
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

/* Begins to make room. NKV_RESOURCE_EXHAUSTED: no sector gains. */
static enum nkv_status begin_collection(struct nkv_store *store)
{
    uint32_t victim = nkv_sector_choose_victim(store);

    if (victim == NKV_NONE)
        return NKV_RESOURCE_EXHAUSTED;
    nkv_collect_begin(store, victim);
    return NKV_OK;
}

/* One copy, or one step of a collection for it if that is allowed. */
static enum nkv_status heal(struct nkv_store *store, bool may_collect,
                            bool *more)
{
    uint32_t slot;
    struct nkv_entry entry;
    enum nkv_status status;

    *more = true;
    if (nkv_collecting(store))
        return nkv_collect_step(store);
    status = find_incomplete(store, &slot, &entry);
    if (status == NKV_NOT_FOUND) {
        *more = false;
        store->lacks_copies = false;
        return NKV_OK;
    }
    if (status == NKV_OK)
        status = nkv_add_copy(store, slot, &entry);
    if (status == NKV_OK && nkv_slot_copies(store, slot) == store->copies)
        store->counters[NKV_COUNT_HEALED]++;
    return status == NKV_RESOURCE_EXHAUSTED && may_collect
               ? begin_collection(store)
               : status;
}

enum nkv_status nkv_heal_step(struct nkv_store *store, bool *more)
{
    return heal(store, true, more);
}

/* Whether there is room for all copies of everything, by sums alone. */
static bool can_be_whole(struct nkv_store *store)
{
    uint64_t needed = 0, room = 0;

    for (uint32_t slot = 0; slot < store->slots; slot++) {
        struct nkv_entry entry;
        if (nkv_slot_is_used(store, slot) &&
            nkv_entry_read(store, nkv_slot_address(store, slot, 0), &entry) ==
                NKV_OK)
            needed += (uint64_t)store->copies *
                      nkv_entry_size(store, entry.key_size, entry.value_size);
    }
    for (uint32_t i = 1; i < nkv_sector_count(store); i++)
        room += store->sector_bytes;
    return needed <= room;
}

enum nkv_status nkv_heal_all(struct nkv_store *store)
{
    /* Each step adds a copy, or moves an entry out of one of the sectors that
     * gain; none has to be collected twice. Where not all copies can be added,
     * collecting for some would go on at every mount. */
    uint32_t most =
        store->slots * store->copies +
        2 * nkv_sector_count(store) * (store->sector_bytes / NKV_UNIT);
    bool may_collect = can_be_whole(store), more = true;
    enum nkv_status status = NKV_OK;

    for (uint32_t i = 0; status == NKV_OK && more && i < most; i++)
        status = heal(store, may_collect, &more);
    return status;
}
