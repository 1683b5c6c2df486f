#include <norkv/rpc.h>

static bool is_call_id_open(uint32_t call_id)
{
    return call_id == NKV_CALL_ID_NONE || call_id == NKV_CALL_ID_ANY;
}

static bool is_active(const struct nkv_rpc_call *call)
{
    return call->method != NULL;
}

static bool has_client_stream(const struct nkv_rpc_method *method)
{
    return method->kind == NKV_RPC_CLIENT_STREAM ||
           method->kind == NKV_RPC_BIDI || method->kind == NKV_RPC_BIDI_SINGLE;
}

enum nkv_status nkv_rpc_init(struct nkv_rpc *rpc,
                             const struct nkv_rpc_config *config)
{
    if (config->sink == NULL || config->channel_id == 0 ||
        config->calls == NULL || config->call_count < 2 ||
        config->packet.data == NULL ||
        config->packet.capacity <= NKV_PACKET_OVERHEAD_MAX) {
        return NKV_INVALID_ARGUMENT;
    }
    *rpc = (struct nkv_rpc){
        .config = config,
        .packet_limit = config->packet.capacity,
    };
    for (size_t i = 0; i < config->call_count; i++) {
        config->calls[i] = (struct nkv_rpc_call){.rpc = rpc};
    }
    return NKV_OK;
}

void *nkv_rpc_context(const struct nkv_rpc_call *call)
{
    return call->rpc->config->context;
}

const struct nkv_rpc_method *nkv_rpc_method_of(const struct nkv_rpc_call *call)
{
    return call->method;
}

size_t nkv_rpc_slot(const struct nkv_rpc_call *call)
{
    return (size_t)(call - call->rpc->config->calls);
}

void nkv_rpc_set_packet_limit(struct nkv_rpc *rpc, size_t size)
{
    size_t capacity = rpc->config->packet.capacity;

    if (size > capacity) {
        size = capacity;
    }
    if (size <= NKV_PACKET_OVERHEAD_MAX) {
        size = NKV_PACKET_OVERHEAD_MAX + 1;
    }
    rpc->packet_limit = size;
}

struct nkv_buffer nkv_rpc_room(const struct nkv_rpc_call *call)
{
    const struct nkv_rpc *rpc = call->rpc;

    return (struct nkv_buffer){
        .data = rpc->config->packet.data + NKV_PACKET_OVERHEAD_MAX,
        .capacity = rpc->packet_limit - NKV_PACKET_OVERHEAD_MAX,
    };
}

void nkv_rpc_set_running(struct nkv_rpc_call *call, bool running)
{
    call->running = running;
}

static void free_call(struct nkv_rpc_call *call)
{
    *call = (struct nkv_rpc_call){.rpc = call->rpc};
}

static void cancel(struct nkv_rpc_call *call)
{
    call->method->handle(call, NKV_RPC_CANCEL, (struct nkv_span){NULL, 0});
    free_call(call);
}

/* Puts the packet's head right before its payload, where the room for it was
 * kept, so that both leave as one piece. */
static enum nkv_status send_packet(struct nkv_rpc *rpc,
                                   const struct nkv_packet *packet)
{
    uint8_t *start = rpc->config->packet.data;
    struct nkv_buffer room = {start, NKV_PACKET_OVERHEAD_MAX};
    size_t head_size = 0;
    enum nkv_status status;

    if (packet->payload.size > 0) {
        room.capacity = (size_t)(packet->payload.data - start);
    }
    status = nkv_packet_encode_head(packet, room, &head_size);
    if (status != NKV_OK) {
        return status;
    }
    return rpc->config->sink(rpc->config->sink_context,
                             (struct nkv_span){
                                 .data = start + room.capacity - head_size,
                                 .size = head_size + packet->payload.size,
                             });
}

static enum nkv_status send_for_call(struct nkv_rpc_call *call, uint32_t type,
                                     enum nkv_status status,
                                     struct nkv_span payload)
{
    struct nkv_packet packet = {
        .type = type,
        .channel_id = call->rpc->config->channel_id,
        .service_id = call->service->id,
        .method_id = call->method->id,
        .call_id = call->call_id,
        .status = (uint32_t)status,
        .payload = payload,
    };

    return send_packet(call->rpc, &packet);
}

enum nkv_status nkv_rpc_send(struct nkv_rpc_call *call, struct nkv_span payload)
{
    enum nkv_status status =
        send_for_call(call, NKV_PACKET_SERVER_STREAM, NKV_OK, payload);

    if (status != NKV_OK) {
        free_call(call);
    }
    return status;
}

