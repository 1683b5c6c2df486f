/*
 * Mutations in flight. Each has a number (seq) in the session; the device
 * applies them in that order, each once, and answers a number that it has seen
 * with the answer that it gave then.
 */
#ifndef NORKV_HOST_BATCH_H
#define NORKV_HOST_BATCH_H

#include "internal.h"

/* A mutation that is being sent. */
struct nkv_flight {
    struct nkv_exchange exchange;
    struct nkv_mutation *mutation;
    uint8_t *request;
    size_t request_size;
    uint32_t seq;
    /* How often it was sent in this session, and when last, in the order of
     * all sendings. */
    unsigned sends;
    uint64_t order;
    unsigned busy_count;
    /* An earlier session may have applied it. */
    bool ambiguous;
    /* The device has said that it did not apply it. */
    bool refused;
    /* Its number belongs to another mutation. */
    bool renumber;
};

struct nkv_batch {
    struct nkv_client *client;
    struct nkv_mutation *mutations;
    size_t count;
    /* The first that was not yet sent. */
    size_t next;
    /* In the order of the mutations. */
    struct nkv_flight **flights;
    size_t flight_count;
    size_t flight_capacity;
    uint64_t order;
    /* Where the session is must be found out anew. */
    bool lost;
    /* How often it was, since a mutation was last answered. */
    unsigned recoveries;
};

/* ---- flight.c ---- */

/*
 * Adds the next mutation of the batch under the session's next number.
 *
 * - NKV_RESOURCE_EXHAUSTED: not now; too much is in flight.
 * - NKV_INTERNAL: no memory; the client's error is set.
 * Also NKV_OK when the mutation was found impossible and is over.
 */
NKV_MUST_USE enum nkv_status nkv_flight_add(struct nkv_batch *batch);

/* Gives a flight the session's next number, for its first sending in it. */
NKV_MUST_USE enum nkv_status nkv_flight_renumber(struct nkv_batch *batch,
                                                 struct nkv_flight *flight);

/* Content bytes of all flights. */
size_t nkv_flight_bytes(const struct nkv_batch *batch);

/* Bytes on the wire of all flights. */
size_t nkv_flight_wire_bytes(const struct nkv_batch *batch);

/* Ends a flight with what the device answered. */
void nkv_flight_finish(struct nkv_batch *batch, size_t place,
                       const struct nkv_answer *answer);

/* Ends a flight with a status of our own. */
void nkv_flight_drop(struct nkv_batch *batch, size_t place,
                     enum nkv_status status);

/* ---- recover.c ---- */

/*
 * Opens the session anew and fits the flights to it: what the device has
 * answers for keeps its number, the rest gets new ones; what an earlier
 * session may have applied is looked at, if its condition forbids to repeat
 * it. Failures have set the client's error.
 */
NKV_MUST_USE enum nkv_status nkv_batch_recover(struct nkv_batch *batch);

/* Whether an answer decides what became of a mutation. */
bool nkv_batch_is_final(const struct nkv_answer *answer);

#endif
