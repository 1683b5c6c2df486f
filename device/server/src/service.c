#include "service.h"

#include <norkv/ids.h>

static const struct nkv_rpc_method device_methods[] = {
    {NKV_METHOD_DEVICE_OPEN, NKV_RPC_UNARY, nkv_handle_open},
};

static const struct nkv_rpc_method store_methods[] = {
    {NKV_METHOD_STORE_GET, NKV_RPC_UNARY, nkv_handle_get},
    {NKV_METHOD_STORE_DESCRIBE, NKV_RPC_UNARY, nkv_handle_describe},
    {NKV_METHOD_STORE_PUT, NKV_RPC_UNARY, nkv_handle_put},
    {NKV_METHOD_STORE_DELETE, NKV_RPC_UNARY, nkv_handle_delete},
    {NKV_METHOD_STORE_SCAN, NKV_RPC_SERVER_STREAM, nkv_handle_scan},
    {NKV_METHOD_STORE_BACKUP, NKV_RPC_SERVER_STREAM, nkv_handle_backup},
    {NKV_METHOD_STORE_DIGEST, NKV_RPC_SERVER_STREAM, nkv_handle_digest},
    {NKV_METHOD_STORE_RESTORE, NKV_RPC_BIDI_SINGLE, nkv_handle_restore},
};

static const struct nkv_rpc_method maintenance_methods[] = {
    {NKV_METHOD_MAINTENANCE_STATISTICS, NKV_RPC_UNARY, nkv_handle_statistics},
    {NKV_METHOD_MAINTENANCE_SECTORS, NKV_RPC_SERVER_STREAM, nkv_handle_sectors},
    {NKV_METHOD_MAINTENANCE_CHECK, NKV_RPC_SERVER_STREAM, nkv_handle_check},
    {NKV_METHOD_MAINTENANCE_COLLECT, NKV_RPC_SERVER_STREAM, nkv_handle_collect},
    {NKV_METHOD_MAINTENANCE_ERASE_ALL, NKV_RPC_SERVER_STREAM,
     nkv_handle_erase_all},
};

static const struct nkv_rpc_method echo_methods[] = {
    {NKV_METHOD_ECHO_SERVICE_ECHO, NKV_RPC_UNARY, nkv_handle_echo},
};

#define METHODS(table) (table), sizeof(table) / sizeof((table)[0])

const struct nkv_rpc_service nkv_services[] = {
    {NKV_SERVICE_DEVICE, METHODS(device_methods)},
    {NKV_SERVICE_STORE, METHODS(store_methods)},
    {NKV_SERVICE_MAINTENANCE, METHODS(maintenance_methods)},
    {NKV_SERVICE_ECHO_SERVICE, METHODS(echo_methods)},
};

const size_t nkv_service_count = sizeof nkv_services / sizeof nkv_services[0];

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

uint32_t nkv_server_now_ms(const struct nkv_server *server)
{
    return server->config->now_ms(server->config->clock_context);
}

bool nkv_decode_request(struct nkv_rpc_call *call, struct nkv_span payload,
                        const pb_msgdesc_t *fields, void *message)
{
    if (nkv_pb_decode(payload, fields, message)) {
        return true;
    }
    nkv_rpc_reject(call, NKV_DATA_LOSS);
    return false;
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

void nkv_respond_message(struct nkv_rpc_call *call, enum nkv_status status,
                         const pb_msgdesc_t *fields, const void *message)
{
    struct nkv_span payload = {NULL, 0};

    if (!nkv_pb_encode(nkv_rpc_room(call), fields, message, &payload)) {
        status = NKV_RESOURCE_EXHAUSTED;
    }
    nkv_rpc_respond(call, status, payload);
}

void nkv_respond_status(struct nkv_rpc_call *call, enum nkv_status status)
{
    nkv_rpc_respond(call, status, (struct nkv_span){NULL, 0});
}
