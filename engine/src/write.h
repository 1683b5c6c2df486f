/*
 * Changing a key: put, delete, and rewriting an entry in the first format.
 *
 * Order, for power loss: room for all copies, the first copy, the index, the
 * other copies. Then some work for the writes to come, if none was done yet.
 *
 * Invariants: nothing old is given up before the first copy was read back. When
 * an entry that failed may be on flash all the same, store->is_unsure says so.
 */
#ifndef NKV_WRITE_H
#define NKV_WRITE_H

#include "entry.h"
#include "sector.h"

enum nkv_change_kind {
    NKV_CHANGE_PUT,
    NKV_CHANGE_DELETE,
    /* What the key has, with a new id. */
    NKV_CHANGE_REWRITE
};

struct nkv_change {
    enum nkv_change_kind kind;
    struct nkv_span key;
    struct nkv_span value;
};

/*
 * Applies a change. The key may be there or not (for NKV_CHANGE_PUT), its index
 * slot and the table's room were checked.
 *
 * - NKV_RESOURCE_EXHAUSTED: no room. Nothing has changed.
 */
enum nkv_status nkv_write(struct nkv_store *store,
                          const struct nkv_change *change);

/* Finds the key as it is now and writes the first copy of its new entry, for
 * which there is room. */
enum nkv_status nkv_write_first_copy(struct nkv_store *store,
                                     const struct nkv_change *change,
                                     enum nkv_purpose purpose);

/* Deletes or rewrites the key of an entry on flash. */
enum nkv_status nkv_write_key_of(struct nkv_store *store,
                                 const struct nkv_entry *entry,
                                 enum nkv_change_kind kind);

#endif
