/*
 * Appending an entry to a sector: the only place that programs flash.
 *
 * Invariants: an entry goes behind the last one of its sector, lowest address
 * first, onto bytes that were verified to be erased since mount. What is
 * programmed is read back, and a copy verified by its own checksum too, before
 * the entry counts. A sector in which that failed takes no more entries.
 */
#ifndef NKV_APPEND_H
#define NKV_APPEND_H

#include "entry.h"
#include "sector.h"

enum {
    /* Sectors in which an entry is tried, one after another. */
    NKV_APPEND_TRIES = 3
};

/*
 * Programs an entry behind the last one of a sector with room for it, lowest
 * address first, and reads every byte back. content->entry->address is where it
 * lies then.
 *
 * An erased sector that does not take the entry, as after an erase that was cut
 * at its very end, is erased again and gets a second try; then it is retired.
 * After an error the sector takes no more entries, and what was written of the
 * entry is damage in it.
 */
enum nkv_status nkv_append(struct nkv_store *store, uint32_t sector,
                           const struct nkv_content *content);

/*
 * Chooses a sector that holds no copy of a slot's entry, NKV_NONE: any, and
 * appends there, or in another when programming fails.
 *
 * - NKV_RESOURCE_EXHAUSTED: there is no room.
 */
enum nkv_status nkv_append_anywhere(struct nkv_store *store,
                                    const struct nkv_content *content,
                                    uint32_t slot, enum nkv_purpose purpose);

/*
 * Copies the entry of a slot to another sector, as it is; only when today's
 * program unit does not allow that, with a new alignment, and with a new id
 * while ids are refreshed (wear.h).
 * *entry is the copy afterwards. Statuses as nkv_append_anywhere.
 */
enum nkv_status nkv_append_copy(struct nkv_store *store, uint32_t slot,
                                struct nkv_entry *entry,
                                enum nkv_purpose purpose);

#endif
