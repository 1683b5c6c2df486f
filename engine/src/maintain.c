/* Maintenance on request, in steps (docs/design.md). */
#include "access.h"
#include "collect.h"
#include "copies.h"
#include "index.h"
#include "lookup.h"
#include "repair.h"
#include "sector.h"
#include "tombstones.h"
#include "victim.h"
#include "work.h"
#include "write.h"

enum phase {
    PHASE_REPAIR,
    PHASE_CHECK,
    PHASE_REWRITE,
    PHASE_SWEEP,
    PHASE_WORK,
    PHASE_DONE
};

/* Above this share of live bytes a full maintenance collects everything. */
enum { CROWDED_PERCENT = 70 };

static enum nkv_status repair(struct nkv_store *store,
                              struct nkv_maintenance *job)
{
    if (nkv_collecting(store))
        return nkv_collect_step(store);
    if (store->access == NKV_ACCESS_REPAIR)
        nkv_repair(store);
    if (store->access == NKV_ACCESS_NONE)
        return NKV_UNAVAILABLE;
    store->access = NKV_ACCESS_FULL;
    job->phase = PHASE_CHECK;
    /* Collections: twice round, so that it ends though others write. */
    job->budget = 2 * store->sector_count;
    return NKV_OK;
}

/* Looks for copies that have gone bad since they were written. An entry without
 * an intact copy is lost. */
static enum nkv_status check(struct nkv_store *store,
                             struct nkv_maintenance *job)
{
    for (uint32_t slot = 0; slot < store->slots;) {
        enum nkv_status status = NKV_OK;
        if (nkv_slot_is_used(store, slot))
            status = nkv_copies_check(store, slot);
        if (status == NKV_DATA_LOSS)
            nkv_drop_slot(store, slot);
        else if (status != NKV_OK)
            return status;
        else
            slot++;
    }
    job->phase = PHASE_REWRITE;
    job->cursor = 0;
    return NKV_OK;
}

/* Rewrites the next entry of an older format, in the index's order from the
 * cursor, a hash, on. Damaged entries are passed over. */
static enum nkv_status rewrite(struct nkv_store *store,
                               struct nkv_maintenance *job)
{
    uint32_t slot = nkv_index_from(store, job->cursor);
    struct nkv_entry entry;
    enum nkv_status status;

    for (; slot < store->slots; slot++)
        if (nkv_slot_read(store, slot, &entry) == NKV_OK &&
            entry.magic != store->formats->magic)
            break;
    if (slot == store->slots) {
        job->phase = PHASE_SWEEP;
        return NKV_OK;
    }
    job->cursor = nkv_slot_hash(store, slot);
    status = nkv_write_key_of(store, &entry, NKV_CHANGE_REWRITE);
    if (status != NKV_DATA_LOSS && status != NKV_NOT_FOUND)
        /* The cursor stays: another key may have this hash. */
        return status;
    if (++job->cursor == 0)
        job->phase = PHASE_SWEEP;
    return NKV_OK;
}

static enum nkv_status sweep(struct nkv_store *store,
                             struct nkv_maintenance *job)
{
    uint32_t before = store->tombstones, needed_by;
    enum nkv_status status = NKV_OK;

    if (job->kind == NKV_MAINTAIN_HEAVY)
        status = nkv_tombstones_sweep(store, &needed_by);
    job->phase = PHASE_WORK;
    /* Counts what this round changes. */
    job->cursor = before - store->tombstones;
    return status;
}

static bool is_crowded(const struct nkv_store *store)
{
    uint64_t live = 0;

    for (uint32_t i = 0; i < store->sector_count; i++)
        live += nkv_sector_live(store, i);
    return live * 100 > (uint64_t)store->sector_count * store->sector_bytes *
                            CROWDED_PERCENT;
}

/* A sector to collect however full the store is: damaged, or without a live
 * entry. */
