/*
 * Bits that a cut left half programmed, and that read differently from time to
 * time (read_flash.h). What is not steady when it is read many times is damage.
 */
#ifndef NKV_DOUBT_H
#define NKV_DOUBT_H

#include "entry.h"

/* Takes the entry that an address is in for damage from now on. False: too many
 * are. */
bool nkv_distrust(struct nkv_store *store, uint32_t address);

/* Distrusts an entry if it is not steady. NKV_ABORTED: it is not, and reading
 * the flash has to begin anew. */
enum nkv_status nkv_doubt_entry(struct nkv_store *store,
                                const struct nkv_entry *entry);

/*
 * Looks more closely at where the last program of a sector went, if a cut may
 * have hit it: from the last unit that is not erased to the one behind the
 * entries. NKV_ABORTED: see nkv_doubt_entry.
 */
enum nkv_status nkv_doubt_end(struct nkv_store *store, uint32_t number);

#endif
