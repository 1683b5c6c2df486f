/* Mounting: reading the flash, judging what was found, repairing what must be
 * repaired at once. */
#include "collect.h"
#include "config.h"
#include "doubt.h"
#include "heal.h"
#include "index.h"
#include "read_flash.h"
#include "recover.h"
#include "sector.h"
#include "tombstones.h"

static const struct nkv_format default_format = {
    .magic = NKV_DEFAULT_MAGIC,
    .checksum = &nkv_checksum_crc16,
};

enum {
    /* How much the next id is raised after damage: what was lost may have had
     * newer ids than what is left. */
    NKV_ID_GAP = 16
};

static void reset(struct nkv_store *store, const struct nkv_config *config)
{
    *store = (struct nkv_store){
        .config = config,
        .flash = config->flash,
        .formats = config->formats,
        .format_count = (uint32_t)config->format_count,
        .default_format = default_format,
        .sector_bytes = config->flash->sector_size,
        .copies = config->copies == 0 ? 1 : config->copies,
        .victim = NKV_NONE,
        .spare = NKV_NONE,
        .replaced = NKV_NONE,
        .distrusted = NKV_NONE,
    };
    if (store->format_count == 0) {
        store->formats = &store->default_format;
        store->format_count = 1;
    }
    store->slots = NKV_INDEX_WORDS(config->max_keys, 0u);
    nkv_index_clear(store);
    for (uint32_t i = 0; i < nkv_sector_count(store); i++)
        *nkv_sector(store, i) = (struct nkv_sector){.state = NKV_SECTOR_DIRTY};
}

/* Reads the flash until what was found can be relied on. */
static enum nkv_status read_reliably(struct nkv_store *store,
                                     struct nkv_findings *findings)
{
    const struct nkv_config *config = store->config;
    uint32_t distrusted = NKV_NONE;
    enum nkv_status status;
    bool steady;

    for (int i = 0; i <= NKV_COPIES_MAX; i++) {
        *findings = (struct nkv_findings){0};
        reset(store, config);
        store->distrusted = distrusted;
        status = nkv_read_flash(store, findings);
        steady = true;
        if (status == NKV_OK && store->has_entries)
            status = nkv_check_newest(store, &findings->newest, &steady);
        if (status != NKV_OK || steady)
            break;
        distrusted = store->distrusted;
    }
    return status == NKV_OK ? nkv_check_tails(store) : status;
}

static void choose_next_id(struct nkv_store *store,
                           const struct nkv_findings *findings)
{
    uint32_t first = store->config->first_id;

    if (!store->has_entries)
        store->next_id = first == 0 ? 1 : first;
    else
        store->next_id = store->newest_id + 1;
    if (findings->marker &&
        nkv_id_is_newer(findings->marker_id + 1, store->next_id))
        store->next_id = findings->marker_id + 1;
    if (findings->damaged_regions > 0)
        store->next_id += NKV_ID_GAP;
    if (store->next_id == 0)
        store->next_id = 1;
}

/* What reads differently from time to time is not left for the next mount to
 * find otherwise. */
static enum nkv_status erase_distrusted(struct nkv_store *store)
{
    uint32_t address = store->distrusted;
    uint32_t sector = nkv_sector_of(store, address);

    store->distrusted = NKV_NONE;
    if (address == NKV_NONE ||
        nkv_sector(store, sector)->state != NKV_SECTOR_DAMAGED)
        return NKV_OK;
    return nkv_collect_sector(store, sector);
}

/* What cannot be repaired, because there is no room or a sector fails, is left
 * as it is: the store can be read and, as far as there is room, written. */
static void repair(struct nkv_store *store)
{
    uint32_t dropped, needed_by;

    nkv_recover_dirty(store);
    (void)nkv_recover_erased_sector(store);
    (void)erase_distrusted(store);
    if (store->lacks_copies)
        (void)nkv_heal_all(store);
    /* What was erased may have been all that some tombstones were kept for, and
     * they all that was left in a damaged sector. */
    if (store->counters[NKV_COUNT_ERASES] > 0 && store->tombstones > 0)
        (void)nkv_tombstones_sweep(store, &dropped, &needed_by);
    nkv_recover_dirty(store);
}

/* Whether a store that is to be left alone needs repair. */
static bool needs_repair(const struct nkv_store *store,
                         const struct nkv_findings *findings)
{
    uint32_t incomplete = nkv_heal_count(store);

    /* When all entries lack copies, more copies were configured. */
    return findings->damaged_regions > 0 ||
           (store->erased_sectors == 0 && store->has_entries) ||
           (incomplete > 0 && incomplete < store->keys + store->tombstones);
}

static enum nkv_status judge(struct nkv_store *store,
                             const struct nkv_findings *findings)
{
    bool not_ours = !findings->saw_magic && findings->unblank_sectors > 1;

    store->access = NKV_ACCESS_READ_ONLY;
    if (findings->foreign || findings->marker || not_ours)
        return NKV_FAILED_PRECONDITION;
    if (findings->table_full || store->keys > store->config->max_keys)
        return NKV_RESOURCE_EXHAUSTED;
    if (store->config->manual_repair && needs_repair(store, findings)) {
        store->access = NKV_ACCESS_REPAIR;
        return NKV_DATA_LOSS;
    }
    store->access = NKV_ACCESS_FULL;
    return NKV_OK;
}

enum nkv_status nkv_mount(struct nkv_store *store,
                          const struct nkv_config *config)
{
    struct nkv_findings findings = {0};
    enum nkv_status status;

    store->access = NKV_ACCESS_NONE;
    store->config = NULL;
    if (config == NULL || !nkv_config_is_valid(config))
        return NKV_INVALID_ARGUMENT;
    store->config = config;
    status = read_reliably(store, &findings);
    if (status != NKV_OK)
        return status;
    choose_next_id(store, &findings);
    store->counters[NKV_COUNT_CORRUPT] = findings.damaged_regions;
    store->lacks_copies = nkv_heal_count(store) > 0;
    status = judge(store, &findings);
    if (status != NKV_OK || config->manual_repair)
        return status;
    repair(store);
    return NKV_OK;
}
