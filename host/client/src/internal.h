/* What a client is made of. */
#ifndef NORKV_HOST_INTERNAL_H
#define NORKV_HOST_INTERNAL_H

#include "exchange.h"
#include "link.h"
#include "norkv.pb-c.h"
#include "text.h"
#include "window.h"
#include <norkv/client.h>

enum {
    /* Ids stay within what stock clients use, and need 2 bytes. They come again
     * after that many calls: answers are not that late. Those below are for
     * uploads, whose every chunk carries one. */
    NKV_CLIENT_CALL_ID_MIN = 128,
    NKV_CLIENT_CALL_ID_MAX = (1 << 14) - 1,
    NKV_CLIENT_UPLOAD_ID_MAX = NKV_CLIENT_CALL_ID_MIN - 1,
    /* Calls that have an id at once; further ones wait for one. Far more than
     * any window takes, and so few that all can be looked at. */
    NKV_CLIENT_EXCHANGES_MAX = 512
};

/* What the device said in Device.Open, and where this client's mutations are.
 */
struct nkv_host_session {
    bool open;
    /* A mutation was given up: where the session is must be asked again. */
    bool stale;
    /* This handle's number; not 0. */
    uint32_t client;
    uint32_t session;
    /* Of the newest mutation that was sent or, after opening, applied. */
    uint32_t last_seq;
    Norkv__V1__OpenResponse *response;
    struct nkv_device device;
    struct nkv_device_store *stores;
};

/* A Device.Open under way, whoever waits for it. */
struct nkv_opening {
    bool running;
    /* How many wait. When nobody does any more, it ends. */
    unsigned waiting;
    /* Openings are numbered; how the last that has ended did so, and in which
     * words where they are its own. */
    unsigned number;
    unsigned ended;
    /* How many have succeeded. */
    unsigned succeeded;
    enum nkv_step step;
    enum nkv_status status;
    struct nkv_text why;
    uint8_t *request;
    struct nkv_exchange exchange;
};

/* Calls that nobody waits for any more, of which the device is to be told. More
 * need not be told: streams that run on tell of themselves. */
enum { NKV_FAREWELLS_MAX = 8 };

struct nkv_lane;
struct nkv_task;

struct nkv_client {
    struct nkv_link link;
    char *port;
    char *client_name;
    uint32_t baud;
    uint32_t default_deadline_ms;
    uint32_t latency_ms;
    uint32_t attempts;
    uint32_t max_packet;
    bool omit_value_crc;
    /* On the link's clock; UINT64_MAX: none. */
    uint64_t limit_at;

    struct nkv_exchange *exchanges;
    size_t exchange_count;
    /* Requests that were sent, ever. */
    uint64_t sendings;
    uint32_t call_id;
    /* Of the newest upload, whose ids are numbers of their own. */
    uint32_t upload_id;
    /* Timers are this many times longer than the line explains: it has turned
     * out to be slower than its baud rate (a PTY has none). Calls up to
     * patience_call_id did not know it yet. */
    uint32_t patience;
    uint32_t patience_call_id;
    struct nkv_packet farewells[NKV_FAREWELLS_MAX];
    size_t farewell_count;
    /* Until then no further stream that nobody waits for is stopped. */
    uint64_t stray_at;
    struct nkv_host_session session;
    struct nkv_opening opening;
    struct nkv_lane *lane;

    /* Calls under way, in the order in which they were started; and those that
     * have ended, whose callbacks are to be called. */
    struct nkv_task *tasks;
    struct nkv_task *ended;
    uint64_t task_number;
    struct nkv_window window;
    /* When all calls were last looked at, and whether something was begun or
     * has come since. */
    uint64_t stepped_at;
    bool has_news;
    /* They are being looked at, so that none may leave the list. */
    bool is_stepping;
    /* Whether the mutations get their turn before the other calls, or after. */
    bool lane_first;
    /* A callback runs, the client is being freed: what cannot be called then
     * is refused. */
    bool is_calling_back;
    bool is_closing;
    void (*trace)(void *context, const struct nkv_client_trace *trace);
    void *trace_context;
    void (*remark)(void *context, const struct nkv_client_remark *remark);
    void *remark_context;

