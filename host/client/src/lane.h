/*
 * The client's mutations: one lane for all, whoever started them. Each has a
 * number (seq) in the session; the device applies them in that order, each
 * once, and answers a number that it has seen with the answer that it gave
 * then.
 */
#ifndef NORKV_HOST_LANE_H
#define NORKV_HOST_LANE_H

#include "get.h"
#include "task.h"

/* A mutation on its way. */
struct nkv_write {
    struct nkv_task task;
    /* In the lane, in the order of starting. One that has ended stays in it as
     * long as an earlier one has not: it tells what that one may have met. */
    struct nkv_write *next;
    bool in_lane;
    bool is_released;
    /* A copy; key and value lie in bytes. */
    struct nkv_mutation mutation;
    uint8_t *bytes;
    void (*done)(void *context, const struct nkv_client_outcome *outcome,
                 const struct nkv_mutation *mutation);
    void *context;

    struct nkv_exchange exchange;
    uint8_t *request;
    /* It has a number, and is or was in flight. */
    bool numbered;
    uint32_t seq;
    /* How often it was sent in this session, and when last, in the order of
     * all sendings. */
    unsigned sends;
    uint64_t order;
    /* An earlier session may have applied it. */
    bool ambiguous;
    /* The device has said that it did not apply it. */
    bool refused;
    /* Its number belongs to another mutation. */
    bool renumber;
    /* Its outcome is known; if it has ended and this is not so, the line failed
     * or it was cancelled. */
    bool decided;
};

struct nkv_lane {
    struct nkv_client *client;
    struct nkv_write *first;
    uint64_t order;
    /* A wait for the session, and the openings that the numbers fit. */
    struct nkv_ticket ticket;
    unsigned fitted;
    /* How often the device has lost the thread since a mutation was answered.
     */
    unsigned recoveries;
    /* The session that the numbers belong to. */
    uint32_t session;
    uint32_t boot_id;
    /* The session was opened anew, and what became of the mutations in flight
     * is being found out: it is the same one, and had applied those up to this
     * number. */
    bool is_settling;
    bool is_same;
    uint32_t applied;
    /* The mutation whose key is being read for it, and the reading. */
    struct nkv_write *judged;
    struct nkv_get *get;
};

/* ---- lane.c ---- */

/* Gives the mutations their turn. */
void nkv_lane_step(struct nkv_client *client);

/* Frees the lane, when no call is under way any more. */
void nkv_lane_free(struct nkv_client *client);

/* The session must be opened anew before anything is sent: where it is, is not
 * known. */
void nkv_lane_lose(struct nkv_lane *lane);

/* ---- write.c ---- */

/* A mutation that copies *mutation, at the lane's end; it is not started as a
 * task yet. NULL: no memory. */
struct nkv_write *nkv_write_new(struct nkv_client *client,
                                const struct nkv_mutation *mutation);

/* Frees a mutation that has ended or was not started, when the lane does not
 * need it any more. */
void nkv_write_release(struct nkv_write *write);

/* Whether a mutation is in flight, and may have been sent. */
bool nkv_write_is_flying(const struct nkv_write *write);

/* Makes the request for a number. False: no memory. */
NKV_MUST_USE bool nkv_write_pack(struct nkv_write *write, uint32_t seq);

/* Gives a mutation the session's next number, for its first sending in it.
 * False: no memory. */
NKV_MUST_USE bool nkv_write_renumber(struct nkv_write *write);

/* Ends a mutation with what the device answered. */
void nkv_write_finish(struct nkv_write *write, const struct nkv_answer *answer);

/* Ends a mutation with a status and reason of our own. */
void nkv_write_decide(struct nkv_write *write, enum nkv_status status,
                      enum nkv_reason reason);

/* Sets the error to why a mutation was not done. */
enum nkv_status nkv_write_explain(struct nkv_client *client,
                                  const struct nkv_mutation *mutation);

/* ---- recover.c ---- */

/* Fits the mutations in flight to a session that was opened anew: ends those
 * that an answer has come for meanwhile, readies the others. */
void nkv_lane_fit(struct nkv_lane *lane);

/*
 * Goes on finding out what became of the mutations: what the device has answers
 * for keeps its number, the rest gets new ones; what an earlier session may
 * have applied is looked at, if its condition forbids to repeat it. True: done.
 */
bool nkv_lane_settle(struct nkv_lane *lane);

/* Whether an answer decides what became of a mutation. */
bool nkv_lane_is_final(const struct nkv_answer *answer);

#endif
