/* Writing entries anew: in the first format, with a new id. */
#ifndef NKV_REWRITE_H
#define NKV_REWRITE_H

#include "entry.h"

/*
 * Rewrites the next entry, in the index's order from *cursor on, for which
 * is_wanted is true. Begin with *cursor 0. *more is false at the end. Entries
 * that are damaged are passed over. Statuses as nkv_write.
 */
enum nkv_status
nkv_rewrite_next(struct nkv_store *store,
                 bool (*is_wanted)(const struct nkv_store *store,
                                   const struct nkv_entry *entry),
                 uint32_t *cursor, bool *more);

/*
 * Prepares for ids to wrap: ids in the top 2^24 of the range are about to be
 * followed by low ones, which are newer than those but not than any others. So
 * all others leave the flash: what is current is rewritten, what is stale
 * collected. Once in 2^32 writes.
 */
enum nkv_status nkv_rewrite_before_wrap(struct nkv_store *store);

#endif