    /* The call that is being made, or the task that has its turn: where its
     * name and its error text are. */
    struct nkv_text call;
    struct nkv_text *call_name;
    struct nkv_text *error_text;
    uint32_t store;
    /* Borrowed; NULL: store is known. */
    const char *store_name;
    uint64_t deadline_at;
    uint64_t begun_at;
    struct nkv_heard heard_before;

    struct nkv_text error;
    enum nkv_reason reason;
    struct nkv_text hint;
};

/* ---- client.c ---- */

/*
 * Begins a public call: its deadline, its store, and its name for error texts.
 * key may be NULL.
 *
 * - NKV_UNAVAILABLE: the port is not open, or its line is dead.
 * - NKV_FAILED_PRECONDITION: a callback is running.
 */
NKV_MUST_USE enum nkv_status nkv_host_begin(struct nkv_client *client,
                                            const struct nkv_call_options *call,
                                            const char *name,
                                            const struct nkv_span *key);

/* NKV_OK, or NKV_UNAVAILABLE with the error set: the port is not open, or its
 * line is dead. */
NKV_MUST_USE enum nkv_status nkv_host_check_open(struct nkv_client *client);

/* When a call that begins now must have ended. */
uint64_t nkv_host_deadline(const struct nkv_client *client,
                           const struct nkv_call_options *call);

/* Ends a public call: after a success there is no error text, whatever was
 * tried in between. Returns status. */
enum nkv_status nkv_host_end(struct nkv_client *client, enum nkv_status status);

/* Names the call in progress anew. key may be NULL. */
void nkv_host_name_call(struct nkv_client *client, const char *name,
                        const struct nkv_span *key);

/* Sets the error to "port: call: " and this; returns status. */
__attribute__((format(printf, 3, 4))) enum nkv_status
nkv_host_fail(struct nkv_client *client, enum nkv_status status,
              const char *format, ...);

/* Sets the error to what the device's refusal means, and returns the status
 * that the caller gets. */
enum nkv_status nkv_host_refuse(struct nkv_client *client,
                                const struct nkv_answer *answer);

enum nkv_status nkv_host_no_memory(struct nkv_client *client);

/* Tells how far a call is, to whom wants to know. */
void nkv_host_tell(const struct nkv_client_progress *progress, uint32_t done);

/* Sets the error to why the line failed; returns NKV_UNAVAILABLE. */
enum nkv_status nkv_host_fail_dead(struct nkv_client *client);

/* Sets the error to why nobody answered; returns NKV_DEADLINE_EXCEEDED. */
enum nkv_status nkv_host_fail_silent(struct nkv_client *client);

/* The same, when the deadline has passed: the line may not even have taken what
 * there was to send. */
enum nkv_status nkv_host_fail_late(struct nkv_client *client);

/* Sets the error to what the step of an exchange that ended it means. */
enum nkv_status nkv_host_fail_step(struct nkv_client *client,
                                   enum nkv_step step);

enum nkv_status nkv_host_fail_busy(struct nkv_client *client);

/*
 * Waits until something has arrived or until_ms, but never past the call's
 * deadline, and gives the calls that are under way besides their turns.
 * Failures have set the client's error: the line is dead, or the deadline has
 * passed.
 */
NKV_MUST_USE enum nkv_status nkv_host_wait(struct nkv_client *client,
                                           uint64_t until_ms);

/* How long a device is left alone that has been of no use so many times, one
 * behind the other: longer each time. */
uint32_t nkv_host_pause_ms(unsigned count);

/* Waits so long. Failures as nkv_host_wait. */
NKV_MUST_USE enum nkv_status nkv_host_pause(struct nkv_client *client,
                                            unsigned count);

