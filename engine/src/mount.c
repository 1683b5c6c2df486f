/*
 * Mounting: everything in RAM is rebuilt from flash.
 *
 * Two passes. The first indexes values; a value on flash is what makes a slot,
 * so the table holds as many keys as it was made for, whatever the number of
 * tombstones on flash. The second lets tombstones supersede values; one whose
 * key has no value left on flash is not needed any more and is passed over,
 * unless it carries the newest id.
 */
#include "collect.h"
#include "flash_io.h"
#include "heal.h"
#include "index.h"
#include "lookup.h"
#include "marker.h"
#include "recover.h"
#include "scan.h"
#include "sector.h"

static const struct nkv_format default_format = {
    .magic = NKV_DEFAULT_MAGIC,
    .checksum = &nkv_checksum_crc16,
};

enum {
    /* How much the next id is raised after damage: what was lost may have had
     * newer ids than what is left. */
    NKV_ID_GAP = 16
};

/* What the scan found that decides how the store may be used. */
struct findings {
    struct nkv_entry newest;
    uint32_t damaged_regions;
    uint32_t unblank_sectors;
    bool saw_magic;
    bool foreign;
    bool marker;
    bool table_full;
};

static bool is_power_of_two(uint32_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

static bool flash_is_valid(const struct nkv_flash *flash)
{
    return flash != NULL && flash->read && flash->program && flash->erase &&
           is_power_of_two(flash->program_unit) &&
           flash->program_unit <= NKV_PROGRAM_UNIT_MAX &&
           flash->sector_count >= 2 && flash->sector_size >= 2 * NKV_UNIT &&
           flash->sector_size <= NKV_SECTOR_SIZE_MAX &&
           flash->sector_size % NKV_UNIT == 0 &&
           flash->sector_size % flash->program_unit == 0 &&
           flash->sector_count <= UINT32_MAX / flash->sector_size;
}

static bool formats_are_valid(const struct nkv_config *config)
{
    if (config->format_count > 0 && config->formats == NULL)
        return false;
    for (size_t i = 0; i < config->format_count; i++) {
        const struct nkv_checksum *checksum = config->formats[i].checksum;
        if (config->formats[i].magic == 0xFFFFFFFFu || checksum == NULL ||
            checksum->size > 4 || (checksum->size > 0 && !checksum->update))
            return false;
    }
    return true;
}

static bool memory_is_valid(const struct nkv_config *config, uint32_t copies)
{
    const struct nkv_memory *memory = &config->memory;

    return memory->index != NULL && memory->sectors != NULL &&
           memory->buffer != NULL && config->max_keys > 0 &&
           config->max_keys < 1u << 24 &&
           memory->index_words >= NKV_INDEX_WORDS(config->max_keys, copies) &&
           memory->sector_capacity >= config->flash->sector_count &&
           memory->buffer_size >= NKV_UNIT &&
           memory->buffer_size >= config->flash->program_unit;
}

static bool config_is_valid(const struct nkv_config *config)
{
    uint32_t copies = config->copies == 0 ? 1 : config->copies;

    return flash_is_valid(config->flash) && formats_are_valid(config) &&
           copies <= NKV_COPIES_MAX && copies < config->flash->sector_count &&
           memory_is_valid(config, copies);
}

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

static void note_id(struct nkv_store *store, const struct nkv_entry *entry,
                    struct findings *findings)
{
    if (!store->has_entries || nkv_id_is_newer(entry->id, store->newest_id)) {
        store->newest_id = entry->id;
        store->head = nkv_sector_of(store, entry->address);
        findings->newest = *entry;
    }
    store->has_entries = true;
}

/* Lets an entry take a slot over from the older one it holds. */
static void supersede(struct nkv_store *store, uint32_t slot,
                      const struct nkv_entry *entry,
                      const struct nkv_entry *indexed)
{
    bool was_tombstone = nkv_slot_is_tombstone(store, slot);

    nkv_forget_addresses(store, slot, indexed->size);
    nkv_remember_address(store, slot, entry->address, entry->size);
    if (entry->is_tombstone == was_tombstone)
        return;
    nkv_slot_set_tombstone(store, slot, entry->is_tombstone);
    store->keys -= 1;
    store->tombstones += 1;
}

/*
 * One copy more than configured, left by a collection that was cut: if the cut
 * went through one of them, it is not one to rely on.
 */
static enum nkv_status add_surplus(struct nkv_store *store, uint32_t slot,
                                   const struct nkv_entry *entry)
{
    for (uint32_t copy = 0; copy < store->copies; copy++) {
        uint32_t address = nkv_slot_address(store, slot, copy);
        struct nkv_entry indexed;
        enum nkv_status status = nkv_entry_read(store, address, &indexed);
        if (status == NKV_OK)
            status = nkv_entry_is_steady(store, &indexed);
        if (status != NKV_DATA_LOSS && status != NKV_NOT_FOUND) {
            if (status != NKV_OK)
                return status;
            continue;
        }
        nkv_sector_add_live(store, address, -(int32_t)entry->size);
        nkv_sector_set_state(store, nkv_sector_of(store, address),
                             NKV_SECTOR_DAMAGED);
        nkv_slot_set_address(store, slot, copy, entry->address);
        nkv_sector_add_live(store, entry->address, (int32_t)entry->size);
        break;
    }
    return NKV_OK;
}

/* An entry with the key and id of the indexed one: another copy. */
static enum nkv_status add_copy(struct nkv_store *store, uint32_t slot,
                                const struct nkv_entry *entry,
                                struct findings *findings)
{
    uint32_t sector = nkv_sector_of(store, entry->address);

    if (nkv_slot_find_sector(store, slot, sector) != NKV_NONE) {
        /* Twice in one sector: nothing writes that. */
        findings->damaged_regions++;
        nkv_sector_set_state(store, sector, NKV_SECTOR_DAMAGED);
        return NKV_OK;
    }
    if (nkv_remember_address(store, slot, entry->address, entry->size))
        return NKV_OK;
    return add_surplus(store, slot, entry);
}

static void add_slot(struct nkv_store *store, const struct nkv_entry *entry,
                     uint32_t hash, struct findings *findings)
{
    uint32_t slot = nkv_index_insert(store, hash);

    if (slot == NKV_NONE) {
        findings->table_full = true;
        return;
    }
    nkv_remember_address(store, slot, entry->address, entry->size);
    nkv_slot_set_tombstone(store, slot, entry->is_tombstone);
    if (entry->is_tombstone)
        store->tombstones++;
    else
        store->keys++;
}

static enum nkv_status index_entry(struct nkv_store *store,
                                   const struct nkv_entry *entry,
                                   struct findings *findings)
{
    uint8_t key[NKV_KEY_SIZE_MAX];
    struct nkv_span name = {key, entry->key_size};
    struct nkv_entry indexed;
    uint32_t slot;
    enum nkv_status status = nkv_entry_read_key(store, entry, key);

    if (status == NKV_OK)
        status = nkv_find(store, name, NKV_WANT_ANY, &slot, &indexed);
    if (status == NKV_NOT_FOUND || status == NKV_DATA_LOSS) {
        if (!entry->is_tombstone || entry->id == store->newest_id)
            add_slot(store, entry, nkv_hash(name), findings);
        return NKV_OK;
    }
    if (status != NKV_OK)
        return status;
    if (entry->id == indexed.id && entry->is_tombstone == indexed.is_tombstone)
        return add_copy(store, slot, entry, findings);
    if (nkv_id_is_newer(entry->id, indexed.id))
        supersede(store, slot, entry, &indexed);
    return NKV_OK;
}

static enum nkv_status take_entry(struct nkv_store *store,
                                  const struct nkv_entry *entry,
                                  struct findings *findings)
{
    note_id(store, entry, findings);
    if (!entry->is_tombstone)
        return index_entry(store, entry, findings);
    nkv_sector(store, nkv_sector_of(store, entry->address))->scratch_units = 1;
    return NKV_OK;
}

/* What the kinds of regions in a sector make of it, in the order in which they
 * are found. */
static void take_region(struct nkv_store *store, uint32_t sector,
                        const struct nkv_region *region,
                        struct findings *findings)
{
    uint32_t start = nkv_sector_start(store, sector);
    bool to_end = region->address + region->size == start + store->sector_bytes;

    switch (region->kind) {
    case NKV_REGION_STALE_ERASE:
        nkv_sector_set_state(store, sector, NKV_SECTOR_DIRTY);
        break;
    case NKV_REGION_CORRUPT:
        findings->damaged_regions++;
        nkv_sector_set_state(store, sector, NKV_SECTOR_DAMAGED);
        break;
    case NKV_REGION_FOREIGN:
        findings->marker |= nkv_is_marker(&region->entry);
        findings->foreign |= !nkv_is_marker(&region->entry);
        nkv_sector_set_state(store, sector, NKV_SECTOR_DAMAGED);
        break;
    case NKV_REGION_ERASED:
        if (region->address == start)
            nkv_sector_set_state(store, sector, NKV_SECTOR_ERASED);
        else if (nkv_sector(store, sector)->state == NKV_SECTOR_CLOSED &&
                 to_end)
            nkv_sector_set_used(store, sector, region->address - start);
        break;
    case NKV_REGION_ENTRY:
    default:
        break;
    }
}

static enum nkv_status scan_sector(struct nkv_store *store, uint32_t sector,
                                   struct findings *findings)
{
    struct nkv_scan scan = nkv_scan_begin(store, sector, 0);
    struct nkv_region region;
    enum nkv_status status;
    bool gap = false;

    nkv_sector_set_state(store, sector, NKV_SECTOR_CLOSED);
    while ((status = nkv_scan_next(store, &scan, &region)) == NKV_OK) {
        if (region.kind == NKV_REGION_ENTRY)
            status = take_entry(store, &region.entry, findings);
        else if (region.kind != NKV_REGION_ERASED || !gap)
            take_region(store, sector, &region, findings);
        gap |= region.kind == NKV_REGION_ERASED;
        if (status != NKV_OK)
            return status;
    }
    findings->saw_magic |= scan.saw_magic;
    return status == NKV_NOT_FOUND ? NKV_OK : status;
}

/* Flash that reads 0x00 everywhere was never erased, but holds nothing. */
static enum nkv_status is_all_zero(struct nkv_store *store, uint32_t sector,
                                   bool *zero)
{
    uint32_t start = nkv_sector_start(store, sector), end;
    uint32_t limit = start + store->sector_bytes;
    enum nkv_status status = nkv_flash_skip(store, start, limit, 0x00, &end);

    *zero = end == limit;
    return status;
}

/* Looks at what holds no entry at all: blank, or something that is not ours. */
static enum nkv_status judge_empty(struct nkv_store *store,
                                   struct findings *findings)
{
    for (uint32_t i = 0; i < nkv_sector_count(store); i++) {
        bool zero;
        enum nkv_status status;
        if (nkv_sector(store, i)->state == NKV_SECTOR_ERASED ||
            nkv_sector(store, i)->state == NKV_SECTOR_DIRTY)
            continue;
        status = is_all_zero(store, i, &zero);
        if (status != NKV_OK)
            return status;
        findings->unblank_sectors += !zero;
        if (zero)
            nkv_sector_set_state(store, i, NKV_SECTOR_DIRTY);
    }
    if (findings->unblank_sectors == 0)
        findings->damaged_regions = 0;
    return NKV_OK;
}

static enum nkv_status index_tombstones(struct nkv_store *store,
                                        uint32_t sector,
                                        struct findings *findings)
{
    struct nkv_scan scan = nkv_scan_begin(store, sector, 0);
    struct nkv_entry entry;
    enum nkv_status status;

    while ((status = nkv_scan_next_entry(store, &scan, &entry)) == NKV_OK) {
        if (entry.is_tombstone)
            status = index_entry(store, &entry, findings);
        if (status != NKV_OK)
            return status;
    }
    return status == NKV_NOT_FOUND ? NKV_OK : status;
}

static enum nkv_status read_flash(struct nkv_store *store,
                                  struct findings *findings)
{
    enum nkv_status status = NKV_OK;

    for (uint32_t i = 0; i < nkv_sector_count(store) && status == NKV_OK; i++)
        status = scan_sector(store, i, findings);
    for (uint32_t i = 0; i < nkv_sector_count(store) && status == NKV_OK; i++)
        if (nkv_sector(store, i)->scratch_units != 0)
            status = index_tombstones(store, i, findings);
    if (status == NKV_OK && !store->has_entries)
        status = judge_empty(store, findings);
    return status;
}

/*
 * Whether the newest entry, in all its copies, can be relied on; if not,
 * store->distrusted is the address of the copy that cannot. The last program
 * before a cut wrote it, or a copy of something that is still there.
 */
static enum nkv_status check_newest(struct nkv_store *store,
                                    const struct findings *findings,
                                    bool *steady)
{
    struct nkv_entry entry;
    uint32_t slot;
    enum nkv_status status =
        nkv_find_same_key(store, &findings->newest, &slot, &entry);

    *steady = true;
    if (status != NKV_OK)
        return status == NKV_NOT_FOUND ? NKV_OK : status;
    for (uint32_t copy = 0; copy < nkv_slot_copies(store, slot); copy++) {
        uint32_t address = nkv_slot_address(store, slot, copy);
        status = nkv_entry_read(store, address, &entry);
        if (status == NKV_OK)
            status = nkv_entry_is_steady(store, &entry);
        if (status == NKV_DATA_LOSS || status == NKV_NOT_FOUND) {
            *steady = false;
            store->distrusted = address;
            return NKV_OK;
        }
        if (status != NKV_OK)
            return status;
    }
    return NKV_OK;
}

/* Closes sectors in which a cut append left bits that sometimes read as erased:
 * right behind the last entry. */
static enum nkv_status check_tails(struct nkv_store *store)
{
    uint32_t unit = store->flash->program_unit;
    uint32_t size = unit < NKV_UNIT ? (uint32_t)NKV_UNIT : unit;

    for (uint32_t i = 0; i < nkv_sector_count(store); i++) {
        uint32_t address =
            nkv_sector_start(store, i) + nkv_sector_used(store, i);
        if (nkv_sector(store, i)->state != NKV_SECTOR_OPEN)
            continue;
        for (int n = 0; n < NKV_DOUBTFUL_READS; n++) {
            uint32_t end;
            enum nkv_status status =
                nkv_flash_skip(store, address, address + size, 0xFF, &end);
            if (status != NKV_OK)
                return status;
            if (end != address + size) {
                nkv_sector_set_state(store, i, NKV_SECTOR_DAMAGED);
                break;
            }
        }
    }
    return NKV_OK;
}

/* Reads the flash until what was found can be relied on. */
static enum nkv_status read_reliably(struct nkv_store *store,
                                     struct findings *findings)
{
    const struct nkv_config *config = store->config;
    uint32_t distrusted = NKV_NONE;
    enum nkv_status status;
    bool steady;

    for (int i = 0; i <= NKV_COPIES_MAX; i++) {
        *findings = (struct findings){0};
        reset(store, config);
        store->distrusted = distrusted;
        status = read_flash(store, findings);
        steady = true;
        if (status == NKV_OK && store->has_entries)
            status = check_newest(store, findings, &steady);
        if (status != NKV_OK || steady)
            break;
        distrusted = store->distrusted;
    }
    return status == NKV_OK ? check_tails(store) : status;
}

static void choose_next_id(struct nkv_store *store,
                           const struct findings *findings)
{
    uint32_t first = store->config->first_id;

    if (!store->has_entries)
        store->next_id = first == 0 ? 1 : first;
    else
        store->next_id = store->newest_id + 1;
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

static enum nkv_status repair(struct nkv_store *store)
{
    enum nkv_status status = nkv_recover_dirty(store);

    if (status == NKV_OK)
        status = nkv_recover_erased_sector(store);
    if (status == NKV_OK && store->distrusted != NKV_NONE)
        status =
            nkv_collect_sector(store, nkv_sector_of(store, store->distrusted));
    store->distrusted = NKV_NONE;
    if (status == NKV_OK && store->lacks_copies)
        status = nkv_heal_all(store);
    /* Too full for all copies, or a copy that cannot be read: usable. */
    if (status == NKV_RESOURCE_EXHAUSTED || status == NKV_DATA_LOSS)
        status = NKV_OK;
    return status;
}

/* Whether a store that is to be left alone needs repair. */
static bool needs_repair(const struct nkv_store *store,
                         const struct findings *findings)
{
    uint32_t incomplete = nkv_heal_count(store);

    /* When all entries lack copies, more copies were configured. */
    return findings->damaged_regions > 0 ||
           (store->erased_sectors == 0 && store->has_entries) ||
           (incomplete > 0 && incomplete < store->keys + store->tombstones);
}

static enum nkv_status judge(struct nkv_store *store,
                             const struct findings *findings)
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
    struct findings findings = {0};
    enum nkv_status status;

    store->access = NKV_ACCESS_NONE;
    store->config = NULL;
    if (config == NULL || !config_is_valid(config))
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
    status = repair(store);
    if (status != NKV_OK)
        store->access = NKV_ACCESS_NONE;
    return status;
}
