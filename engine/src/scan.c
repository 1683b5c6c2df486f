#include "scan.h"

#include "flash_io.h"

static const uint32_t ERASED_MAGIC = 0xFFFFFFFFu;

/* What lies at one unit of the sector. */
enum unit_kind { UNIT_ENTRY, UNIT_FOREIGN, UNIT_ERASED, UNIT_JUNK };

struct nkv_scan nkv_scan_begin(const struct nkv_store *store, uint32_t sector,
                               uint32_t offset)
{
    uint32_t start = nkv_sector_start(store, sector);

    return (struct nkv_scan){
        .start = start,
        .position = start + offset,
        .end = start + store->sector_bytes,
    };
}

/* Whether a damaged entry would be intact if it had these lengths. */
static enum nkv_status try_lengths(struct nkv_store *store,
                                   struct nkv_entry trial, uint32_t size,
                                   bool *passes)
{
    const struct nkv_format *format = nkv_format_of(store, trial.magic);
    enum nkv_status status;

    nkv_entry_measure(&trial);
    if (*passes || trial.size != size)
        return NKV_OK;
    status = nkv_entry_verify_as(store, &trial, format->checksum);
    *passes = status == NKV_OK;
    return status == NKV_DATA_LOSS ? NKV_OK : status;
}

/*
 * Whether a damaged entry ends where another entry begins: its checksum passes
 * once one of its three lengths is taken to be what makes it end there.
 */
static enum nkv_status ends_at(struct nkv_store *store,
                               const struct nkv_entry *damaged,
                               uint32_t address, bool *ends)
{
    uint32_t size = address - damaged->address;
    enum nkv_status status = NKV_OK;
    struct nkv_entry trial = *damaged;

    *ends = false;
    for (uint32_t n = 0; n < size && status == NKV_OK; n++) {
        trial.value_size = (uint16_t)n;
        status = try_lengths(store, trial, size, ends);
    }
    trial = *damaged;
    for (uint32_t n = 1; n <= NKV_KEY_SIZE_MAX && status == NKV_OK; n++) {
        trial.key_size = (uint8_t)n;
        status = try_lengths(store, trial, size, ends);
    }
    trial = *damaged;
    for (uint32_t n = 0; n <= 0xFF && status == NKV_OK; n++) {
        trial.alignment_units = (uint8_t)n;
        status = try_lengths(store, trial, size, ends);
    }
    return status;
}

/*
 * Whether an intact entry inside the extent of a damaged one is an entry of its
 * own (the damaged lengths reach too far) and not a part of its value.
 */
static enum nkv_status is_entry_of_its_own(struct nkv_store *store,
                                           const struct nkv_scan *scan,
                                           uint32_t address, bool *own)
{
    const struct nkv_entry *damaged = &scan->damaged;

    *own = address - damaged->address >= damaged->size ||
           nkv_format_of(store, damaged->magic)->checksum->size == 0;
    if (*own)
        return NKV_OK;
    return ends_at(store, damaged, address, own);
}

static enum nkv_status classify_header(struct nkv_store *store,
                                       struct nkv_scan *scan,
                                       struct nkv_entry *entry,
                                       enum unit_kind *kind)
{
    enum nkv_status status = nkv_entry_read(store, scan->position, entry);
    bool own = true;

    if (scan->position == store->distrusted)
        return NKV_DATA_LOSS;
    if (status == NKV_NOT_FOUND) {
        status = nkv_entry_verify_as(store, entry, &nkv_checksum_crc16);
        if (status == NKV_OK)
            *kind = UNIT_FOREIGN;
    } else {
        scan->saw_magic |= nkv_format_of(store, entry->magic) != NULL;
        if (status == NKV_OK)
            status = scan->trusting
                         ? nkv_entry_read_key(store, entry, scan->key)
                         : nkv_entry_verify(store, entry, scan->key);
        if (status == NKV_OK)
            *kind = UNIT_ENTRY;
    }
    if (status == NKV_OK && scan->damaged.size > 0)
        status = is_entry_of_its_own(store, scan, scan->position, &own);
    if (!own)
        *kind = UNIT_JUNK;
    else if (status == NKV_OK)
        /* The damaged entry ends here, whatever its lengths say. */
        scan->damaged.size = 0;
    return status;
}

static enum nkv_status classify_once(struct nkv_store *store,
                                     struct nkv_scan *scan,
                                     struct nkv_entry *entry,
                                     enum unit_kind *kind)
{
    enum nkv_status status;
    uint32_t end = scan->position;

