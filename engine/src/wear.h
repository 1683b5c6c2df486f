/*
 * Static wear levelling and keeping ids comparable: both by collecting the next
 * sector in ring order, whatever is in it.
 *
 * Choosing victims by benefit alone leaves data that never changes where it is,
 * and its sectors unworn. So one collection in NKV_SWEEP_INTERVAL is that of
 * the ring's next sector. Nothing on flash counts: where the ring and the count
 * begin after a mount follows from the newest id, so neither begins at the same
 * place each time.
 *
 * Ids wrap, and order only holds among ids that are near enough to each other
 * (nkv_id_is_newer). So when the oldest entry on flash falls too far behind,
 * the ring is gone round once, and what is collected meanwhile gets new ids.
 *
 * Invariant: live ids come to lie within half the range, and before ids reach
 * the wrap, in its top 2^24.
 */
#ifndef NKV_WEAR_H
#define NKV_WEAR_H

#include "core.h"

/* Collections, of which one is the ring's. */
/* Collections from one turn of the ring to the next. In small stores, where all
 * sectors take their turn as victims anyway, it costs more and comes seldomer.
 */
uint32_t nkv_sweep_interval(const struct nkv_store *store);

/* Places hand and count after a mount. */
void nkv_wear_begin(struct nkv_store *store);

/* Counts a collection. */
void nkv_wear_note_collection(struct nkv_store *store);

/* Whether a sector's turn has come. */
bool nkv_wear_is_due(const struct nkv_store *store);

/* The sector whose turn it is; NKV_NONE if no turn has come, or no sector holds
 * entries. Its turn is over then. */
uint32_t nkv_wear_next(struct nkv_store *store);

#endif
