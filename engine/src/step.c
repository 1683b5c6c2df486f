/* What is done in idle time, in order of urgency. */
#include "access.h"
#include "collect.h"
#include "heal.h"
#include "sector.h"

/* A sector whose damage is worth collecting it: it takes no more writes. */
static uint32_t find_damaged(const struct nkv_store *store)
{
    for (uint32_t i = 0; i < nkv_sector_count(store); i++) {
        enum nkv_sector_state state = nkv_sector(store, i)->state;
        if (state == NKV_SECTOR_DAMAGED || state == NKV_SECTOR_DIRTY)
            return i;
    }
    return NKV_NONE;
}

/* Whether the next writes can go on for a while without an erase. */
static bool has_room_ahead(const struct nkv_store *store)
{
    if (store->erased_sectors > 1)
        return true;
    for (uint32_t i = 0; i < nkv_sector_count(store); i++)
        if (nkv_sector(store, i)->state == NKV_SECTOR_OPEN &&
            nkv_sector_used(store, i) <= store->sector_bytes / 4 * 3)
            return true;
    return false;
}

/* A victim to prepare room with, if that pays: half of it is stale. */
static uint32_t find_ahead(const struct nkv_store *store)
{
    uint32_t victim = NKV_NONE;

    if (!has_room_ahead(store))
        victim = nkv_sector_choose_victim(store);
    if (victim != NKV_NONE &&
        nkv_sector_stale(store, victim) < store->sector_bytes / 2)
        victim = NKV_NONE;
    return victim;
}

enum nkv_status nkv_step(struct nkv_store *store, bool *more)
{
    uint32_t victim;
    enum nkv_status status = nkv_check_writable(store);

    *more = status == NKV_OK;
    if (!*more)
        return status;
    if (!nkv_collecting(store)) {
        victim = find_damaged(store);
        if (victim == NKV_NONE && store->lacks_copies)
            status = nkv_heal_step(store, more);
        else if (victim == NKV_NONE)
            victim = find_ahead(store);
        if (victim != NKV_NONE)
            nkv_collect_begin(store, victim);
    }
    if (nkv_collecting(store))
        status = nkv_collect_step(store);
    else
        *more = store->lacks_copies;
    if (status != NKV_OK) {
        /* Trying again would fail again until something is written. */
        store->lacks_copies = false;
        *more = false;
    }
    return status == NKV_RESOURCE_EXHAUSTED ? NKV_OK : status;
}
