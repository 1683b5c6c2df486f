#include "ahead.h"

#include "collect.h"
#include "room.h"
#include "sector.h"
#include "victim.h"
#include "wear.h"

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
            writes = writes * nkv_room_steps(store, victim) / steps + 1;
        if (nkv_room_is_short(store, writes * size * store->copies))
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
