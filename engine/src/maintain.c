/* Maintenance on request, in steps (docs/design.md). */
#include "access.h"
#include "collect.h"
#include "heal.h"
#include "index.h"
#include "lookup.h"
#include "recover.h"
#include "rewrite.h"
#include "sector.h"
#include "tombstones.h"

enum phase {
    PHASE_REPAIR,
    PHASE_CHECK,
    PHASE_REWRITE,
    PHASE_HEAL,
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
    enum nkv_status status;

    if (nkv_collecting(store))
        return nkv_collect_step(store);
    nkv_recover_dirty(store);
    status = nkv_recover_erased_sector(store);
    if (status == NKV_OK)
        store->access = NKV_ACCESS_FULL;
    job->phase = PHASE_CHECK;
    /* Collections: twice round, so that it ends though others write. */
    job->budget = 2 * nkv_sector_count(store);
    return status;
}

/* Looks for copies that have gone bad since they were written. An entry without
 * an intact copy is lost. */
static enum nkv_status check(struct nkv_store *store,
                             struct nkv_maintenance *job)
{
    for (uint32_t slot = 0; slot < store->slots;) {
        enum nkv_status status = NKV_OK;
        if (nkv_slot_is_used(store, slot))
            status = nkv_check_copies(store, slot);
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

static bool is_old_format(const struct nkv_store *store,
                          const struct nkv_entry *entry)
{
    return entry->magic != store->formats[0].magic;
}

static enum nkv_status rewrite(struct nkv_store *store,
                               struct nkv_maintenance *job)
{
    bool more;
    enum nkv_status status =
        nkv_rewrite_next(store, is_old_format, &job->cursor, &more);

    if (!more)
        job->phase = PHASE_HEAL;
    return status;
}

static enum nkv_status heal(struct nkv_store *store,
                            struct nkv_maintenance *job)
{
    bool more = false;
    enum nkv_status status = nkv_heal_step(store, &more);

    if (!more)
        job->phase = PHASE_SWEEP;
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
    uint64_t live = 0, all = 0;

    for (uint32_t i = 0; i < nkv_sector_count(store); i++) {
        live += nkv_sector_live(store, i);
        all += store->sector_bytes;
    }
    return live * 100 > all * CROWDED_PERCENT;
}

/* A sector to collect without an eye to how full the store is: damaged, or
 * without a live entry. */
static uint32_t find_urgent(const struct nkv_store *store)
{
    for (uint32_t i = 0; i < nkv_sector_count(store); i++) {
        enum nkv_sector_state state = nkv_sector(store, i)->state;
        if (state == NKV_SECTOR_DAMAGED || state == NKV_SECTOR_DIRTY ||
            (state != NKV_SECTOR_FAILED && nkv_sector_stale(store, i) > 0 &&
             nkv_sector_live(store, i) == 0))
            return i;
    }
    return NKV_NONE;
}

static enum nkv_status choose(struct nkv_store *store,
                              struct nkv_maintenance *job)
{
    uint32_t victim = NKV_NONE;

    if (job->budget > 0 &&
        (job->kind != NKV_MAINTAIN_FULL || is_crowded(store)))
        victim = nkv_sector_choose_victim(store);
    else if (job->budget > 0)
        victim = find_urgent(store);
    if (victim != NKV_NONE || nkv_collecting(store)) {
        nkv_collect_begin(store, victim);
        job->budget--;
        job->phase = PHASE_COLLECT;
        return NKV_OK;
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
    case PHASE_HEAL:
        return heal(store, job);
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

enum nkv_status nkv_maintain_step(struct nkv_store *store,
                                  struct nkv_maintenance *maintenance,
                                  bool *more)
{
    enum nkv_status status = NKV_OK;

    *more = false;
    if (store->access != NKV_ACCESS_FULL && store->access != NKV_ACCESS_REPAIR)
        return NKV_FAILED_PRECONDITION;
    if (maintenance->kind == NKV_MAINTAIN_PARTIAL && maintenance->steps == 0) {
        if (store->access != NKV_ACCESS_FULL)
            return NKV_FAILED_PRECONDITION;
        maintenance->phase = PHASE_CHOOSE;
        maintenance->budget = 1;
    }
    status = do_phase(store, maintenance);
    maintenance->steps++;
    *more = status == NKV_OK && maintenance->phase != PHASE_DONE;
    return status;
}

enum nkv_status nkv_maintain(struct nkv_store *store,
                             enum nkv_maintenance_kind kind)
{
    struct nkv_maintenance maintenance = {.kind = kind};
    enum nkv_status status = NKV_OK;
    bool more = true;

    while (status == NKV_OK && more)
        status = nkv_maintain_step(store, &maintenance, &more);
    return status;
}
