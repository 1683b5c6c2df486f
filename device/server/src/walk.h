/* Going over the keys of a store, a number of them each turn. */
#ifndef NKV_WALK_H
#define NKV_WALK_H

#include "service.h"

enum {
    /* Keys looked at in one turn, so that other calls get theirs. */
    NKV_WALK_KEYS_A_TURN = 64
};

/* Begins a walk over the keys with a prefix behind a key (empty: from the
 * start), the work of the call, and lets the call run. False: there are no such
 * keys. */
bool nkv_walk_begin(struct nkv_rpc_call *call, struct nkv_span prefix,
                    struct nkv_span behind);

/* Moves to the next key: statuses as nkv_next. *wanted: it has the prefix, or
 * cannot be read and may have. */
NKV_MUST_USE enum nkv_status nkv_walk_next(struct nkv_server_walk *walk,
                                           struct nkv_store *store,
                                           bool *wanted);

/* The key that the walk has come to; valid until it goes on. */
static inline struct nkv_span nkv_walk_key(const struct nkv_server_walk *walk)
{
    return (struct nkv_span){walk->iterator.key, walk->iterator.key_size};
}

/* Whether the store was written since the walk began. */
bool nkv_walk_changed(const struct nkv_server_walk *walk,
                      const struct nkv_store *store);

#endif
