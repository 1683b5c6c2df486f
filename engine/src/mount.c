/* Mounting: reading the flash, judging what was found, repairing it. */
#include "mount.h"

#include "access.h"
#include "config.h"
#include "copies.h"
#include "read_flash.h"
#include "repair.h"
#include "sector.h"
#include "wear.h"

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
        .formats = &default_format,
        .format_count = 1,
        .sectors = config->memory.sectors,
        .index = config->memory.index,
        .sector_bytes = config->flash->sector_size,
        .sector_count = config->flash->sector_count,
        .slots = (uint32_t)NKV_INDEX_WORDS(config->max_keys, 0u),
        .copies = config->copies == 0 ? 1 : config->copies,
        .victim = NKV_NONE,
        .spare = NKV_NONE,
        .replaced = {NKV_NONE, NKV_NONE},
        .excluded = NKV_NONE,
        .is_trusting = config->fast_mount,
    };
    if (config->format_count > 0) {
        store->formats = config->formats;
        store->format_count = (uint8_t)config->format_count;
    }
    for (uint32_t i = 0; i < store->sector_count; i++)
        store->sectors[i] = (struct nkv_sector){.state = NKV_SECTOR_DIRTY};
}

static void choose_next_id(struct nkv_store *store)
{
    uint32_t first = store->config->first_id;

    store->next_id = store->has_entries ? store->newest_id + 1 : first;
    if (store->has_marker &&
        nkv_id_is_newer(store->marker_id + 1, store->next_id))
        store->next_id = store->marker_id + 1;
    if (store->damaged_regions > 0)
        store->next_id += NKV_ID_GAP;
    if (store->next_id == 0)
        store->next_id = 1;
    /* What holds no entries was last written now, as far as is known. */
    for (uint32_t i = 0; i < store->sector_count; i++)
        if (nkv_sector_used(store, i) == 0)
            nkv_sector(store, i)->touched_id = store->next_id - 1;
}

/* Whether a store that is to be left alone needs repair. */
static bool needs_repair(const struct nkv_store *store)
{
    uint32_t incomplete = nkv_copies_missing(store);

    /* When all entries lack copies, more copies were configured. */
    return store->damaged_regions > 0 ||
           (store->erased_sectors == 0 && store->has_entries) ||
           (incomplete > 0 && incomplete < store->keys + store->tombstones);
}

static enum nkv_status judge(struct nkv_store *store)
{
    bool not_ours = !store->saw_magic && store->unblank_sectors > 1;
    bool half_erased = store->has_marker &&
                       !(store->has_entries &&
                         nkv_id_is_newer(store->newest_id, store->marker_id));

    store->access = NKV_ACCESS_READ_ONLY;
    store->is_half_erased = half_erased;
    if (store->has_foreign || half_erased || not_ours)
        return NKV_FAILED_PRECONDITION;
    if (store->table_full || store->keys > store->config->max_keys)
        return NKV_RESOURCE_EXHAUSTED;
    if (store->config->manual_repair && needs_repair(store)) {
        store->access = NKV_ACCESS_REPAIR;
        return NKV_DATA_LOSS;
    }
    store->access = NKV_ACCESS_FULL;
    return NKV_OK;
}

enum nkv_status nkv_mount_unlocked(struct nkv_store *store,
                                   const struct nkv_config *config)
{
    enum nkv_status status;

    reset(store, config);
    status = nkv_read_flash(store);
    /* Nothing is repaired that was taken on trust. */
    if (status == NKV_OK && store->is_trusting && store->damaged_regions > 0) {
        store->is_trusting = false;
        status = nkv_read_flash(store);
    }
    if (status != NKV_OK)
        return status;
    choose_next_id(store);
    store->counters[NKV_COUNT_CORRUPT] = store->damaged_regions;
    store->lacks_copies = nkv_copies_missing(store) > 0;
    nkv_wear_begin(store);
    status = judge(store);
    if (status == NKV_OK && !config->manual_repair)
        nkv_repair(store);
    return status;
}

enum nkv_status nkv_mount(struct nkv_store *store,
                          const struct nkv_config *config)
{
    enum nkv_status status;

    if (config == NULL || !nkv_config_is_valid(config)) {
        store->access = NKV_ACCESS_NONE;
        store->config = NULL;
        return NKV_INVALID_ARGUMENT;
    }
    if (config->lock != NULL)
        config->lock(config->lock_context);
    status = nkv_mount_unlocked(store, config);
    return nkv_leave(store, status);
}

bool nkv_is_erase_cut(const struct nkv_store *store)
{
    return store->is_half_erased;
}