/* A last packet that is lost is lost: the client asks again. */
static void accept_loss(enum nkv_status status)
{
    (void)status;
}

static void end_call(struct nkv_rpc_call *call, uint32_t type,
                     enum nkv_status status, struct nkv_span payload)
{
    accept_loss(send_for_call(call, type, status, payload));
    free_call(call);
}

void nkv_rpc_respond(struct nkv_rpc_call *call, enum nkv_status status,
                     struct nkv_span payload)
{
    end_call(call, NKV_PACKET_RESPONSE, status, payload);
}

void nkv_rpc_reject(struct nkv_rpc_call *call, enum nkv_status status)
{
    end_call(call, NKV_PACKET_SERVER_ERROR, status, (struct nkv_span){NULL, 0});
}

/* Answers a packet that belongs to no call. */
static void answer(struct nkv_rpc *rpc, const struct nkv_packet *to,
                   uint32_t type, enum nkv_status status)
{
    struct nkv_packet packet = *to;

    packet.type = type;
    packet.status = (uint32_t)status;
    packet.payload = (struct nkv_span){NULL, 0};
    accept_loss(send_packet(rpc, &packet));
}

static void answer_error(struct nkv_rpc *rpc, const struct nkv_packet *to,
                         enum nkv_status status)
{
    answer(rpc, to, NKV_PACKET_SERVER_ERROR, status);
}

/* Where a packet is meant to go. */
struct target {
    const struct nkv_rpc_service *service;
    const struct nkv_rpc_method *method;
};

static const struct nkv_rpc_method *
find_method(const struct nkv_rpc_service *service, uint32_t id)
{
    for (size_t i = 0; i < service->method_count; i++) {
        if (service->methods[i].id == id) {
            return &service->methods[i];
        }
    }
    return NULL;
}

static struct target find_target(const struct nkv_rpc *rpc,
                                 const struct nkv_packet *packet)
{
    struct target target = {NULL, NULL};

    for (size_t i = 0; i < rpc->config->service_count; i++) {
        if (rpc->config->services[i].id == packet->service_id) {
            target.service = &rpc->config->services[i];
            target.method = find_method(target.service, packet->method_id);
            break;
        }
    }
    return target;
}

/*
 * The active call that a packet belongs to, or NULL. Open ids match any call of
 * the method; a call that was started with one takes the id of the first packet
 * that has a real one.
 */
static struct nkv_rpc_call *find_call(const struct nkv_rpc *rpc,
                                      const struct target *target,
                                      uint32_t call_id)
{
    for (size_t i = 0; i < rpc->config->call_count; i++) {
        struct nkv_rpc_call *call = &rpc->config->calls[i];

        if (call->method != target->method) {
            continue;
        }
        if (call->call_id == call_id || is_call_id_open(call_id)) {
            return call;
        }
        if (is_call_id_open(call->call_id)) {
            call->call_id = call_id;
            return call;
        }
    }
    return NULL;
}

/* A free slot, or NULL. Calls that go on leave the last one to unary calls. */
static struct nkv_rpc_call *free_slot(const struct nkv_rpc *rpc,
                                      enum nkv_rpc_kind kind)
{
    struct nkv_rpc_call *found = NULL;
    size_t free_count = 0;

    for (size_t i = 0; i < rpc->config->call_count; i++) {
        if (!is_active(&rpc->config->calls[i])) {
            found = &rpc->config->calls[i];
            free_count++;
        }
    }
    if (kind != NKV_RPC_UNARY && free_count < 2) {
        return NULL;
    }
    return found;
}

/* Makes way for a call that the same client began again, or, of a method that
 * has one call at a time, another client. */
static void end_predecessor(struct nkv_rpc *rpc, const struct target *target,
                            uint32_t call_id)
{
    struct nkv_rpc_call *call = find_call(rpc, target, call_id);

    if (call != NULL) {
        cancel(call);
    } else if (target->method->kind == NKV_RPC_BIDI_SINGLE) {
        call = find_call(rpc, target, NKV_CALL_ID_ANY);
        if (call != NULL) {
            call->method->handle(call, NKV_RPC_CANCEL,
                                 (struct nkv_span){NULL, 0});
            nkv_rpc_respond(call, NKV_ABORTED, (struct nkv_span){NULL, 0});
        }
    }
}

