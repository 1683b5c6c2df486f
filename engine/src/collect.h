/*
 * Garbage collection, in steps: the current entries of a victim sector are
 * copied to others one by one, then the victim is erased.
 *
 * Power loss: copies keep the id of what they copy, so an entry that lies twice
 * is one entry. The victim keeps its entries until all of them were read back
 * in their new places. A collection that was cut short leaves at most one
 * sector, the spare, that holds nothing but such copies: nkv_recover erases it.
 */
#ifndef NKV_COLLECT_H
#define NKV_COLLECT_H

#include "core.h"

bool nkv_collecting(const struct nkv_store *store);

/* Whether some sector is stale for the most part, or one is being collected. */
bool nkv_collection_pays(const struct nkv_store *store);

/* Makes a sector the victim. One that is being collected is left as it is. */
void nkv_collect_begin(struct nkv_store *store, uint32_t sector);

/*
 * One copy or one erase. Ends the collection with the erase.
 *
 * An entry at store->replaced is left in the victim, which is then not erased
 * and stays the victim: a write in progress is about to supersede it.
 *
 * - NKV_NOT_FOUND: only the replaced entry is left in the victim.
 * - NKV_RESOURCE_EXHAUSTED: there is no room to copy to; the collection was
 *   given up, nothing is lost.
 */
enum nkv_status nkv_collect_step(struct nkv_store *store);

/* Runs a collection of the victim that gains most (or the one in progress) to
 * its end. NKV_RESOURCE_EXHAUSTED: no sector gains, or as above. */
enum nkv_status nkv_collect_best(struct nkv_store *store);

/* Runs a collection of this sector to its end. */
enum nkv_status nkv_collect_sector(struct nkv_store *store, uint32_t sector);

#endif
