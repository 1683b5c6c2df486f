/*
 * Calls that are under way without anybody waiting for them. Each is a task: it
 * is given its turn again and again, does what can be done at once, and ends
 * once. Calls that block are tasks, too, or stand beside them: whoever waits
 * for something gives all tasks their turns meanwhile.
 */
#ifndef NORKV_HOST_TASK_H
#define NORKV_HOST_TASK_H

#include "internal.h"

struct nkv_task;

/* What a kind of call does. */
struct nkv_task_kind {
    /* Goes on as far as that is possible at once, in the task's scope; ends it
     * when it is over. It must not end other tasks. NULL: somebody else does.
     */
    void (*step)(struct nkv_task *task);
    /* Gives up what is under way on the line; the task has ended. */
    void (*stop)(struct nkv_task *task, enum nkv_status status);
    /* Tells the caller how the task ended. */
    void (*deliver)(struct nkv_task *task,
                    const struct nkv_client_outcome *outcome);
    void (*release)(struct nkv_task *task);
};

struct nkv_task {
    const struct nkv_task_kind *kind;
    struct nkv_client *client;
    struct nkv_task *next;
    /* The call's number for its caller, never used again. */
    uint64_t number;
    /* Somebody waits for it, takes the result and releases it. */
    bool is_awaited;
    bool ended;
    enum nkv_status status;
    enum nkv_reason reason;
    /* It was cancelled in the middle of a turn, and ends at the next. */
    bool is_unwanted;
    /* The device was busy when last asked. */
    bool was_busy;
    struct nkv_text call_name;
    struct nkv_text error;
    uint32_t store;
    /* Of a call that nobody waits for it is a copy, own_store_name. */
    const char *store_name;
    char *own_store_name;
    uint64_t deadline_at;
    uint64_t begun_at;
    struct nkv_heard heard_before;
};

/*
 * Begins a call: fills the task and puts it behind the others. key may be NULL.
 * With NKV_OK the task ends once, and is released behind its last use.
 *
 * - NKV_UNAVAILABLE: the port is not open, or its line is dead.
 * - NKV_FAILED_PRECONDITION: the client is being freed.
 * Then the client's error is set, and the task is the caller's still.
 */
NKV_MUST_USE enum nkv_status nkv_task_start(struct nkv_client *client,
                                            struct nkv_task *task,
                                            const struct nkv_call_options *call,
                                            const char *name,
                                            const struct nkv_span *key);

/* The same within a blocking call, with its store and deadline; the caller
 * waits for the task. */
void nkv_task_start_within(struct nkv_client *client, struct nkv_task *task);

/* Ends a task, if it has not ended. The error text is set by then. */
void nkv_task_end(struct nkv_task *task, enum nkv_status status);

/* Ends a task from without: fail sets the error in its scope, and returns its
 * status. */
void nkv_task_fail(struct nkv_task *task,
                   enum nkv_status (*fail)(struct nkv_client *client));

/* Waits for a task of nkv_task_start_within, whose failure becomes the
 * client's. */
NKV_MUST_USE enum nkv_status nkv_task_wait(struct nkv_task *task);

/* Exchanges the client's scope for the task's, and back. */
void nkv_task_enter(struct nkv_task *task, struct nkv_scope *scope);
void nkv_task_leave(struct nkv_task *task, struct nkv_scope *scope);

/*
 * Gives every call its turn, calls the callbacks of those that have ended, and
 * waits until something has arrived or is to be done, or until until_ms.
 *
 * - NKV_UNAVAILABLE: the line is dead.
 */
NKV_MUST_USE enum nkv_status nkv_task_turn(struct nkv_client *client,
                                           uint64_t until_ms);

/* Ends all calls for the client's end. */
void nkv_task_end_all(struct nkv_client *client);

#endif
