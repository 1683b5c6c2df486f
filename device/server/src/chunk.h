/* Scan and Backup: what a walk comes to is streamed in chunks, a packet each
 * turn. */
#ifndef NKV_CHUNK_H
#define NKV_CHUNK_H

#include "walk.h"

/* A chunk that is being filled. */
struct nkv_chunk {
    struct nkv_store *store;
    /* Of the room of the packet, what the records may take. */
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
    /* The room that is kept for the rest of the message. */
    size_t rest_max;
    /* Adds the key that the iterator stands on, or, when found is not NKV_OK,
     * an entry that cannot be read. False: there is no room in this chunk. */
    bool (*add)(struct nkv_server_work *work, struct nkv_chunk *chunk,
                enum nkv_status found);
    /* A key was passed. May be NULL. */
    void (*passed)(struct nkv_server_work *work);
    /* Sends the message. False: the line is gone, and the call with it. */
    bool (*tell)(struct nkv_rpc_call *call, const struct nkv_chunk *chunk);
};

/* Fills a chunk, unless it is full already, and sends it; behind the last one
 * the call is ended. */
void nkv_chunk_turn(struct nkv_rpc_call *call,
                    const struct nkv_chunk_kind *kind, bool full);

#endif
