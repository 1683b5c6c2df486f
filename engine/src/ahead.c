#include "ahead.h"

#include "collect.h"
#include "sector.h"
#include "victim.h"
#include "wear.h"

bool nkv_is_room_short(const struct nkv_store *store, uint32_t bytes)
{
    uint32_t room = 0;
    bool apart = nkv_keeps_apart(store);

    if (store->erased_sectors > 1)
        return false;
    for (uint32_t i = 0; i < store->sector_count && room < bytes; i++)
        if (i != store->victim && i != store->spare &&
            !(apart && nkv_sector(store, i)->flags & NKV_FLAG_COLD))
            room += nkv_sector_room(store, i);
    return room < bytes;
}

uint32_t nkv_collect_steps(const struct nkv_store *store, uint32_t sector)
{
    return nkv_sector_live(store, sector) / NKV_ENTRY_SIZE_MIN + 1;
}

/*
 * The sector whose collection should begin now so that writes of this size need
 * not wait: as many collections as free a whole sector, in time.
 */
static uint32_t find_work(struct nkv_store *store, uint32_t size)
{
    uint32_t steps = store->config->steps_per_write;
    uint32_t victim = NKV_NONE, writes = 1;

    if (store->erased_sectors <= 1 && (steps > 0 || nkv_keeps_apart(store)))
        victim = nkv_victim_choose(store, 1, 0);
    if (victim != NKV_NONE) {
        if (nkv_keeps_apart(store))
            writes += store->sector_bytes / nkv_sector_stale(store, victim);
        if (steps > 0)
            writes = writes * nkv_collect_steps(store, victim) / steps + 1;
        if (nkv_is_room_short(store, writes * size * store->copies))
            return victim;
    }
    return nkv_wear_next(store);
}

void nkv_work_ahead(struct nkv_store *store, uint32_t size)
{
    uint32_t left = store->config->steps_per_write;
    enum nkv_status status = NKV_OK;

    if (!nkv_collecting(store)) {
        uint32_t sector = find_work(store, size);
        if (sector == NKV_NONE)
            return;
        if (nkv_collect_begin(store, sector) != NKV_OK)
            return;
    }
    do
        status = nkv_collect_step(store);
    while (status == NKV_OK && nkv_collecting(store) && --left != 0);
}
