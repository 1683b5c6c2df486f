#include "scan.h"

#include "damage.h"
#include "flash_io.h"

void nkv_scan_begin(const struct nkv_store *store, struct nkv_scan *scan,
                    uint32_t sector, uint32_t offset)
{
    uint32_t start = sector * store->sector_bytes;

    scan->position = start + offset;
    scan->end = start + store->sector_bytes;
    scan->damaged_end = 0;
    scan->trusting = false;
    scan->saw_magic = false;
}

static enum nkv_status check_entry(struct nkv_store *store,
                                   struct nkv_scan *scan)
{
    struct nkv_entry *entry = &scan->entry;
    const struct nkv_checksum *checksum = nkv_checksum_of(store, entry->magic);
    const struct nkv_window key = {store->key, NKV_UNIT, entry->key_size};

    if (!scan->trusting || checksum == NULL)
        return nkv_entry_verify(store, entry, &key);
    if (checksum->size == 0 && !checksum->field_is_free && entry->checksum != 0)
        return NKV_DATA_LOSS;
    return nkv_entry_read_key(store, entry, store->key);
}

static bool is_distrusted(const struct nkv_store *store,
                          const struct nkv_entry *entry)
{
    for (uint32_t i = 0; i < store->distrusted_count; i++)
        if (store->distrusted[i] - entry->address < entry->size)
            return true;
    return false;
}

/* Whether an entry lies at the scan's position, of a format of ours or not.
 * NKV_DATA_LOSS: none. */
static enum nkv_status find_entry(struct nkv_store *store,
                                  struct nkv_scan *scan)
{
    bool own = true;
    enum nkv_status status =
        nkv_entry_read(store, scan->position, &scan->entry);
    bool is_ours = nkv_checksum_of(store, scan->entry.magic) != NULL;

    scan->saw_magic |= is_ours;
    scan->kind = is_ours ? NKV_REGION_ENTRY : NKV_REGION_FOREIGN;
    if (status == NKV_OK || status == NKV_NOT_FOUND)
        status = check_entry(store, scan);
    if (status != NKV_OK)
        return status;
    /* Of an erase that was cut in the header; the checksum is right by chance.
     */
    if (scan->entry.magic == NKV_ERASED_MAGIC ||
        is_distrusted(store, &scan->entry))
        return NKV_DATA_LOSS;
    if (scan->position < scan->damaged_end)
        status = nkv_damage_ends_at(store, scan->damaged, scan->position, &own);
    if (status != NKV_OK)
        return status;
    if (!own)
        return NKV_DATA_LOSS;
    /* The damaged entry ends here, whatever its lengths say. */
    scan->damaged_end = 0;
    return NKV_OK;
}

/* Whether a unit is erased, of which the magic is. */
static enum nkv_status find_erased(struct nkv_store *store,
                                   struct nkv_scan *scan)
{
    uint32_t end = scan->position;
    enum nkv_status status =
        nkv_flash_skip(store, end, end + NKV_UNIT, 0xFF, &end);

    scan->kind = end != scan->position ? NKV_REGION_ERASED : NKV_REGION_CORRUPT;
    return status;
}

/* Sets scan->kind to that of the unit at the scan's position, or of the entry
 * there. What looks damaged is looked at again: a read may have gone wrong. */
static enum nkv_status classify(struct nkv_store *store, struct nkv_scan *scan)
{
    enum nkv_status status = NKV_OK;

    scan->kind = NKV_REGION_CORRUPT;
    for (int i = 0; i < NKV_READ_TRIES && status == NKV_OK &&
                    scan->kind == NKV_REGION_CORRUPT;
         i++) {
        status = find_entry(store, scan);
        if (status != NKV_DATA_LOSS)
            continue;
        status = NKV_OK;
        scan->kind = NKV_REGION_CORRUPT;
        if (scan->entry.magic == NKV_ERASED_MAGIC)
            status = find_erased(store, scan);
    }
    return status;
}

/* Remembers the damaged entry at the scan's position, if its header is sound
 * and it does not lie inside another. */
static void note_damage(const struct nkv_store *store, struct nkv_scan *scan)
{
    const struct nkv_entry *entry = &scan->entry;
    bool sound = nkv_checksum_of(store, entry->magic) != NULL &&
                 entry->key_size > 0 && entry->key_size <= NKV_KEY_SIZE_MAX &&
                 entry->size <= scan->end - scan->position;

    if (scan->position == scan->address)
        scan->sound_header = sound;
    if (sound && scan->position >= scan->damaged_end) {
        scan->damaged = scan->position;
        scan->damaged_end = scan->position + entry->size;
    }
}

static enum nkv_status skip_erased(struct nkv_store *store,
                                   struct nkv_scan *scan)
{
    enum nkv_status status =
        nkv_flash_skip(store, scan->position, scan->end, 0xFF, &scan->position);

    if (scan->address == scan->end - store->sector_bytes &&
        scan->position != scan->end) {
        scan->kind = NKV_REGION_STALE_ERASE;
        scan->position = scan->end;
    }
    return status;
}

enum nkv_status nkv_scan_next(struct nkv_store *store, struct nkv_scan *scan)
{
    enum nkv_status status = NKV_NOT_FOUND;

    scan->address = scan->position;
    while (scan->position < scan->end) {
        status = classify(store, scan);
        if (status != NKV_OK || scan->kind != NKV_REGION_CORRUPT)
            break;
        note_damage(store, scan);
        scan->position += NKV_UNIT;
    }
    if (status != NKV_OK)
        return status;
    /* A corrupt region goes up to the next entry or erased unit. */
    if (scan->position != scan->address)
        scan->kind = NKV_REGION_CORRUPT;
    else if (scan->kind == NKV_REGION_ERASED)
        return skip_erased(store, scan);
    else
        scan->position += scan->entry.size;
    return NKV_OK;
}