    *kind = UNIT_JUNK;
    *entry = (struct nkv_entry){.address = scan->position};
    status = classify_header(store, scan, entry, kind);
    if (status == NKV_DATA_LOSS && entry->magic == ERASED_MAGIC)
        status = nkv_flash_skip(store, scan->position,
                                scan->position + NKV_UNIT, 0xFF, &end);
    if (end != scan->position)
        *kind = UNIT_ERASED;
    return status == NKV_DATA_LOSS ? NKV_OK : status;
}

/* What looks damaged is looked at twice: a read may have gone wrong. */
static enum nkv_status classify(struct nkv_store *store, struct nkv_scan *scan,
                                struct nkv_entry *entry, enum unit_kind *kind)
{
    enum nkv_status status = classify_once(store, scan, entry, kind);

    if (status == NKV_OK && *kind == UNIT_JUNK)
        status = classify_once(store, scan, entry, kind);
    return status;
}

/* Remembers the damaged entry at the scan's position, if its header is sound
 * and it does not lie inside another. */
static bool note_damage(struct nkv_store *store, struct nkv_scan *scan,
                        const struct nkv_entry *entry)
{
    const struct nkv_entry *damaged = &scan->damaged;
    bool inside =
        damaged->size > 0 && scan->position - damaged->address < damaged->size;
    bool sound = nkv_format_of(store, entry->magic) != NULL &&
                 entry->key_size > 0 && entry->key_size <= NKV_KEY_SIZE_MAX &&
                 entry->size <= scan->end - entry->address;

    if (!inside && sound)
        scan->damaged = *entry;
    return sound;
}

/* A corrupt region: up to the next entry or erased unit. */
static enum nkv_status scan_corrupt(struct nkv_store *store,
                                    struct nkv_scan *scan,
                                    struct nkv_region *region)
{
    enum unit_kind kind = UNIT_JUNK;
    enum nkv_status status = NKV_OK;
    struct nkv_entry entry = region->entry;

    region->kind = NKV_REGION_CORRUPT;
    region->sound_header = note_damage(store, scan, &entry);
    for (;;) {
        scan->position += NKV_UNIT;
        if (scan->position >= scan->end)
            break;
        status = classify(store, scan, &entry, &kind);
        if (status != NKV_OK || kind != UNIT_JUNK)
            break;
        note_damage(store, scan, &entry);
    }
    region->size = scan->position - region->address;
    return status;
}

static enum nkv_status scan_erased(struct nkv_store *store,
                                   struct nkv_scan *scan,
                                   struct nkv_region *region)
{
    uint32_t end;
    enum nkv_status status =
        nkv_flash_skip(store, scan->position, scan->end, 0xFF, &end);

    region->kind = NKV_REGION_ERASED;
    if (scan->position == scan->start && end != scan->end) {
        region->kind = NKV_REGION_STALE_ERASE;
        end = scan->end;
    }
    scan->position = end;
    region->size = end - region->address;
    return status;
}

enum nkv_status nkv_scan_next(struct nkv_store *store, struct nkv_scan *scan,
                              struct nkv_region *region)
{
    enum unit_kind kind;
    enum nkv_status status;

    if (scan->position >= scan->end)
        return NKV_NOT_FOUND;
    *region = (struct nkv_region){.address = scan->position};
    status = classify(store, scan, &region->entry, &kind);
    if (status != NKV_OK)
        return status;
    if (kind == UNIT_ERASED)
        return scan_erased(store, scan, region);
    if (kind == UNIT_JUNK)
        return scan_corrupt(store, scan, region);
    region->kind = kind == UNIT_ENTRY ? NKV_REGION_ENTRY : NKV_REGION_FOREIGN;
    region->size = region->entry.size;
    scan->position += region->size;
    return NKV_OK;
}

enum nkv_status nkv_scan_next_entry(struct nkv_store *store,
                                    struct nkv_scan *scan,
                                    struct nkv_entry *entry,
                                    struct nkv_span *key)
{
    struct nkv_region region;
    enum nkv_status status;

    do
        status = nkv_scan_next(store, scan, &region);
    while (status == NKV_OK && region.kind != NKV_REGION_ENTRY);
    *entry = region.entry;
    *key = (struct nkv_span){scan->key, entry->key_size};
    return status;
}
