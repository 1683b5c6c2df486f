/*
 * Changing a key: put, delete, and rewriting an entry in the first format.
 *
 * Order, for power loss: room for all copies, the first copy, the index, the
 * other copies. Nothing old is given up before the first copy was read back.
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

/* Adds one copy of a slot's entry, which is intact.
 * NKV_RESOURCE_EXHAUSTED: no room for it. */
enum nkv_status nkv_add_copy(struct nkv_store *store, uint32_t slot,
                             const struct nkv_entry *entry);

/* Adds all the copies that it lacks. */
enum nkv_status nkv_complete_copies(struct nkv_store *store, uint32_t slot,
                                    const struct nkv_entry *entry);

#endif
