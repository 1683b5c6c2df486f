/*
 * A buffer between a UART's interrupt and the server. It holds frames
 * unescaped, so that it can be told how many content bytes it takes at least,
 * whatever they are: a buffer of wire bytes would have to be twice as large.
 *
 * One side puts, in an interrupt handler for example, the other one reads; they
 * may interrupt each other at any point. Neither waits.
 */
#ifndef NORKV_RECEIVE_RING_H
#define NORKV_RECEIVE_RING_H

#include <norkv/bytes.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /* The smallest and the largest ring, bytes. */
    NKV_RECEIVE_RING_MIN = 64,
    NKV_RECEIVE_RING_MAX = 32768,
    /* Kept for a frame that no window counts, one that ends a call. */
    NKV_RECEIVE_RING_RESERVE = 28
};

/*
 * The rx_window (content bytes that may be unanswered) that a ring of so many
 * bytes has room for in any case.
 */
#define NKV_RECEIVE_RING_WINDOW(capacity)                                      \
    ((uint32_t)(capacity)-NKV_RECEIVE_RING_RESERVE)

/* A ring. Complete so that it can be static; members are private. */
struct nkv_receive_ring {
    struct nkv_buffer memory;
    /* Behind the last whole frame; the putting side's. */
    atomic_size_t end;
    /* The first byte that was not read; the reading side's. */
    atomic_size_t start;
    /* The frame that is coming in: where its next byte goes, and its size. */
    size_t put_at;
    size_t size;
    uint8_t first;
    bool is_escaped;
    /* It does not begin as a packet's frame does. */
    bool is_other;
    /* The rest of it is of no use: there was no room. */
    bool is_lost;
    /* The frame that is being read: content bytes that are left. */
    size_t left;
    uint8_t read_state;
    /* Bytes that were lost, and those of them that were taken notice of. */
    atomic_uint lost;
    uint32_t told;
};

/*
 * Prepares a ring in memory of NKV_RECEIVE_RING_MIN to NKV_RECEIVE_RING_MAX
 * bytes, which stays the caller's and must last as long as the ring; not
 * checked.
 */
void nkv_receive_ring_init(struct nkv_receive_ring *ring,
                           struct nkv_buffer memory);

/*
 * Puts a byte that came over the line. When there is no room, the frame that it
 * belongs to is lost whole, and all its bytes are counted.
 */
void nkv_receive_ring_put(struct nkv_receive_ring *ring, uint8_t byte);

/* Counts bytes that were lost before they could be put, as a UART does that was
 * not read in time. By the putting side. */
void nkv_receive_ring_lose(struct nkv_receive_ring *ring, size_t count);

/*
 * Gives frames as they came over the line, with flags and escapes: what
 * nkv_byte_stream's read gives. A frame is there once its last flag has come;
 * what came between two flags counts as a frame too.
 */
size_t nkv_receive_ring_read(struct nkv_receive_ring *ring, uint8_t *to,
                             size_t capacity);

/* The bytes that were lost since this was last asked, by the reading side: for
 * nkv_server_count_overruns. */
uint32_t nkv_receive_ring_take_overruns(struct nkv_receive_ring *ring);

#endif
