/* Calls that do not block. */
#ifndef NORKV_CLIENT_ASYNC_H
#define NORKV_CLIENT_ASYNC_H

#include <norkv/client_calls.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Any number of calls can be under way at once, without threads: a call is
 * started, and its callback is called when it has ended. The program waits as
 * it likes, for instance with poll, and has the library go on:
 *
 *     short events;
 *     struct pollfd item = {.fd = nkv_client_fd(client, &events)};
 *     item.events = events;
 *     poll(&item, 1, nkv_client_timeout_ms(client));
 *     status = nkv_client_process(client);
 *
 * - Calls are started at once, as far as the device's window has room, and at
 *   most 512 at a time; they are answered in any order. Mutations are done in
 *   the order in which they were started, those of nkv_client_apply among them.
 * - Each call that was started ends once, with its callback: by its answer, its
 *   deadline, nkv_client_cancel, the port's end (NKV_UNAVAILABLE), or
 *   nkv_client_free (NKV_CANCELLED).
 * - Callbacks are called by nkv_client_process, by calls that block, and by
 *   nkv_client_free, never by the functions that start or cancel. They may
 * start, continue and cancel calls. They must not free the client; calls that
 * block, and nkv_client_process, are refused there (NKV_FAILED_PRECONDITION).
 * - Calls that block may be made while others are under way: they drive those,
 *   too, and share the device's window and the order of mutations with them;
 *   the chunks of nkv_client_restore and other calls take turns.
 * - What is passed when a call is started is copied.
 */

/* How a call ended. */
struct nkv_client_outcome {
    enum nkv_status status;
    /* Why the device refused; NKV_REASON_NONE when it gave none. */
    enum nkv_reason reason;
    /* One line as nkv_client_error has it; empty after a success. Holds until
     * the callback returns. */
    const char *error;
    /* Of a generic call: a SERVER_ERROR ended it, the device did not begin it
     * or does not know it. */
    bool is_server_error;
};

/* What to read. */
struct nkv_get_call {
    struct nkv_span key;
    /* value is empty unless the call succeeded. Its data belongs to the library
     * unless the callback keeps it, by copying *value and setting data NULL. */
    void (*done)(void *context, const struct nkv_client_outcome *outcome,
                 struct nkv_client_value *value);
    void *context;
};

/*
 * Starts a call as nkv_client_get. *number names it for nkv_client_cancel; it
 * is never 0 and no other call's. call may be NULL.
 *
 * - NKV_UNAVAILABLE: the port is not open, or gone.
 * - NKV_FAILED_PRECONDITION: the client is being freed.
 * - NKV_INTERNAL: no memory.
 * Only then the callback is not called.
 */
NKV_MUST_USE enum nkv_status
nkv_client_start_get(struct nkv_client *client,
                     const struct nkv_call_options *call,
                     const struct nkv_get_call *get, uint64_t *number);

/* What to write. */
struct nkv_mutation_call {
    /* Those members that a caller sets. */
    struct nkv_mutation mutation;
    /* mutation is the call's own, with its result, and holds until the callback
     * returns. */
    void (*done)(void *context, const struct nkv_client_outcome *outcome,
                 const struct nkv_mutation *mutation);
    void *context;
};

/* Starts a mutation as nkv_client_apply does one: numbered, so that it is done
 * once, and within the device's limits. One that is cancelled after it was sent
 * may have been done. Statuses as nkv_client_start_get. */
NKV_MUST_USE enum nkv_status nkv_client_start_mutation(
    struct nkv_client *client, const struct nkv_call_options *call,
    const struct nkv_mutation_call *mutation, uint64_t *number);

/* Which end of a method has one message, and which a stream. */
enum nkv_call_kind {
    NKV_CALL_UNARY = 0,
    NKV_CALL_SERVER_STREAM = 1,
    NKV_CALL_CLIENT_STREAM = 2,
    NKV_CALL_BIDIRECTIONAL = 3
};

