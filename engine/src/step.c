/* What is done in idle time, in order of urgency. */
#include "access.h"
#include "collect.h"
#include "copies.h"
#include "repair.h"
#include "room.h"
#include "sector.h"
#include "victim.h"
#include "wear.h"

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

/* Adds a copy. NKV_NOT_FOUND: none is missing. NKV_RESOURCE_EXHAUSTED: *victim
 * is to be collected for it. */
static enum nkv_status add_copy(struct nkv_store *store, uint32_t *victim)
{
    bool more;
    enum nkv_status status = nkv_copies_step(store, &more);

    if (!more)
        return NKV_NOT_FOUND;
    if (status == NKV_RESOURCE_EXHAUSTED)
        *victim = nkv_victim_choose(store, 1, 0);
    return status;
}

static enum nkv_status step(struct nkv_store *store, bool *more)
{
    uint32_t sector = NKV_NONE;

    *more = true;
    if (!nkv_collecting(store)) {
        enum nkv_status status = NKV_NOT_FOUND;
        if (store->lacks_copies)
            status = add_copy(store, &sector);
        if (status == NKV_RESOURCE_EXHAUSTED && sector == NKV_NONE) {
            /* Until a sector was erased there is no use in trying again. */
            store->lacks_copies = false;
        } else if (status != NKV_NOT_FOUND && sector == NKV_NONE) {
            store->counters[NKV_COUNT_STEPS]++;
            return status;
        }
        if (sector == NKV_NONE)
            sector = find_work(store);
        *more = sector != NKV_NONE;
        if (!*more)
            return NKV_OK;
        if (nkv_collect_begin(store, sector) != NKV_OK)
            return NKV_RESOURCE_EXHAUSTED;
    }
    return nkv_collect_step(store);
}

enum nkv_status nkv_step(struct nkv_store *store, bool *more)
{
    enum nkv_status status = nkv_enter(store, NKV_ACCESS_FULL);

    *more = false;
    if (status == NKV_OK)
        status = step(store, more);
    if (status == NKV_RESOURCE_EXHAUSTED && nkv_verify_after_all(store))
        status = step(store, more);
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
        uint8_t state = nkv_sector(store, i)->state;
        if (i != store->victim && state != NKV_SECTOR_DAMAGED &&
            state != NKV_SECTOR_DIRTY &&
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
