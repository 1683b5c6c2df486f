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
 * Keeps ids comparable while they wrap. An id in the top 2^24 of the range is
 * older than one in the bottom 2^24 and newer than all others. So when ids
 * arrive at the top, entries with other ids leave the flash: current ones are
 * rewritten, stale ones collected. When ids are half through the bottom, those
 * from the top leave. Each happens once in 2^32 writes; otherwise this does
 * nothing.
 */
enum nkv_status nkv_rewrite_for_wrap(struct nkv_store *store);

#endif
