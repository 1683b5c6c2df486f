/*
 * Garbage collection, in steps: the current entries of a victim sector are
 * copied to others one by one, then the victim is erased.
 *
 * Invariants, for power loss: copies keep the id of what they copy, so an entry
 * that lies twice is one entry; only while ids are refreshed (wear.h) they get
 * new ones and supersede it. The victim is erased when each of its current
 * entries was read back in its new place or counted as lost. A collection that
 * was cut short leaves at most one sector, the spare, that holds nothing but
 * such copies: nkv_recover_erased_sector erases it.
 */
#ifndef NKV_COLLECT_H
#define NKV_COLLECT_H

#include "core.h"

static inline bool nkv_collecting(const struct nkv_store *store)
{
    return store->victim != NKV_NONE;
}

/* Makes a sector the victim. One that is being collected is left as it is.
 * NKV_RESOURCE_EXHAUSTED: nothing is erased that a fast mount took on trust;
 * call nkv_verify_after_all (repair.h) first. */
enum nkv_status nkv_collect_begin(struct nkv_store *store, uint32_t sector);

/*
 * One copy or one erase. Ends the collection with the erase.
 *
 * Entries at store->replaced are left in the victim, which is then not erased
 * and stays the victim: a write in progress is about to supersede them.
 *
 * - NKV_NOT_FOUND: only replaced entries are left in the victim.
 * - NKV_RESOURCE_EXHAUSTED: there is no room to copy to; the collection was
 *   given up, nothing is lost.
 */
enum nkv_status nkv_collect_step(struct nkv_store *store);

/* Runs the collection in progress, if there is one, to its end. */
enum nkv_status nkv_collect_finish(struct nkv_store *store);

/* Collects this sector, after a collection in progress. */
enum nkv_status nkv_collect_sector(struct nkv_store *store, uint32_t sector);

#endif
