/* Scan and Backup: what a walk comes to is streamed in chunks, a packet each
 * turn. */
#ifndef NKV_CHUNK_H
#define NKV_CHUNK_H

#include "walk.h"

/* A chunk that is being filled. */
struct nkv_chunk {
    struct nkv_store *store;
    /* Between what stands in front of them and what follows them. */
    struct nkv_buffer records;
    size_t size;
    uint32_t count;
    /* Nothing more goes in. */
    bool full;
    /* Nothing more comes. */
    bool done;
};

/* How one kind of call makes its chunks. */
struct nkv_chunk_kind {
    /* The room that is kept in front of the records and behind them. */
    size_t head_max;
    size_t tail_max;
    /* Adds the key that the iterator stands on, or, when found is not NKV_OK,
     * an entry that cannot be read. False: there is no room in this chunk. */
    bool (*add)(struct nkv_server_work *work, struct nkv_chunk *chunk,
                enum nkv_status found);
    /* A key was passed. May be NULL. */
    void (*passed)(struct nkv_server_work *work);
    /* Makes the message: the records and what stands around them. */
    struct nkv_span (*finish)(struct nkv_server_work *work,
                              const struct nkv_chunk *chunk);
};

/* Fills a chunk, unless it is full already, and sends it; behind the last one
 * the call is ended. */
void nkv_chunk_turn(struct nkv_rpc_call *call,
                    const struct nkv_chunk_kind *kind, bool full);

#endif
