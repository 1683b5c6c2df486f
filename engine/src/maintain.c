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
#include "write.h"

enum phase {
    PHASE_REPAIR,
    PHASE_CHECK,
    PHASE_REWRITE,
    PHASE_COPIES,
    PHASE_SWEEP,
    PHASE_CHOOSE,
    PHASE_COLLECT,
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
        if (nkv_slot_is_used(store, slot) &&
            nkv_entry_read(store, nkv_slot_address(store, slot, 0), &entry) ==
                NKV_OK &&
            entry.magic != store->formats->magic)
            break;
    if (slot == store->slots) {
        job->phase = PHASE_COPIES;
        return NKV_OK;
    }
    job->cursor = nkv_slot_hash(store, slot);
    status = nkv_write_key_of(store, &entry, NKV_CHANGE_REWRITE);
    if (status != NKV_DATA_LOSS && status != NKV_NOT_FOUND)
        /* The cursor stays: another key may have this hash. */
        return status;
    if (++job->cursor == 0)
        job->phase = PHASE_COPIES;
    return NKV_OK;
}

static enum nkv_status add_copies(struct nkv_store *store,
                                  struct nkv_maintenance *job)
{
    bool more = store->lacks_copies;
    enum nkv_status status = NKV_OK;

    if (nkv_collecting(store))
        return nkv_collect_step(store);
    if (more)
        status = nkv_copies_step(store, &more);
    if (status == NKV_RESOURCE_EXHAUSTED) {
        uint32_t victim = nkv_victim_choose(store, 1, 0);
        if (victim == NKV_NONE || job->budget == 0)
            return status;
        job->budget--;
        return nkv_collect_begin(store, victim);
    }
    if (!more) {
        job->phase = PHASE_SWEEP;
        job->budget = 2 * store->sector_count;
    }
    return status;
}

static enum nkv_status sweep(struct nkv_store *store,
                             struct nkv_maintenance *job)
{
    uint32_t dropped = 0, needed_by;
    enum nkv_status status = NKV_OK;

    if (job->kind == NKV_MAINTAIN_HEAVY)
        status = nkv_tombstones_sweep(store, &dropped, &needed_by);
    job->phase = PHASE_CHOOSE;
    /* Counts what this round changes. */
    job->cursor = dropped;
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
static uint32_t find_urgent(const struct nkv_store *store)
{
    uint32_t sector = nkv_victim_damaged(store);

    for (uint32_t i = 0; i < store->sector_count && sector == NKV_NONE; i++)
        if (nkv_sector(store, i)->state != NKV_SECTOR_RETIRED &&
            nkv_sector_stale(store, i) > 0 && nkv_sector_live(store, i) == 0)
            sector = i;
    return sector;
}

static enum nkv_status choose(struct nkv_store *store,
                              struct nkv_maintenance *job)
{
    uint32_t victim = NKV_NONE;

    if (job->budget > 0)
        victim = job->kind != NKV_MAINTAIN_FULL || is_crowded(store)
                     ? nkv_victim_choose(store, 1, 0)
                     : find_urgent(store);
    if (victim != NKV_NONE || nkv_collecting(store)) {
        job->budget -= job->budget > 0;
        job->phase = PHASE_COLLECT;
        return nkv_collect_begin(store, victim);
    }
    job->phase = PHASE_DONE;
    if (job->kind == NKV_MAINTAIN_PARTIAL)
        return NKV_NOT_FOUND;
    /* With old values gone, more tombstones may go. */
    if (job->kind == NKV_MAINTAIN_HEAVY && job->cursor > 0 && job->budget > 0)
        job->phase = PHASE_SWEEP;
    return NKV_OK;
}

static enum nkv_status collect(struct nkv_store *store,
                               struct nkv_maintenance *job)
{
    enum nkv_status status = NKV_OK;

    if (nkv_collecting(store))
        status = nkv_collect_step(store);
    if (nkv_collecting(store))
        return status;
    job->cursor += status == NKV_OK;
    job->phase = PHASE_CHOOSE;
    if (job->kind == NKV_MAINTAIN_PARTIAL && status == NKV_OK)
        job->phase = PHASE_DONE;
    /* A sector that failed is out of the way now: go on with the others. */
    return status != NKV_RESOURCE_EXHAUSTED && job->budget > 0 ? NKV_OK
                                                               : status;
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
    case PHASE_COPIES:
        return add_copies(store, job);
    case PHASE_SWEEP:
        return sweep(store, job);
    case PHASE_CHOOSE:
        return choose(store, job);
    case PHASE_COLLECT:
        return collect(store, job);
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
        job->phase = PHASE_CHOOSE;
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
