/*
 * How much of a device's receive buffer is in use: the content of requests and
 * of an upload's chunks that are unanswered. Whoever wants to send one of
 * either asks here first.
 */
#ifndef NORKV_HOST_WINDOW_H
#define NORKV_HOST_WINDOW_H

#include <stdbool.h>
#include <stddef.h>

struct nkv_client;

struct nkv_window {
    /* Content of chunks that were sent and are not acknowledged; there is one
     * upload at a time, which counts them. */
    size_t chunks;
    /* Somebody waits for room, and nobody gets any until something has arrived
     * or time has passed: those behind must not keep taking it. */
    bool is_claimed;
    /* A call was refused since the last turn, and between the two before; and
     * whether a chunk was the last to be given room. */
    bool is_call_waiting;
    bool was_call_waiting;
    bool was_chunk;
};

/*
 * Whether a device with this window takes one request or chunk at a time: with
 * a window of one largest frame it may be deaf while it programs, and what
 * comes behind would be lost.
 */
bool nkv_window_is_for_one(const struct nkv_client *client, size_t window);

/* Whether the device has room for a request's frame with so much content beside
 * what it has not answered. */
bool nkv_window_takes(struct nkv_client *client, size_t size);

/* The same for a chunk. Where there is not room for both, calls and chunks take
 * turns, so that neither waits for the other's end. */
bool nkv_window_takes_chunk(struct nkv_client *client, size_t size);

/* Something has arrived or time has passed: all may ask again. */
void nkv_window_turn(struct nkv_client *client);

/* Bytes on the wire of what is unanswered. */
size_t nkv_window_wire_size(const struct nkv_client *client);

#endif
