/* Appending an entry to a sector: the only place that programs flash. */
#ifndef NKV_APPEND_H
#define NKV_APPEND_H

#include "entry.h"
#include "sector.h"

/*
 * Programs an entry behind the last one of a sector with room for it, lowest
 * address first, and reads every byte back. *address is where it lies.
 *
 * An erased sector that does not take the entry is erased again and gets a
 * second try. After an error the sector takes no more entries, and what was
 * written of the entry is damage in it.
 */
enum nkv_status nkv_append(struct nkv_store *store, uint32_t sector,
                           const struct nkv_content *content,
                           uint32_t *address);

enum {
    /* Sectors in which a write is tried. */
    NKV_APPEND_TRIES = 3
};

/*
 * Chooses a sector and appends there, or in another when programming fails.
 *
 * - NKV_RESOURCE_EXHAUSTED: there is no room.
 */
enum nkv_status nkv_append_anywhere(struct nkv_store *store,
                                    const struct nkv_content *content,
                                    const struct nkv_sector_set *taken,
                                    enum nkv_purpose purpose,
                                    uint32_t *address);

/*
 * Copies an entry to another sector, as it is; only when today's program unit
 * does not allow that, with a new alignment but the same id. taken are the
 * sectors that hold a copy of it. Statuses as nkv_append_anywhere.
 */
enum nkv_status nkv_append_copy(struct nkv_store *store,
                                const struct nkv_entry *entry,
                                const struct nkv_sector_set *taken,
                                enum nkv_purpose purpose,
                                struct nkv_entry *copy);

#endif
