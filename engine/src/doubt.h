/*
 * What a cut may have left half programmed: bits that read differently from
 * time to time. They can only be where the last program went: in the newest
 * entry, in a copy of something that is still there, or right behind an append
 * point. Those are read NKV_DOUBTFUL_READS times.
 */
#ifndef NKV_DOUBT_H
#define NKV_DOUBT_H

#include "entry.h"

/* Whether the newest entry, in all its copies, can be relied on; if not,
 * store->distrusted is set to the address of the copy that cannot. */
enum nkv_status nkv_check_newest(struct nkv_store *store,
                                 const struct nkv_entry *newest, bool *steady);

/* Closes sectors whose append point is not reliably erased. */
enum nkv_status nkv_check_tails(struct nkv_store *store);

#endif
