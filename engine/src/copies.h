/*
 * Keeping as many copies of each entry as are configured.
 *
 * A change is made with its first copy; the others may come later, so entries
 * that lack some are normal. store->lacks_copies is false only while there is
 * no use in trying: none is missing, or adding one failed and no sector was
 * erased since.
 */
#ifndef NKV_COPIES_H
#define NKV_COPIES_H

#include "entry.h"

/* Copies that a store can keep: NKV_COPIES_MAX, or fewer in a smaller build. */
uint32_t nkv_copies_most(void);

/* Keys and tombstones with fewer copies than configured. */
uint32_t nkv_copies_missing(const struct nkv_store *store);

/*
 * Adds the other copies to an entry just written, with collection if their room
 * is not free yet. The change has been made: when a copy cannot be written, the
 * statistics tell, and idle steps try again.
 */
void nkv_copies_write(struct nkv_store *store, struct nkv_span key);

/*
 * Adds one copy to a slot that lacks it. *more: there was one.
 *
 * - NKV_RESOURCE_EXHAUSTED: no room; the entry still lacks copies.
 */
enum nkv_status nkv_copies_step(struct nkv_store *store, bool *more);

/* Completes all of them as far as there is room, collecting if that can make
 * room for all. NKV_RESOURCE_EXHAUSTED: it can, but nothing could be collected.
 */
enum nkv_status nkv_copies_complete(struct nkv_store *store);

/* Verifies all copies of a slot and gives up those that are damaged while
 * another is intact. NKV_DATA_LOSS: none is. */
enum nkv_status nkv_copies_check(struct nkv_store *store, uint32_t slot);

#endif
