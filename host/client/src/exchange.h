/*
 * One call on the wire: a request that is sent until it is answered. Several
 * can be under way at once; answers find theirs by call id, and those to calls
 * that have ended are dropped.
 */
#ifndef NORKV_HOST_EXCHANGE_H
#define NORKV_HOST_EXCHANGE_H

#include "method.h"
#include <norkv/packet.h>

struct nkv_client;

/* A wait for the session to be opened; see device.c. All zero: none. */
struct nkv_ticket {
    bool joined;
    unsigned number;
};

struct nkv_exchange {
    struct nkv_exchange *next;
    const struct nkv_method *method;
    /* 0: the client's. */
    uint32_t channel_id;
    uint32_t call_id;
    /* The request's message; borrowed. */
    struct nkv_span request;
    /* More patience than the line explains: for operations that take long. */
    uint32_t extra_ms;
    /* Gets each message of the answer's stream; NULL: drop them. It must not
     * send. Setting stop ends nkv_exchange_wait. */
    void (*message)(void *context, struct nkv_span payload);
    /* Called before the request is sent again because nothing came; NULL:
     * nothing is to be looked at then. It may make calls of its own. Setting
     * *is_over, or failing, ends nkv_exchange_run. */
    enum nkv_status (*before_repeat)(void *context, bool *is_over);
    void *context;
    bool stop;
    /* It is sent once, and "busy" is an answer like others. What is answered in
     * part is not sent again either. */
    bool once;
    /* Content bytes and bytes on the wire of the request's frame. */
    size_t size;
    size_t wire_size;
    /* Answered in part: its request waits in no buffer of the device. */
    bool heard;
    /* How often the device said that it is busy. */
    unsigned busy_count;
    /* Smaller packets are being asked for before it is repeated. */
    struct nkv_ticket shrinking;

    /* How often it was sent since the last sign of life, whether ever, and
     * after how many sendings of all. */
    unsigned attempts;
    bool sent;
    uint64_t order;
    /* When to send it, or send it again; and how long after its sending that
     * was set to be. */
    uint64_t resend_at;
    uint64_t timer_ms;

    /* The call has ended: packet type (RESPONSE or SERVER_ERROR), status and a
     * copy of the payload. */
    bool done;
    uint32_t type;
    enum nkv_status status;
    uint8_t *payload;
    size_t payload_size;
};

/* What came back, taken apart. */
struct nkv_answer {
    /* RESPONSE with this status, or what stands for a SERVER_ERROR. */
    enum nkv_status status;
    enum nkv_reason reason;
    bool is_server_error;
    /* The message, of the method's answer type; NULL: none came, or it does not
     * decode. Free it with nkv_answer_clear. */
    ProtobufCMessage *message;
};

/*
 * Begins a call: gives it an id and waits for its answers. The exchange must
 * stay where it is until nkv_exchange_end. Nothing is sent yet. Members that
 * are not set by the caller must be 0.
 */
void nkv_exchange_begin(struct nkv_client *client,
                        struct nkv_exchange *exchange,
                        enum nkv_method_number method, struct nkv_span request);

/* Whether there are few enough of them for one that can wait to begin. */
bool nkv_exchange_may_begin(const struct nkv_client *client);

/* The same for a method of any service. *method must stay, too. */
void nkv_exchange_begin_method(struct nkv_client *client,
                               struct nkv_exchange *exchange,
                               const struct nkv_method *method,
                               struct nkv_span request);

/* The packet of the request; those of the call's other packets differ in type
 * and payload. */
struct nkv_packet nkv_exchange_packet(const struct nkv_exchange *exchange);

/* Gives the exchange another request to send from now on. */
void nkv_exchange_set_request(struct nkv_exchange *exchange,
                              struct nkv_span request);

/* Ends a call, and frees what it holds. Harmless when repeated. */
void nkv_exchange_end(struct nkv_client *client, struct nkv_exchange *exchange);

