/* Reading one key, in parts, as a task. */
#ifndef NORKV_HOST_GET_H
#define NORKV_HOST_GET_H

#include "task.h"

/* A value on its way. */
struct nkv_get {
    struct nkv_task task;
    void (*done)(void *context, const struct nkv_client_outcome *outcome,
                 struct nkv_client_value *value);
    void *context;
    uint8_t key[NKV_CLIENT_KEY_SIZE_MAX];
    size_t key_size;
    /* The session is open. */
    bool is_ready;
    struct nkv_ticket ticket;
    /* The request of a part that is being asked for, or NULL. */
    uint8_t *request;
    struct nkv_exchange exchange;
    struct nkv_client_value value;
    /* Bytes that are here, and that there will be. */
    size_t size;
    size_t total;
    bool begun;
    /* How often the whole was read in vain. */
    unsigned reads;
};

/*
 * Begins to read a key within the scope there is; whoever does so looks at
 * task.ended, or waits for it, and releases it. value is set by then; a key
 * that is not there is NKV_NOT_FOUND without a reason. NULL: no memory.
 */
struct nkv_get *nkv_get_start_within(struct nkv_client *client,
                                     struct nkv_span key);

/* Ends it if it has not ended, and frees it. */
void nkv_get_release(struct nkv_get *reading);

#endif
