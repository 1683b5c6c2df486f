#include "service.h"

#include <string.h>

struct nkv_server *nkv_server_of(const struct nkv_rpc_call *call)
{
    return nkv_rpc_context(call);
}

struct nkv_server_work *nkv_work_of(const struct nkv_rpc_call *call)
{
    return &nkv_server_of(call)->config->memory.work[nkv_rpc_slot(call)];
}

struct nkv_server_store *nkv_find_store(const struct nkv_server *server,
                                        uint32_t number)
{
    if (number >= server->config->store_count) {
        return NULL;
    }
    return &server->config->stores[number];
}

struct nkv_server_store *nkv_store_of(const struct nkv_rpc_call *call)
{
    return &nkv_server_of(call)->config->stores[nkv_work_of(call)->store];
}

/* Of a call that nkv_serve_method handles. */
static const struct nkv_server_method *
method_of(const struct nkv_rpc_call *call)
{
    return nkv_rpc_method_of(call)->data;
}

/* Whether a slot has a call that nobody else may disturb on its store. */
static bool is_alone(const struct nkv_rpc_call *call)
{
    const struct nkv_rpc_method *method = nkv_rpc_method_of(call);

    return method != NULL && method->handle == nkv_serve_method &&
           method_of(call)->is_alone;
}

bool nkv_store_is_busy(const struct nkv_rpc_call *call)
{
    const struct nkv_server_memory *memory =
        &nkv_server_of(call)->config->memory;

    for (size_t i = 0; i < memory->call_count; i++) {
        const struct nkv_rpc_call *other = &memory->calls[i];

        if (other != call && is_alone(other) &&
            nkv_store_of(other) == nkv_store_of(call)) {
            return true;
        }
    }
    return false;
}

uint32_t nkv_server_now_ms(const struct nkv_server *server)
{
    return server->config->now_ms(server->config->clock_context);
}

uint32_t nkv_rx_window(const struct nkv_server *server)
{
    const struct nkv_server_config *config = server->config;

    return config->rx_window != 0 ? config->rx_window
                                  : (uint32_t)config->memory.receive.capacity;
}

struct nkv_span nkv_text_span(const char *text)
{
    if (text == NULL) {
        return (struct nkv_span){NULL, 0};
    }
    return (struct nkv_span){(const uint8_t *)text, strlen(text)};
}

enum nkv_status nkv_status_for_client(enum nkv_status status)
{
    switch (status) {
    case NKV_OK:
    case NKV_INVALID_ARGUMENT:
    case NKV_NOT_FOUND:
    case NKV_RESOURCE_EXHAUSTED:
    case NKV_FAILED_PRECONDITION:
    case NKV_OUT_OF_RANGE:
    case NKV_DATA_LOSS:
        return status;
    default:
        return NKV_INTERNAL;
    }
}

bool nkv_message_tell(struct nkv_rpc_call *call, const struct nkv_field *fields,
                      const void *message)
{
    struct nkv_span payload = {NULL, 0};

    (void)nkv_fields_encode(nkv_rpc_room(call), fields, message, &payload);
    return nkv_rpc_send(call, payload) == NKV_OK;
}

void nkv_respond_message(struct nkv_rpc_call *call, enum nkv_status status,
                         const struct nkv_field *fields, const void *message)
{
    struct nkv_span payload = {NULL, 0};

    if (!nkv_fields_encode(nkv_rpc_room(call), fields, message, &payload)) {
        status = NKV_RESOURCE_EXHAUSTED;
    }
    nkv_rpc_respond(call, status, payload);
}

void nkv_respond_status(struct nkv_rpc_call *call, enum nkv_status status)
{
    nkv_rpc_respond(call, status, (struct nkv_span){NULL, 0});
}

void nkv_message_end(struct nkv_rpc_call *call, enum nkv_status status,
                     const struct nkv_field *fields, const void *message)
{
    if (nkv_message_tell(call, fields, message)) {
        nkv_respond_status(call, status);
    }
}

void nkv_call_refuse(struct nkv_rpc_call *call, enum nkv_status status,
                     norkv_v1_Reason reason)
{
    uint32_t told = (uint32_t)reason;
    const struct nkv_field fields[] = {
        {(uint8_t)NKV_FIELD_KEY(method_of(call)->reason, NKV_WIRE_VARINT),
         NKV_FIELD_UINT32, 0},
        {0, NKV_FIELD_END, 0}};

    if (nkv_rpc_method_of(call)->kind == NKV_RPC_UNARY) {
        nkv_respond_message(call, status, fields, &told);
    } else if (method_of(call)->reason == 0) {
        nkv_respond_status(call, status);
    } else {
        nkv_message_end(call, status, fields, &told);
    }
}

bool nkv_message_append(struct nkv_buffer room, size_t *used, uint8_t number,
                        const struct nkv_field *fields, const void *message)
{
    struct nkv_buffer rest = {room.data + *used, room.capacity - *used};
    size_t end = rest.capacity;

    if (!nkv_fields_prepend(&rest, number, fields, message)) {
        return false;
    }
    memmove(rest.data, rest.data + rest.capacity, end - rest.capacity);
    *used += end - rest.capacity;
    return true;
}

bool nkv_begin_sectors(struct nkv_rpc_call *call,
                       const struct nkv_request *request, uint32_t first)
{
    if (first > request->store->config->flash->sector_count) {
        nkv_call_refuse(call, NKV_OUT_OF_RANGE, norkv_v1_Reason_REASON_NONE);
        return false;
    }
    nkv_rpc_set_running(call, true);
    return true;
}

/* False: the call was refused. */
static bool find_store(struct nkv_rpc_call *call,
                       const struct nkv_server_method *method,
                       struct nkv_request *request)
{
    const struct nkv_server *server = nkv_server_of(call);
    uint32_t detail;

    request->store = nkv_find_store(server, request->of.store_number);
    if (request->store == NULL) {
        nkv_call_refuse(call, NKV_INVALID_ARGUMENT,
                        norkv_v1_Reason_REASON_NO_SUCH_STORE);
        return false;
    }
    if (method->needs_flash &&
        nkv_fault_is_total(nkv_fault_of(request->store, &detail))) {
        nkv_call_refuse(call, NKV_FAILED_PRECONDITION,
                        nkv_unusable_reason(request->store));
        return false;
    }
    nkv_work_of(call)->store = (uint8_t)request->of.store_number;
    return true;
}

static void start(struct nkv_rpc_call *call,
                  const struct nkv_server_method *method,
                  struct nkv_span payload)
{
    struct nkv_request request = {.payload = payload};

    if (!nkv_fields_decode(payload, method->request, true, &request.of)) {
        nkv_rpc_reject(call, NKV_DATA_LOSS);
        return;
    }
    *nkv_work_of(call) = (struct nkv_server_work){.store = 0};
    if (!method->is_of_store || find_store(call, method, &request)) {
        method->start(call, &request);
    }
}

void nkv_serve_method(struct nkv_rpc_call *call, enum nkv_rpc_event event,
                      struct nkv_span payload)
{
    const struct nkv_server_method *method = method_of(call);

    if (event == NKV_RPC_START) {
        start(call, method, payload);
    } else if (event == NKV_RPC_STEP) {
        method->step(call);
    }
}
