/*
 * The server's end of RPC packets: what comes in is matched to const tables of
 * services and methods, calls live in a fixed number of slots, and all that
 * goes out leaves through one function (docs/protocol.md, Packets).
 *
 * Payloads are bytes here; what they mean is the methods' affair. Nothing is
 * allocated and nothing blocks but the sink.
 */
#ifndef NORKV_RPC_H
#define NORKV_RPC_H

#include <norkv/bytes.h>
#include <norkv/packet.h>
#include <norkv/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nkv_rpc_call;

enum nkv_rpc_kind {
    NKV_RPC_UNARY,
    NKV_RPC_SERVER_STREAM,
    NKV_RPC_CLIENT_STREAM,
    NKV_RPC_BIDI,
    /* The same, one call at a time: a new one takes the place of the one
     * before, which ends with a RESPONSE ABORTED. */
    NKV_RPC_BIDI_SINGLE
};

enum nkv_rpc_event {
    /* A request came. The payload is the request of unary and server
     * streaming methods, and empty for the others. */
    NKV_RPC_START,
    /* A message of the client's stream; it is the payload. */
    NKV_RPC_MESSAGE,
    /* The client's stream is complete. */
    NKV_RPC_COMPLETION,
    /* A running call's turn (nkv_rpc_set_running). */
    NKV_RPC_STEP,
    /* The client gave the call up, or its line is gone. The slot is free when
     * the handler returns; nothing can be sent any more. */
    NKV_RPC_CANCEL
};

/*
 * What a method does at each event of one of its calls. It may send
 * (nkv_rpc_send), and end the call (nkv_rpc_respond, nkv_rpc_reject) now or at
 * a later event. The payload is borrowed for the time of the handler.
 */
typedef void nkv_rpc_handler(struct nkv_rpc_call *call,
                             enum nkv_rpc_event event, struct nkv_span payload);

struct nkv_rpc_method {
    /* nkv_name_id of the bare name. */
    uint32_t id;
    enum nkv_rpc_kind kind;
    nkv_rpc_handler *handle;
    /* The handler's affair (nkv_rpc_method_of); may be NULL. */
    const void *data;
};

struct nkv_rpc_service {
    /* nkv_name_id of the full name, "norkv.v1.Store". */
    uint32_t id;
    const struct nkv_rpc_method *methods;
    size_t method_count;
};

/* Where packets go. Returns NKV_OK or a status: the packet is lost then, and
 * the call that it belonged to ends silently. */
typedef enum nkv_status nkv_rpc_sink(void *context, struct nkv_span packet);

/* How a dispatcher is set up. What it points to must outlive the dispatcher. */
struct nkv_rpc_config {
    const struct nkv_rpc_service *services;
    size_t service_count;
    /* The only channel that is served; not 0. */
    uint32_t channel_id;
    /* Slots, 2 or more. The last free one is kept for unary calls, so that
     * streams cannot shut them out. */
    struct nkv_rpc_call *calls;
    size_t call_count;
    /* Where packets are put together: the largest packet to send, more than
     * NKV_PACKET_OVERHEAD_MAX bytes. */
    struct nkv_buffer packet;
    nkv_rpc_sink *sink;
    void *sink_context;
    /* What nkv_rpc_context gives to the handlers. */
    void *context;
};

/* A dispatcher. Complete so that it can be static; members are private. */
struct nkv_rpc {
    const struct nkv_rpc_config *config;
    size_t packet_limit;
    uint32_t refused;
    uint32_t cancelled;
};

/* A slot. Complete so that it can be static; members are private. */
struct nkv_rpc_call {
    struct nkv_rpc *rpc;
    const struct nkv_rpc_service *service;
    const struct nkv_rpc_method *method;
    uint32_t call_id;
    bool completed;
    bool running;
};

/*
 * Prepares a dispatcher. config is borrowed.
 *
 * - NKV_INVALID_ARGUMENT: no sink, channel 0, fewer than two slots, or a packet
 *   buffer of NKV_PACKET_OVERHEAD_MAX bytes or less.
 */
NKV_MUST_USE enum nkv_status nkv_rpc_init(struct nkv_rpc *rpc,
                                          const struct nkv_rpc_config *config);

/*
 * Takes one packet: the payload of one frame. All answers are sent before it
 * returns, but those of calls that go on.
 *
 * - NKV_OK: also when the answer was an error, or when there was none to give.
 * - NKV_DATA_LOSS: no packet, or channel, service or method is 0. No answer.
 * - NKV_INVALID_ARGUMENT: a packet that only servers send. No answer.
 * - NKV_UNAVAILABLE: a channel that is not served. No answer.
 */
NKV_MUST_USE enum nkv_status nkv_rpc_process(struct nkv_rpc *rpc,
                                             struct nkv_span packet);

/* Calls that found no free slot, and calls that their client gave up, since
 * nkv_rpc_init. */
uint32_t nkv_rpc_refused(const struct nkv_rpc *rpc);
uint32_t nkv_rpc_cancelled(const struct nkv_rpc *rpc);

/* Gives each running call one turn. True when a call is still running. */
bool nkv_rpc_step(struct nkv_rpc *rpc);

/* True when a call is running. */
bool nkv_rpc_is_running(const struct nkv_rpc *rpc);

/* Cancels all calls and sends nothing: the line is gone. */
void nkv_rpc_cancel_all(struct nkv_rpc *rpc);

/*
 * Limits the packets that are sent to size bytes; more than the packet buffer
 * has means all of it, less than NKV_PACKET_OVERHEAD_MAX + 1 that.
 */
void nkv_rpc_set_packet_limit(struct nkv_rpc *rpc, size_t size);

/* config->context. */
void *nkv_rpc_context(const struct nkv_rpc_call *call);

/* The method that is called; NULL when the slot is free. */
const struct nkv_rpc_method *nkv_rpc_method_of(const struct nkv_rpc_call *call);

/* The number of the call's slot, 0 to call_count - 1: where a method keeps what
 * it knows of the call. */
size_t nkv_rpc_slot(const struct nkv_rpc_call *call);

/*
 * The room in which the payload of the call's next packet is made: as much as
 * fits into one packet. It is shared by all calls: what is in it lasts until
 * the next packet is sent.
 */
struct nkv_buffer nkv_rpc_room(const struct nkv_rpc_call *call);

/* Whether the call gets NKV_RPC_STEP. False at first. */
void nkv_rpc_set_running(struct nkv_rpc_call *call, bool running);

/*
 * Sends a message of the server's stream. The payload lies anywhere inside
 * nkv_rpc_room(call), or is empty.
 *
 * - a status of the sink: the call has ended, without an NKV_RPC_CANCEL.
 */
NKV_MUST_USE enum nkv_status nkv_rpc_send(struct nkv_rpc_call *call,
                                          struct nkv_span payload);

/*
 * Ends the call with a RESPONSE. The payload is as for nkv_rpc_send; methods
 * with a server stream answer without one.
 */
void nkv_rpc_respond(struct nkv_rpc_call *call, enum nkv_status status,
                     struct nkv_span payload);

/* Ends the call with a SERVER_ERROR: for a request that does not decode. */
void nkv_rpc_reject(struct nkv_rpc_call *call, enum nkv_status status);

#endif