static void start_call(struct nkv_rpc *rpc, const struct target *target,
                       const struct nkv_packet *packet)
{
    struct nkv_rpc_call *call;
    struct nkv_span request = packet->payload;

    end_predecessor(rpc, target, packet->call_id);
    call = free_slot(rpc, target->method->kind);
    if (call == NULL) {
        rpc->refused++;
        answer(rpc, packet, NKV_PACKET_RESPONSE, NKV_UNAVAILABLE);
        return;
    }
    call->service = target->service;
    call->method = target->method;
    call->call_id = packet->call_id;
    if (has_client_stream(target->method)) {
        request = (struct nkv_span){NULL, 0};
    }
    call->method->handle(call, NKV_RPC_START, request);
}

static void take_message(struct nkv_rpc *rpc, const struct target *target,
                         const struct nkv_packet *packet)
{
    struct nkv_rpc_call *call = find_call(rpc, target, packet->call_id);

    if (call != NULL && !has_client_stream(call->method)) {
        answer_error(rpc, packet, NKV_INVALID_ARGUMENT);
    } else if (call == NULL || call->completed) {
        answer_error(rpc, packet, NKV_FAILED_PRECONDITION);
    } else {
        call->method->handle(call, NKV_RPC_MESSAGE, packet->payload);
    }
}

static void take_completion(struct nkv_rpc *rpc, const struct target *target,
                            const struct nkv_packet *packet)
{
    struct nkv_rpc_call *call = find_call(rpc, target, packet->call_id);

    if (call == NULL) {
        answer_error(rpc, packet, NKV_FAILED_PRECONDITION);
    } else if (!call->completed) {
        call->completed = true;
        if (has_client_stream(call->method)) {
            call->method->handle(call, NKV_RPC_COMPLETION,
                                 (struct nkv_span){NULL, 0});
        }
    }
}

static void take_error(struct nkv_rpc *rpc, const struct target *target,
                       const struct nkv_packet *packet)
{
    struct nkv_rpc_call *call = find_call(rpc, target, packet->call_id);

    if (call != NULL) {
        rpc->cancelled++;
        cancel(call);
    }
}

static void dispatch(struct nkv_rpc *rpc, const struct target *target,
                     const struct nkv_packet *packet)
{
    switch (packet->type) {
    case NKV_PACKET_REQUEST:
        start_call(rpc, target, packet);
        break;
    case NKV_PACKET_CLIENT_STREAM:
        take_message(rpc, target, packet);
        break;
    case NKV_PACKET_CLIENT_REQUEST_COMPLETION:
        take_completion(rpc, target, packet);
        break;
    case NKV_PACKET_CLIENT_ERROR:
        take_error(rpc, target, packet);
        break;
    default:
        /* A type of the future: nobody waits for an answer to it. */
        break;
    }
}

enum nkv_status nkv_rpc_process(struct nkv_rpc *rpc, struct nkv_span bytes)
{
    struct nkv_packet packet;
    struct target target;
    enum nkv_status status = nkv_packet_decode(bytes, &packet);

    if (status != NKV_OK || packet.channel_id == 0 || packet.service_id == 0 ||
        packet.method_id == 0) {
        return NKV_DATA_LOSS;
    }
    if (packet.type % 2 != 0) {
        return NKV_INVALID_ARGUMENT;
    }
    if (packet.channel_id != rpc->config->channel_id) {
        return NKV_UNAVAILABLE;
    }
    target = find_target(rpc, &packet);
    if (target.method != NULL) {
        dispatch(rpc, &target, &packet);
    } else if (packet.type != NKV_PACKET_CLIENT_ERROR) {
        answer_error(rpc, &packet, NKV_NOT_FOUND);
    }
    return NKV_OK;
}

uint32_t nkv_rpc_refused(const struct nkv_rpc *rpc)
{
    return rpc->refused;
}

uint32_t nkv_rpc_cancelled(const struct nkv_rpc *rpc)
{
    return rpc->cancelled;
}

bool nkv_rpc_is_running(const struct nkv_rpc *rpc)
{
    for (size_t i = 0; i < rpc->config->call_count; i++) {
        if (rpc->config->calls[i].running) {
            return true;
        }
    }
    return false;
}

bool nkv_rpc_step(struct nkv_rpc *rpc)
{
    for (size_t i = 0; i < rpc->config->call_count; i++) {
        struct nkv_rpc_call *call = &rpc->config->calls[i];

        if (call->running) {
            call->method->handle(call, NKV_RPC_STEP,
                                 (struct nkv_span){NULL, 0});
        }
    }
    return nkv_rpc_is_running(rpc);
}

void nkv_rpc_cancel_all(struct nkv_rpc *rpc)
{
    for (size_t i = 0; i < rpc->config->call_count; i++) {
        if (is_active(&rpc->config->calls[i])) {
            cancel(&rpc->config->calls[i]);
        }
    }
}
