/*
 * An upload: a queue of records that are not acknowledged, of which chunks are
 * cut, sent, and after a loss cut and sent again.
 */
#ifndef NORKV_HOST_RESTORE_H
#define NORKV_HOST_RESTORE_H

#include "exchange.h"
#include <norkv/client.h>

/* Chunks that may be unanswered, whatever the window. */
enum { NKV_RESTORE_FLIGHTS_MAX = 64 };

/* A chunk that was sent. */
struct nkv_restore_flight {
    /* Of the stream, behind its last byte. */
    uint32_t end;
    size_t content;
};

struct nkv_restoring {
    struct nkv_client *client;
    struct nkv_client_restore *restore;
    struct nkv_exchange exchange;

    /* The queue: whole records. Its first byte is at this offset of the call's
     * stream, everything before it is done. */
    uint32_t offset;
    uint8_t *bytes;
    size_t size;
    size_t capacity;
    /* Bytes of it that were sent since we last went back; and ever. */
    size_t sent;
    size_t ever_sent;
    /* What the caller has given, records and bytes of them in the queue. */
    uint32_t taken;
    uint64_t taken_bytes;
    /* There are no more records behind the queue. */
    bool is_ended;
    /* The chunk that says so was sent since we last went back; and ever. */
    bool is_last_sent;
    bool is_last_ever_sent;
    /* Of the call's stream up to offset. */
    uint32_t crc32;
    /* Of restore->written, before this call. */
    uint32_t written_before;

    struct nkv_restore_flight flights[NKV_RESTORE_FLIGHTS_MAX];
    size_t flight_count;

    /* A credit of this call has come; and its request's wait is over. */
    bool has_credit;
    bool is_begun;
    /* What the device allows: content bytes in flight. */
    uint32_t window;
    /* After losses in a row the window is used to a 2^caution-th part only; how
     * many content bytes were acknowledged since the last one. */
    unsigned caution;
    uint64_t calm;

    /* A credit tells of a loss. */
    bool is_back_wanted;
    /* Since a record was last acknowledged: timers that ran out, and credits
     * that came. */
    unsigned silent;
    unsigned idle_credits;
    /* How often answers to other calls have made the timer longer, since the
     * last credit. */
    unsigned reprieves;
    uint64_t timer_at;
    /* Credits that came. */
    uint64_t credits;
    /* A credit told that a record failed: the queue's first. */
    bool is_failed;
    enum nkv_reason reason;
    /* The device sends what makes no sense; NULL: it does not. */
    const char *nonsense;
};

/* ---- restore_chunk.c ---- */

/* A chunk that is cut from the queue, from sent on. */
struct nkv_restore_chunk {
    size_t size;
    size_t content;
    bool is_last;
};

/*
 * Cuts the next chunk, with records from the caller where the queue has too
 * few. NKV_NOT_FOUND: all was sent. Other failures have set the client's error.
 */
NKV_MUST_USE enum nkv_status nkv_restore_cut(struct nkv_restoring *restoring,
                                             struct nkv_restore_chunk *chunk);

/* Sends a chunk. Failures have set the client's error. */
NKV_MUST_USE enum nkv_status
nkv_restore_send(struct nkv_restoring *restoring,
                 const struct nkv_restore_chunk *chunk);

/* Whether a chunk may be sent now, beside others and other calls. */
bool nkv_restore_may_send(const struct nkv_restoring *restoring,
                          const struct nkv_restore_chunk *chunk);

/* ---- restore_credit.c ---- */

/* Takes a credit: the exchange's message function. */
void nkv_restore_take_credit(void *context, struct nkv_span payload);

/* Counts all that is queued as done: the device has said so. */
void nkv_restore_take_all(struct nkv_restoring *restoring);

/* Notes that something was lost, and uses less of the window if it was not for
 * the first time in a while. */
void nkv_restore_note_loss(struct nkv_restoring *restoring);

#endif