/* A call of any method of any pw_rpc server. */
struct nkv_generic_call {
    /* The service's full name, "pw.rpc.EchoService", and the method's bare one,
     * "Echo". */
    const char *service;
    const char *method;
    enum nkv_call_kind kind;
    /* The request's message as it goes over the wire, at most 65536 bytes, and
     * no more than the device takes. Of kinds with a client's stream usually
     * empty. */
    struct nkv_span request;
    /* 0: the client's. */
    uint32_t channel_id;
    /* Doing it twice is the same as doing it once: as long as nothing has come
     * back, the request is sent again as other calls' are, and after
     * UNAVAILABLE, too. Otherwise it is sent once. */
    bool is_repeatable;
    /* Gets each message of the device's stream, until it returns. NULL: they
     * are dropped. */
    void (*message)(void *context, struct nkv_span payload);
    /* payload is that of the device's RESPONSE, until the callback returns. */
    void (*done)(void *context, const struct nkv_client_outcome *outcome,
                 struct nkv_span payload);
    void *context;
};

/*
 * Starts a generic call. The device need be no norkv device, and no session is
 * opened; as long as none is, requests that are unanswered at once stay within
 * 512 bytes. options may be NULL, its store does not matter. An outcome's
 * status is the device's, of its RESPONSE or SERVER_ERROR:
 * - NKV_NOT_FOUND with is_server_error: it has no such service or method.
 * - NKV_DEADLINE_EXCEEDED, NKV_UNAVAILABLE: it may have been done.
 *
 * Statuses as nkv_client_start_get, and NKV_INVALID_ARGUMENT: something is
 * missing, or too large.
 */
NKV_MUST_USE enum nkv_status
nkv_client_start_call(struct nkv_client *client,
                      const struct nkv_call_options *options,
                      const struct nkv_generic_call *call, uint64_t *number);

/*
 * Sends a further message of the client's stream, once the request is out and
 * the line has room. pw_rpc does not acknowledge them, so that how much of them
 * a device can take at once is for the caller to know.
 *
 * - NKV_RESOURCE_EXHAUSTED: 64 messages or 65536 bytes wait already.
 * - NKV_NOT_FOUND: the call has ended.
 * - NKV_FAILED_PRECONDITION: its kind has no client's stream, or that is
 *   complete.
 * - NKV_INVALID_ARGUMENT: it is larger than 65536 bytes.
 */
NKV_MUST_USE enum nkv_status nkv_client_send(struct nkv_client *client,
                                             uint64_t call,
                                             struct nkv_span message);

/* Completes the client's stream, behind the messages before. Statuses as
 * nkv_client_send. */
NKV_MUST_USE enum nkv_status nkv_client_complete(struct nkv_client *client,
                                                 uint64_t call);

/* Ends a call. Its callback comes with NKV_CANCELLED, the next time that
 * callbacks are called.
 * - NKV_NOT_FOUND: it has ended already, or there was none of this number. */
NKV_MUST_USE enum nkv_status nkv_client_cancel(struct nkv_client *client,
                                               uint64_t call);

/*
 * The descriptor to wait on, and in *events what for (POLLIN, POLLOUT); poll's
 * other events mean that nkv_client_process is to be called, too. Ask again
 * before each wait. -1, which poll ignores: the port is gone, or its transport
 * has no descriptor; then call nkv_client_process now and then.
 */
int nkv_client_fd(const struct nkv_client *client, short *events);

/* How long to wait at most before nkv_client_process is called although nothing
 * has arrived, milliseconds, as poll takes it; -1: for ever. */
int nkv_client_timeout_ms(const struct nkv_client *client);

/*
 * Takes what has arrived, sends what is due and can be sent, and calls the
 * callbacks of calls that have ended. It never waits.
 *
 * - NKV_UNAVAILABLE: the port is gone; all calls have ended.
 * - NKV_FAILED_PRECONDITION: it was called in a callback.
 */
NKV_MUST_USE enum nkv_status nkv_client_process(struct nkv_client *client);

#ifdef __cplusplus
}
#endif

#endif
