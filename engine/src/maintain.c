/* Maintenance on request, in steps (docs/design.md). */
#include "access.h"
#include "collect.h"
#include "heal.h"
#include "index.h"
#include "lookup.h"
#include "recover.h"
#include "sector.h"
#include "tombstones.h"
#include "write.h"

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
    status = nkv_recover_dirty(store);
    if (status == NKV_OK)
        status = nkv_recover_erased_sector(store);
    if (status == NKV_OK)
        store->access = NKV_ACCESS_FULL;
    job->phase = PHASE_CHECK;
    /* Collections: twice round, so that it ends though others write. */
    job->budget = 2 * nkv_sector_count(store);
    return status;
}

/* Looks for copies that have gone bad since they were written. An entry without
 * an intact copy is left to whoever reads or collects it. */
static enum nkv_status check(struct nkv_store *store,
                             struct nkv_maintenance *job)
{
    enum nkv_status status = NKV_OK;

    for (uint32_t slot = 0; slot < store->slots; slot++) {
        if (nkv_slot_is_used(store, slot))
            status = nkv_check_copies(store, slot);
        if (status != NKV_OK && status != NKV_DATA_LOSS)
            return status;
    }
    job->phase = PHASE_REWRITE;
    job->cursor = 0;
    return NKV_OK;
}

/* The next slot, in order of hashes from *cursor on, whose entry is not in the
 * first format. */
static uint32_t find_old_format(struct nkv_store *store, uint32_t *cursor,
                                struct nkv_entry *entry)
{
    struct nkv_index_walk walk = nkv_index_walk_from(store, *cursor);
    uint32_t slot;

    while ((slot = nkv_index_walk_next(store, &walk)) != NKV_NONE) {
        uint32_t address = nkv_slot_address(store, slot, 0);
        if (nkv_slot_hash(store, slot) < *cursor)
            continue;
        if (nkv_entry_read(store, address, entry) == NKV_OK &&
            entry->magic != store->formats[0].magic)
            break;
    }
    if (slot != NKV_NONE)
        *cursor = nkv_slot_hash(store, slot);
    return slot;
}

/* Rewrites one entry. The cursor stays at its hash, which others may share,
 * unless it is damaged: then it is left to whoever reads or collects it. */
static enum nkv_status rewrite(struct nkv_store *store,
                               struct nkv_maintenance *job)
{
    uint8_t key[NKV_KEY_SIZE_MAX];
    struct nkv_change change = {.kind = NKV_CHANGE_REWRITE};
    struct nkv_entry entry;
    enum nkv_status status;

    if (find_old_format(store, &job->cursor, &entry) == NKV_NONE) {
        job->phase = PHASE_HEAL;
        return NKV_OK;
    }
    status = nkv_entry_read_key(store, &entry, key);
    change.key = (struct nkv_span){key, entry.key_size};
    if (status == NKV_OK)
        status = nkv_write(store, &change);
    if (status != NKV_DATA_LOSS && status != NKV_NOT_FOUND)
        return status;
    if (++job->cursor == 0)
        job->phase = PHASE_HEAL;
    return NKV_OK;
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