static uint32_t find_urgent(struct nkv_store *store)
{
    uint32_t sector = nkv_victim_damaged(store);

    for (uint32_t i = 0; i < store->sector_count && sector == NKV_NONE; i++)
        if (nkv_sector(store, i)->state != NKV_SECTOR_RETIRED &&
            nkv_sector_stale(store, i) > 0 && nkv_sector_live(store, i) == 0)
            sector = i;
    return sector;
}

static uint32_t find_stale(struct nkv_store *store)
{
    return nkv_victim_choose(store, 1, 0);
}

/* Adds copies and collects. */
static enum nkv_status work(struct nkv_store *store,
                            struct nkv_maintenance *job)
{
    uint32_t (*find)(struct nkv_store *) = find_stale;
    uint32_t erases = store->counters[NKV_COUNT_ERASES];
    enum nkv_status status;
    bool more;

    if (job->budget == 0)
        find = NULL;
    else if (job->kind == NKV_MAINTAIN_FULL && !is_crowded(store))
        find = find_urgent;
    status = nkv_work(store, find, &more);
    if (store->counters[NKV_COUNT_ERASES] != erases)
        job->cursor++;
    else if (status == NKV_OK && more)
        return NKV_OK;
    job->budget -= job->budget > 0;
    /* A sector that failed is out of the way now: go on with the others. */
    if (more)
        return status != NKV_RESOURCE_EXHAUSTED && job->budget > 0 ? NKV_OK
                                                                   : status;
    /* With old values gone, more tombstones may go. */
    job->phase = PHASE_SWEEP;
    if (job->kind == NKV_MAINTAIN_HEAVY && job->cursor > 0 && job->budget > 0)
        return NKV_OK;
    job->phase = PHASE_DONE;
    if (job->kind == NKV_MAINTAIN_PARTIAL)
        return job->cursor > 0 ? NKV_OK : NKV_NOT_FOUND;
    return nkv_copies_missing(store) > 0 ? NKV_RESOURCE_EXHAUSTED : NKV_OK;
}

static enum nkv_status do_phase(struct nkv_store *store,
                                struct nkv_maintenance *job)
{
    switch ((enum phase)job->phase) {
    case PHASE_REPAIR:
        return repair(store, job);
    case PHASE_CHECK:
        return check(store, job);
    case PHASE_REWRITE:
        return rewrite(store, job);
    case PHASE_SWEEP:
        return sweep(store, job);
    case PHASE_WORK:
        return work(store, job);
    case PHASE_DONE:
    default:
        return NKV_OK;
    }
}

static enum nkv_status step(struct nkv_store *store,
                            struct nkv_maintenance *job, bool *more)
{
    enum nkv_status status;

    if (job->kind == NKV_MAINTAIN_PARTIAL && job->steps == 0) {
        if (store->access != NKV_ACCESS_FULL)
            return NKV_FAILED_PRECONDITION;
        job->phase = PHASE_WORK;
        job->budget = 1;
    }
    status = do_phase(store, job);
    job->steps++;
    *more = status == NKV_OK && job->phase != PHASE_DONE;
    return status;
}

enum nkv_status nkv_maintain_step(struct nkv_store *store,
                                  struct nkv_maintenance *maintenance,
                                  bool *more)
{
    enum nkv_status status = nkv_enter(store, NKV_ACCESS_REPAIR);

    *more = false;
    if (status == NKV_OK) {
        (void)nkv_verify_after_all(store);
        /* When that failed nothing is known any more. */
        if (store->access != NKV_ACCESS_NONE)
            status = step(store, maintenance, more);
    }
    return nkv_leave(store, status);
}

enum nkv_status nkv_maintain(struct nkv_store *store,
                             enum nkv_maintenance_kind kind)
{
    struct nkv_maintenance maintenance = {.kind = kind};
    enum nkv_status status;
    bool more;

    do
        status = nkv_maintain_step(store, &maintenance, &more);
    while (more);
    return status;
}
