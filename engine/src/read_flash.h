/*
 * Rebuilding everything in RAM from flash.
 *
 * Two passes. The first indexes values; a value on flash is what makes a slot,
 * so the table holds as many keys as it was made for, whatever the number of
 * tombstones on flash. The second lets tombstones supersede values; one whose
 * key has no value left on flash is not needed any more and is passed over,
 * unless it carries the newest id.
 */
#ifndef NKV_READ_FLASH_H
#define NKV_READ_FLASH_H

#include "entry.h"

/* What the scan found that decides how the store may be used. */
struct nkv_findings {
    /* The entry with the newest id, if the store has entries. */
    struct nkv_entry newest;
    uint32_t damaged_regions;
    /* Counted when there is no entry at all: sectors that are neither erased
     * nor all zero. */
    uint32_t unblank_sectors;
    /* A magic of ours was seen, in a damaged entry too. */
    bool saw_magic;
    bool foreign;
    /* An erase of everything was cut short. */
    bool marker;
    uint32_t marker_id;
    bool table_full;
};

/* Fills in the index and the sectors of a store that was reset. Any status but
 * NKV_OK: the flash did not answer. */
enum nkv_status nkv_read_flash(struct nkv_store *store,
                               struct nkv_findings *findings);

#endif
