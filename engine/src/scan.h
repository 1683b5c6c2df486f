/*
 * Reading a sector from its start: what lies where. Mount, collection, the
 * sweep for tombstones and the survey all see a sector through this.
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

struct nkv_region {
    enum nkv_region_kind kind;
    uint32_t address;
    uint32_t size;
    /* Of an entry, foreign or not; of a corrupt region the header at its
     * start, if sound_header. */
    struct nkv_entry entry;
    bool sound_header;
};

struct nkv_scan {
    uint32_t start;
    uint32_t position;
    uint32_t end;
    /* The last damaged entry with a sound header; size 0: none. */
    struct nkv_entry damaged;
    /* Take headers for intact entries without verifying: for sectors that were
     * verified before. */
    bool trusting;
    /* A magic of ours was seen, in a damaged entry too. */
    bool saw_magic;
    /* The key of the entry that was returned last. */
    uint8_t key[NKV_KEY_SIZE_MAX];
};

/* A scan of a sector from an offset in it on, normally 0. */
struct nkv_scan nkv_scan_begin(const struct nkv_store *store, uint32_t sector,
                               uint32_t offset);

/*
 * The next region. NKV_NOT_FOUND: the sector's end. Any other status but
 * NKV_OK: the flash did not answer.
 */
enum nkv_status nkv_scan_next(struct nkv_store *store, struct nkv_scan *scan,
                              struct nkv_region *region);

/* The next intact entry of ours and its key, which stays valid until the next
 * call; other regions are passed over. Statuses as nkv_scan_next. */
enum nkv_status nkv_scan_next_entry(struct nkv_store *store,
                                    struct nkv_scan *scan,
                                    struct nkv_entry *entry,
                                    struct nkv_span *key);

#endif