/* What is exchanged when another call than the one being made is looked at. */
struct nkv_scope {
    struct nkv_text *call_name;
    struct nkv_text *error_text;
    uint32_t store;
    const char *store_name;
    uint64_t deadline_at;
    uint64_t begun_at;
    struct nkv_heard heard_before;
    enum nkv_reason reason;
};

/* Takes the scope, and keeps in *scope the one there was. */
void nkv_host_swap_scope(struct nkv_client *client, struct nkv_scope *scope);

/* Tells the device of calls that nobody waits for any more, as far as the line
 * takes that at once. */
void nkv_host_send_farewells(struct nkv_client *client);

/* Packets of the link: to the exchange that waits for them. */
void nkv_host_receive(void *context, const struct nkv_packet *packet);

/* ---- device.c ---- */

/*
 * Opens the session if it is not open, or is stale and fresh is true.
 *
 * - NKV_INVALID_ARGUMENT: the device has no such store; the error is set.
 */
NKV_MUST_USE enum nkv_status nkv_host_need_session(struct nkv_client *client,
                                                   bool fresh);

/*
 * Waits with others for the session to be opened: for the opening that is under
 * way, or a new one. Each must leave.
 */
void nkv_opening_join(struct nkv_client *client, struct nkv_ticket *ticket);

/* How far the opening is that a ticket waits for; all but NKV_STEP_WAITS is its
 * end. It must be asked before another opening can have ended: at each turn. */
enum nkv_step nkv_opening_poll(const struct nkv_client *client,
                               const struct nkv_ticket *ticket);

/* Whether it has ended well. */
bool nkv_opening_worked(const struct nkv_client *client,
                        const struct nkv_ticket *ticket);

/* Sets the error to why the last opening failed, and returns its status. */
enum nkv_status nkv_opening_fail(struct nkv_client *client);

/* Waits no longer. Harmless when repeated. */
void nkv_opening_leave(struct nkv_client *client, struct nkv_ticket *ticket);

/* Begins to ask the device for smaller packets, if they can become smaller.
 * Returns whether the ticket has joined an opening. */
bool nkv_opening_shrink(struct nkv_client *client, struct nkv_ticket *ticket);

/* Goes on with an opening that is under way. */
void nkv_opening_step(struct nkv_client *client);

/* Opens the session anew. */
NKV_MUST_USE enum nkv_status nkv_host_open_session(struct nkv_client *client);

/* NKV_OK, or NKV_INVALID_ARGUMENT with the error set: the device has no such
 * store as the call's. */
NKV_MUST_USE enum nkv_status nkv_host_check_store(struct nkv_client *client);

/*
 * Asks the device for smaller packets, if they can become smaller: on a line
 * that damages bytes, a large frame may never come through whole. Failures
 * have set the client's error.
 */
NKV_MUST_USE enum nkv_status nkv_host_shrink_packets(struct nkv_client *client);

void nkv_host_forget_session(struct nkv_client *client);

/* What the device told of the call's store when the session was opened; NULL:
 * nothing. */
struct nkv_device_store *nkv_host_store(struct nkv_client *client);

/*
 * A store that did not mount whole knows not all keys that are on its flash, so
 * that a key which it does not find may be there. Returns NKV_OK, or
 * NKV_FAILED_PRECONDITION with reason and error set.
 */
NKV_MUST_USE enum nkv_status nkv_host_check_mounted(struct nkv_client *client);

/* ---- fault.c ---- */

/* Sets error and reason to what keeps the call's store from being used; false:
 * nothing does, as far as the device told. */
bool nkv_host_fail_fault(struct nkv_client *client, enum nkv_status status);

/* ---- read.c ---- */

/* A whole value, as nkv_client_get, within a call that has begun. */
NKV_MUST_USE enum nkv_status nkv_host_get(struct nkv_client *client,
                                          struct nkv_span key,
                                          struct nkv_client_value *value);

#endif
