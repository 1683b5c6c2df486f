/* What is done in idle time, in order of urgency. */
#include "access.h"
#include "copies.h"
#include "repair.h"
#include "room.h"
#include "sector.h"
#include "victim.h"
#include "wear.h"
#include "work.h"

enum {
    /* Room is made ahead when writes find less than this part of a sector, and
     * by collecting sectors of which at least this part is stale: less is left
     * for when it is needed. */
    AHEAD_PART = 2,
    GAIN_PART = 8
};

/* The sector to collect for room, or NKV_NONE. */
static uint32_t find_room(const struct nkv_store *store)
{
    return nkv_room_is_short(store, store->sector_bytes / AHEAD_PART)
               ? nkv_victim_choose(store, store->sector_bytes / GAIN_PART, 0)
               : NKV_NONE;
}

static uint32_t find_work(struct nkv_store *store)
{
    uint32_t sector = nkv_victim_damaged(store);

    if (sector == NKV_NONE)
        sector = find_room(store);
    if (sector == NKV_NONE)
        sector = nkv_wear_next(store);
    return sector;
}

enum nkv_status nkv_step(struct nkv_store *store, bool *more)
{
    enum nkv_status status = nkv_enter(store, NKV_ACCESS_FULL);

    *more = false;
    if (status == NKV_OK)
        status = nkv_work(store, find_work, more);
    if (status == NKV_RESOURCE_EXHAUSTED && nkv_verify_after_all(store))
        status = nkv_work(store, find_work, more);
    if (status != NKV_OK) {
        /* Trying again would fail again until something is written. */
        store->lacks_copies = false;
        *more = false;
        if (status == NKV_RESOURCE_EXHAUSTED)
            status = NKV_OK;
    }
    return nkv_leave(store, status);
}

/* Steps of all collections that may come before there is nothing left to do;
 * none comes twice. */
static uint32_t count_steps(const struct nkv_store *store)
{
    uint32_t steps = 0, collections = 0;
    uint32_t gain = store->sector_bytes / GAIN_PART;
    bool needs_room = find_room(store) != NKV_NONE;
    uint32_t longest = store->sector_bytes / NKV_ENTRY_SIZE_MIN + 1;

    if (store->lacks_copies && nkv_copies_missing(store) > 0) {
        needs_room = true;
        gain = 1;
    }
    for (uint32_t i = 0; i < store->sector_count; i++) {
        if (i != store->victim && !nkv_sector_is_spoilt(store, i) &&
            !(needs_room && nkv_sector_stale(store, i) >= gain))
            continue;
        steps += nkv_room_steps(store, i);
        collections++;
    }
    if (nkv_wear_is_due(store) ||
        (collections > 0 &&
         store->since_sweep + collections >= nkv_sweep_interval(store)))
        steps += longest;
    return steps + store->refresh_left * longest;
}

uint32_t nkv_pending_steps(const struct nkv_store *store)
{
    uint32_t steps = 0;

    if (nkv_enter(store, NKV_ACCESS_FULL) == NKV_OK) {
        steps = count_steps(store);
        if (store->lacks_copies)
            steps += store->copies * nkv_copies_missing(store);
    }
    (void)nkv_leave(store, NKV_OK);
    return steps;
}
