/* Store.Put and Store.Delete. */
#include "service.h"
#include "session.h"

#include <norkv/crc32.h>
#include <norkv/ids.h>

/* A mutation as it was asked for. Decoding points key and value into the
 * request. */
struct write {
    struct nkv_server *server;
    struct nkv_server_store *store;
    struct nkv_span key;
    struct nkv_span value;
    bool is_delete;
    bool is_conditional;
    uint32_t if_version;
    /* Of value; 0: not checked. */
    uint32_t crc32;
};

static void fail(struct nkv_write_result *result, enum nkv_status status,
                 norkv_v1_Reason reason)
{
    result->status = nkv_status_for_client(status);
    result->message.reason = reason;
}

static bool is_well_formed(const struct write *write,
                           struct nkv_write_result *result)
{
    if (write->store == NULL) {
        fail(result, NKV_INVALID_ARGUMENT,
             norkv_v1_Reason_REASON_NO_SUCH_STORE);
        return false;
    }
    if (write->key.size == 0 || write->key.size > NKV_KEY_SIZE_MAX) {
        fail(result, NKV_INVALID_ARGUMENT, norkv_v1_Reason_REASON_BAD_KEY);
        return false;
    }
    if (write->crc32 != 0 &&
        write->crc32 != nkv_crc32(0, write->value.data, write->value.size)) {
        fail(result, NKV_INVALID_ARGUMENT, norkv_v1_Reason_REASON_CRC_MISMATCH);
        return false;
    }
    return true;
}

/* A key that is there with version 0 (its entry was written by a store that
 * starts there) fits no condition: 0 means that there is no key. */
static bool condition_holds(const struct write *write,
                            struct nkv_write_result *result)
{
    struct nkv_value found = {0};
    enum nkv_status status =
        nkv_describe(write->store->store, write->key, &found);

    if (status != NKV_OK && status != NKV_NOT_FOUND) {
        fail(result, status, nkv_read_reason(write->store, status));
        return false;
    }
    if (status == NKV_NOT_FOUND
            ? write->if_version == 0
            : write->if_version != 0 && write->if_version == found.version) {
        return true;
    }
    fail(result, NKV_FAILED_PRECONDITION,
         norkv_v1_Reason_REASON_VERSION_MISMATCH);
    result->message.version = found.version;
    return false;
}

static norkv_v1_Reason full_reason(const struct nkv_server_store *store,
                                   struct nkv_span key)
{
    struct nkv_statistics statistics;
    struct nkv_value found;

    nkv_statistics(store->store, &statistics);
    if (statistics.keys >= statistics.max_keys &&
        nkv_describe(store->store, key, &found) == NKV_NOT_FOUND) {
        return norkv_v1_Reason_REASON_KEY_TABLE_FULL;
    }
    return norkv_v1_Reason_REASON_STORE_FULL;
}

norkv_v1_Reason nkv_put_reason(const struct nkv_server_store *store,
                               struct nkv_span key, enum nkv_status status)
{
    switch (status) {
    case NKV_INVALID_ARGUMENT:
        return norkv_v1_Reason_REASON_VALUE_TOO_LARGE;
    case NKV_FAILED_PRECONDITION:
        return nkv_unusable_reason(store);
    case NKV_RESOURCE_EXHAUSTED:
        return full_reason(store, key);
    default:
        return norkv_v1_Reason_REASON_NONE;
    }
}

/* Describe tells the version also when the value was there already, and reads
 * back what was written. */
static enum nkv_status put(const struct write *write, uint32_t *version)
{
    struct nkv_value value = {0};
    enum nkv_status status =
        nkv_put(write->store->store, write->key, write->value);

    if (status == NKV_OK) {
        status = nkv_describe(write->store->store, write->key, &value);
    }
    *version = value.version;
    return status;
}

static enum nkv_status remove_key(const struct write *write, uint32_t *version)
{
    enum nkv_status status = nkv_delete(write->store->store, write->key);

    *version =
        status == NKV_OK ? nkv_transaction_count(write->store->store) : 0;
    return status;
}

static void apply(const struct write *write, struct nkv_write_result *result)
{
    enum nkv_status status;

    *result = (struct nkv_write_result){.status = NKV_OK};
    if (!is_well_formed(write, result) ||
        (write->is_conditional && !condition_holds(write, result))) {
        return;
    }
    if (write->is_delete) {
        status = remove_key(write, &result->message.version);
    } else {
        status = put(write, &result->message.version);
    }
    if (status != NKV_OK) {
        fail(result, status, nkv_put_reason(write->store, write->key, status));
    }
}

/* op is NULL when the client keeps no session: then the write is applied as
 * often as it comes. */
static void answer(struct nkv_rpc_call *call, const struct write *write,
                   const struct nkv_op *op)
{
    struct nkv_write_result result;

    if (op == NULL || !nkv_session_recall(write->server, op, &result)) {
        apply(write, &result);
        if (op != NULL) {
            nkv_session_remember(write->server, op, &result);
        }
    }
    nkv_respond_message(call, result.status, norkv_v1_WriteResponse_fields,
                        &result.message);
}

/* The method counts too: Put and Delete number their fields differently. */
static struct nkv_op make_op(const norkv_v1_Op *op, uint32_t method_id,
                             struct nkv_span payload)
{
    uint8_t method[4];

    nkv_store_le32(method, method_id);
    return (struct nkv_op){
        .session = op->session,
        .seq = op->seq,
        .request_crc = nkv_crc32(nkv_crc32(0, method, sizeof method),
                                 payload.data, payload.size),
    };
}

void nkv_handle_put(struct nkv_rpc_call *call, enum nkv_rpc_event event,
                    struct nkv_span payload)
{
    norkv_v1_PutRequest request = norkv_v1_PutRequest_init_zero;
    struct write write = {.server = nkv_server_of(call)};
    struct nkv_op op;

    (void)event;
    nkv_pb_take(&request.key, &write.key);
    nkv_pb_take(&request.value, &write.value);
    if (!nkv_decode_request(call, payload, norkv_v1_PutRequest_fields,
                            &request)) {
        return;
    }
    write.store = nkv_find_store(write.server, request.store);
    write.is_conditional = request.has_if_version;
    write.if_version = request.if_version.version;
    write.crc32 = request.crc32;
    op = make_op(&request.op, NKV_METHOD_STORE_PUT, payload);
    answer(call, &write, request.has_op ? &op : NULL);
}

void nkv_handle_delete(struct nkv_rpc_call *call, enum nkv_rpc_event event,
                       struct nkv_span payload)
{
    norkv_v1_DeleteRequest request = norkv_v1_DeleteRequest_init_zero;
    struct write write = {
        .server = nkv_server_of(call),
        .is_delete = true,
    };
    struct nkv_op op;

    (void)event;
    nkv_pb_take(&request.key, &write.key);
    if (!nkv_decode_request(call, payload, norkv_v1_DeleteRequest_fields,
                            &request)) {
        return;
    }
    write.store = nkv_find_store(write.server, request.store);
    write.is_conditional = request.has_if_version;
    write.if_version = request.if_version.version;
    op = make_op(&request.op, NKV_METHOD_STORE_DELETE, payload);
    answer(call, &write, request.has_op ? &op : NULL);
}
