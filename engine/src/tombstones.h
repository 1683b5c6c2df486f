/*
 * Letting tombstones go. A tombstone is needed as long as an older value of its
 * key is left anywhere on flash. A sweep reads all headers and finds out for
 * all tombstones at once; those that are not needed leave the index, and their
 * bytes become stale.
 *
 * Invariants: none goes while there is an older value with its hash, or a
 * sector that cannot be read. The entry with the newest id is never let go, or
 * ids would be given out twice after the next mount.
 */
#ifndef NKV_TOMBSTONES_H
#define NKV_TOMBSTONES_H

#include "entry.h"

/*
 * One sweep; store->tombstones tells how many are left. *needed_by is a sector
 * with an older value of one that had to stay, or NKV_NONE.
 */
enum nkv_status nkv_tombstones_sweep(struct nkv_store *store,
                                     uint32_t *needed_by);

/*
 * Lets tombstones go or, when all are needed, collects a sector with an older
 * value that one is needed for. One that fails is out of the way then.
 * NKV_RESOURCE_EXHAUSTED: neither can be done.
 */
enum nkv_status nkv_tombstones_reduce(struct nkv_store *store);

/* Bytes that letting all tombstones go would gain in a sector. */
uint32_t nkv_tombstones_gain(struct nkv_store *store, uint32_t sector);

/* The slot of the tombstone that has the newest id, and its entry; NKV_NONE if
 * there is none. */
uint32_t nkv_tombstones_find_newest(struct nkv_store *store,
                                    struct nkv_entry *entry);

/* Makes room in the index for one more tombstone: sweeps, and collects sectors
 * with older values if that is not enough. */
enum nkv_status nkv_tombstones_make_room(struct nkv_store *store);

#endif
