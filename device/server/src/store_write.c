/* Store.Put and Store.Delete. */
#include "service.h"
#include "session.h"

#include <norkv/crc32.h>

NKV_MESSAGE(put_request, norkv_v1_PutRequest);
NKV_MESSAGE(delete_request, norkv_v1_DeleteRequest);
NKV_MESSAGE(write_response, norkv_v1_WriteResponse);

/* A mutation as it was asked for. */
struct write {
    const struct nkv_server_store *store;
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

/* given is NULL when the client keeps no session: then the write is applied as
 * often as it comes. */
static void answer(struct nkv_rpc_call *call, const struct write *write,
                   const norkv_v1_Op *given, struct nkv_span payload)
{
    struct nkv_server *server = nkv_server_of(call);
    struct nkv_write_result result;

    if (given == NULL) {
        apply(write, &result);
    } else {
        struct nkv_op op = make_op(given, nkv_rpc_method_of(call)->id, payload);

        if (!nkv_session_recall(server, &op, &result)) {
            apply(write, &result);
            nkv_session_remember(server, &op, &result);
        }
    }
    nkv_respond_message(call, result.status, write_response, &result.message);
}

static void put_key(struct nkv_rpc_call *call,
                    const struct nkv_request *request)
{
    const norkv_v1_PutRequest *asked = &request->of.put;
    struct write write = {
        .store = nkv_find_store(nkv_server_of(call), asked->store),
        .key = asked->key,
        .value = asked->value,
        .is_conditional = asked->has_if_version,
        .if_version = asked->if_version.version,
        .crc32 = asked->crc32,
    };

    answer(call, &write, asked->has_op ? &asked->op : NULL, request->payload);
}

/* Whether there is such a store is part of the answer, which is kept. */
const struct nkv_server_method nkv_method_put = {
    .request = put_request,
    .start = put_key,
};

static void delete_key(struct nkv_rpc_call *call,
                       const struct nkv_request *request)
{
    const norkv_v1_DeleteRequest *asked = &request->of.delete_;
    struct write write = {
        .store = nkv_find_store(nkv_server_of(call), asked->store),
        .key = asked->key,
        .is_delete = true,
        .is_conditional = asked->has_if_version,
        .if_version = asked->if_version.version,
    };

    answer(call, &write, asked->has_op ? &asked->op : NULL, request->payload);
}

const struct nkv_server_method nkv_method_delete = {
    .request = delete_request,
    .start = delete_key,
};
