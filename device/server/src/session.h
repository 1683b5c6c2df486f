/*
 * Mutations that happen once: which clients are known, and what was answered
 * to their last mutations (docs/protocol.md, Sessions).
 */
#ifndef NKV_SESSION_H
#define NKV_SESSION_H

#include "message_tables.h"
#include <norkv/server.h>

/* A mutation's place in its session, and the CRC-32 that tells two requests
 * apart. */
struct nkv_op {
    uint32_t session;
    uint32_t seq;
    uint32_t request_crc;
};

/* What a mutation is answered with. */
struct nkv_write_result {
    enum nkv_status status;
    norkv_v1_WriteResponse message;
};

/* Forgets all clients. */
void nkv_session_reset(struct nkv_server *server);

/* The client with this number (not 0): known, or new in the place of the one
 * that was not heard of for longest. Never NULL. */
const struct nkv_server_client *nkv_session_open(struct nkv_server *server,
                                                 uint32_t client);

/*
 * Looks at a mutation before it is applied. True: it must not be, *result is
 * its answer: the one that was given before, or a refusal. False: it is the
 * session's next; apply it and call nkv_session_remember.
 */
bool nkv_session_recall(struct nkv_server *server, const struct nkv_op *op,
                        struct nkv_write_result *result);

/* Keeps the answer to a mutation, good or bad, that nkv_session_recall let
 * through. */
void nkv_session_remember(struct nkv_server *server, const struct nkv_op *op,
                          const struct nkv_write_result *result);

#endif
