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

/* The sector to collect in idle time, or NKV_NONE. */
static uint32_t find_work(const struct nkv_store *store)
{
    uint32_t sector = find_damaged(store);

    if (sector != NKV_NONE || has_room_ahead(store) ||
        !nkv_collection_pays(store))
        return sector;
    return nkv_sector_choose_victim(store);
}

static enum nkv_status step(struct nkv_store *store, bool *more)
{
    uint32_t sector;

    *more = true;
    if (!nkv_collecting(store)) {
        if (store->lacks_copies)
            return nkv_heal_step(store, more);
        sector = find_work(store);
        *more = sector != NKV_NONE;
        if (!*more)
            return NKV_OK;
        nkv_collect_begin(store, sector);
    }
    return nkv_collect_step(store);
}

enum nkv_status nkv_step(struct nkv_store *store, bool *more)
{
    enum nkv_status status = nkv_check_writable(store);

    *more = false;
    if (status == NKV_OK)
        status = step(store, more);
    if (status == NKV_OK)
        return NKV_OK;
    /* Trying again would fail again until something is written. */
    store->lacks_copies = false;
    *more = false;
    return status == NKV_RESOURCE_EXHAUSTED ? NKV_OK : status;
}