/* How far a call is. */
enum nkv_step {
    NKV_STEP_DONE,
    /* It waits for its answer, for its time, for the line or for room in the
     * device's window. */
    NKV_STEP_WAITS,
    /* It was sent as often as allowed, and nothing came. */
    NKV_STEP_SILENT,
    /* The line is dead. */
    NKV_STEP_DEAD,
    NKV_STEP_NO_MEMORY
};

/* Goes on with a call as far as that is possible at once; it never waits, and
 * sets no error text. A call that is stopped is done. */
enum nkv_step nkv_exchange_step(struct nkv_client *client,
                                struct nkv_exchange *exchange);

/* Sends the request now, if the line and the device's window have room for it,
 * and sets its timer: NKV_STEP_DONE. */
enum nkv_step nkv_exchange_try_send(struct nkv_client *client,
                                    struct nkv_exchange *exchange);

/* When nkv_exchange_step may have something to do without anything having
 * arrived; UINT64_MAX: never. */
uint64_t nkv_exchange_due(const struct nkv_client *client,
                          const struct nkv_exchange *exchange);

/*
 * Sends a message of the call's own stream (CLIENT_STREAM). It is not repeated,
 * and sets no timer. Failures have set the client's error.
 */
NKV_MUST_USE enum nkv_status
nkv_exchange_send_message(struct nkv_client *client,
                          const struct nkv_exchange *exchange,
                          struct nkv_span message);

/* Content bytes of the frame that carries a message of so many bytes. */
size_t nkv_exchange_message_size(const struct nkv_exchange *exchange,
                                 size_t size);

/* Whether the request went out as often as allowed, and the last timer ran
 * out. */
bool nkv_exchange_is_hopeless(const struct nkv_client *client,
                              const struct nkv_exchange *exchange);

/* Forgets an answer that says "busy", so that the request is sent again after
 * a pause that grows with busy_count. */
void nkv_exchange_defer(const struct nkv_client *client,
                        struct nkv_exchange *exchange, unsigned busy_count);

/* Forgets the answer: the request is to be sent again at resend_at. */
void nkv_exchange_revive(struct nkv_exchange *exchange, uint64_t resend_at);

/*
 * Sends once and waits until the call is done or stopped, or its timer has run
 * out; the latter starts anew with each message. For a stream that goes on
 * with another request after a loss, or when the device was busy. Failures
 * (deadline, dead line) have set the client's error.
 */
NKV_MUST_USE enum nkv_status
nkv_exchange_run_stream(struct nkv_client *client,
                        struct nkv_exchange *exchange);

/*
 * Sends and waits until the call is done or stopped, sending again as often as
 * allowed, and for longer while the device says that it is busy. Failures have
 * set the client's error.
 */
NKV_MUST_USE enum nkv_status nkv_exchange_run(struct nkv_client *client,
                                              struct nkv_exchange *exchange);

/* Waits a moment for the response behind the last message of a stream. It says
 * nothing new: this is only so that it is not left on the line. */
void nkv_exchange_linger(struct nkv_client *client,
                         const struct nkv_exchange *exchange);

/* Has the device told that nobody waits for this call's answers any more. What
 * becomes of that does not matter; it is sent when the line has room. */
void nkv_exchange_cancel(struct nkv_client *client,
                         const struct nkv_exchange *exchange);

/* Takes the answer of a call that is done apart. */
void nkv_exchange_answer(const struct nkv_exchange *exchange,
                         struct nkv_answer *answer);

void nkv_answer_clear(struct nkv_answer *answer);

/*
 * A whole unary call. Returns NKV_OK only with answer->message set; otherwise
 * the client's error is set. Clear the answer in either case.
 */
NKV_MUST_USE enum nkv_status nkv_exchange_call(struct nkv_client *client,
                                               enum nkv_method_number method,
                                               const ProtobufCMessage *request,
                                               struct nkv_answer *answer);

#endif
