/*
 * Reading a sector from its start: what lies where. Mount, collection, the
 * sweep for tombstones and the survey all see a sector through this.
 *
 * Invariants: the regions of a sector follow one another without a gap and end
 * with it. What begins within the extent of a damaged entry is an entry only if
 * the damaged one may end there (damage.h). What is on store->distrusted is
 * none.
 */
#ifndef NKV_SCAN_H
#define NKV_SCAN_H

#include "entry.h"

enum nkv_region_kind {
    /* An intact entry. */
    NKV_REGION_ENTRY,
    /* An intact entry of an unknown format, the erase marker included. */
    NKV_REGION_FOREIGN,
    /* Erased bytes. */
    NKV_REGION_ERASED,
    /* Neither erased nor an intact entry. */
    NKV_REGION_CORRUPT,
    /* A whole sector that an interrupted erase left: erased at its start, but
     * not everywhere. What looks like entries in it does not count. */
    NKV_REGION_STALE_ERASE
};

struct nkv_scan {
    /* How far it has come, and the sector's end. */
    uint32_t position;
    uint32_t end;
    /* Where the region found last begins; it ends at position. */
    uint32_t address;
    /* Private: the extent of the last damaged entry with a sound header. */
    uint32_t damaged;
    uint32_t damaged_end;
    uint8_t kind;
    /* Of a corrupt region: a sound header lies at its start. */
    bool sound_header;
    /* Headers are taken for entries without verifying. */
    bool trusting;
    /* A magic of ours was seen, in a damaged entry too. */
    bool saw_magic;
    /* Of an entry, foreign or not. */
    struct nkv_entry entry;
};

/* Begins a scan of a sector from an offset in it on, normally 0. */
void nkv_scan_begin(const struct nkv_store *store, struct nkv_scan *scan,
                    uint32_t sector, uint32_t offset);

/*
 * The next region. The key of an entry is in store->key then, until the next
 * call. NKV_NOT_FOUND: the sector's end. Any other status but NKV_OK: the flash
 * did not answer.
 */
enum nkv_status nkv_scan_next(struct nkv_store *store, struct nkv_scan *scan);

/* The key of the entry found last. */
static inline struct nkv_span nkv_scan_key(const struct nkv_store *store,
                                           const struct nkv_scan *scan)
{
    return (struct nkv_span){store->key, scan->entry.key_size};
}

#endif
