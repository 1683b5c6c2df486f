#include "scan.h"

#include "damage.h"
#include "flash_io.h"

/* What lies at one unit of the sector. */
enum unit_kind { UNIT_ENTRY, UNIT_FOREIGN, UNIT_ERASED, UNIT_JUNK };

struct nkv_scan nkv_scan_begin(const struct nkv_store *store, uint32_t sector,
                               uint32_t offset)
{
    uint32_t start = sector * store->sector_bytes;

    return (struct nkv_scan){
        .position = start + offset,
        .end = start + store->sector_bytes,
    };
}

static enum nkv_status check_entry(struct nkv_store *store,
                                   const struct nkv_scan *scan,
                                   struct nkv_entry *entry)
{
    const struct nkv_checksum *checksum = nkv_checksum_of(store, entry->magic);
    const struct nkv_window key = {scan->key, NKV_UNIT, entry->key_size};

    if (!scan->trusting)
        return nkv_entry_verify(store, entry, scan->key != NULL ? &key : NULL);
    if (checksum->size == 0 && !checksum->field_is_free && entry->checksum != 0)
        return NKV_DATA_LOSS;
    return scan->key != NULL ? nkv_entry_read_key(store, entry, scan->key)
                             : NKV_OK;
}

static bool is_distrusted(const struct nkv_store *store,
                          const struct nkv_entry *entry)
{
    for (uint32_t i = 0; i < store->distrusted_count; i++)
        if (store->distrusted[i] - entry->address < entry->size)
            return true;
    return false;
}

/* NKV_DATA_LOSS: no entry. */
static enum nkv_status classify_entry(struct nkv_store *store,
                                      struct nkv_scan *scan,
                                      struct nkv_entry *entry,
                                      enum unit_kind *kind)
{
    enum nkv_status status = nkv_entry_read(store, scan->position, entry);
    bool is_ours = nkv_checksum_of(store, entry->magic) != NULL;
    bool own = true;

    scan->saw_magic |= is_ours;
    if (status == NKV_NOT_FOUND)
        status = nkv_entry_verify(store, entry, NULL);
    else if (status == NKV_OK)
        status = check_entry(store, scan, entry);
    if (status == NKV_OK && is_distrusted(store, entry))
        status = NKV_DATA_LOSS;
    if (status == NKV_OK && scan->position < scan->damaged_end)
        status = nkv_damage_ends_at(store, scan->damaged, scan->position, &own);
    if (status != NKV_OK || !own)
        return status;
    /* The damaged entry ends here, whatever its lengths say. */
    scan->damaged_end = 0;
    *kind = is_ours ? UNIT_ENTRY : UNIT_FOREIGN;
    return NKV_OK;
}

/* What looks damaged is looked at again: a read may have gone wrong. */
static enum nkv_status classify(struct nkv_store *store, struct nkv_scan *scan,
                                struct nkv_entry *entry, enum unit_kind *kind)
{
    enum nkv_status status = NKV_OK;
    uint32_t end;

    *kind = UNIT_JUNK;
    for (int i = 0;
         i < NKV_READ_TRIES && status == NKV_OK && *kind == UNIT_JUNK; i++) {
        status = classify_entry(store, scan, entry, kind);
        if (status != NKV_DATA_LOSS)
            continue;
        end = scan->position;
        status = entry->magic == NKV_ERASED_MAGIC
                     ? nkv_flash_skip(store, end, end + NKV_UNIT, 0xFF, &end)
                     : NKV_OK;
        if (end != scan->position)
            *kind = UNIT_ERASED;
    }
    return status;
}

/* Remembers the damaged entry at the scan's position, if its header is sound
 * and it does not lie inside another. */
static bool note_damage(struct nkv_store *store, struct nkv_scan *scan,
                        const struct nkv_entry *entry)
{
    bool sound = nkv_checksum_of(store, entry->magic) != NULL &&
                 entry->key_size > 0 && entry->key_size <= NKV_KEY_SIZE_MAX &&
                 entry->size <= scan->end - entry->address;

    if (sound && scan->position >= scan->damaged_end) {
        scan->damaged = scan->position;
        scan->damaged_end = scan->position + entry->size;
    }
    return sound;
}

/* A corrupt region: up to the next entry or erased unit. */
static enum nkv_status scan_corrupt(struct nkv_store *store,
                                    struct nkv_scan *scan,
                                    struct nkv_region *region)
{
    enum unit_kind kind = UNIT_JUNK;
    enum nkv_status status = NKV_OK;
    struct nkv_entry entry;

    region->kind = NKV_REGION_CORRUPT;
    region->sound_header = note_damage(store, scan, &region->entry);
    while ((scan->position += NKV_UNIT) < scan->end) {
        status = classify(store, scan, &entry, &kind);
        if (status != NKV_OK || kind != UNIT_JUNK)
            break;
        (void)note_damage(store, scan, &entry);
    }
    return status;
}

static enum nkv_status scan_erased(struct nkv_store *store,
                                   struct nkv_scan *scan,
                                   struct nkv_region *region)
{
    uint32_t start = scan->end - store->sector_bytes;
    enum nkv_status status =
        nkv_flash_skip(store, scan->position, scan->end, 0xFF, &scan->position);

    region->kind = NKV_REGION_ERASED;
    if (region->address == start && scan->position != scan->end) {
        region->kind = NKV_REGION_STALE_ERASE;
        scan->position = scan->end;
    }
    return status;
}

enum nkv_status nkv_scan_next(struct nkv_store *store, struct nkv_scan *scan,
                              struct nkv_region *region)
{
    enum unit_kind kind;
    enum nkv_status status;

    if (scan->position >= scan->end)
        return NKV_NOT_FOUND;
    region->address = scan->position;
    status = classify(store, scan, &region->entry, &kind);
    if (status == NKV_OK && kind == UNIT_ERASED)
        status = scan_erased(store, scan, region);
    else if (status == NKV_OK && kind == UNIT_JUNK)
        status = scan_corrupt(store, scan, region);
    else if (status == NKV_OK) {
        region->kind =
            kind == UNIT_ENTRY ? NKV_REGION_ENTRY : NKV_REGION_FOREIGN;
        scan->position += region->entry.size;
    }
    region->size = scan->position - region->address;
    return status;
}

enum nkv_status nkv_scan_next_entry(struct nkv_store *store,
                                    struct nkv_scan *scan,
                                    struct nkv_entry *entry)
{
    struct nkv_region region;
    enum nkv_status status;

    do
        status = nkv_scan_next(store, scan, &region);
    while (status == NKV_OK && region.kind != NKV_REGION_ENTRY);
    *entry = region.entry;
    return status;
}
