/* Store.Get and Store.Describe. */
#include "service.h"

#include <norkv/crc32.h>

NKV_MESSAGE(get_request, norkv_v1_GetRequest);
NKV_MESSAGE(get_response, norkv_v1_GetResponse);
NKV_MESSAGE(describe_request, norkv_v1_DescribeRequest);
NKV_MESSAGE(describe_response, norkv_v1_DescribeResponse);

enum {
    /* What follows the value in an answer to Get: version, total_size, crc32
     * and reason. */
    GET_TAIL_MAX = 6 + 6 + 5 + 2
};

/* A key that is read. */
struct reading {
    struct nkv_server *server;
    struct nkv_store *store;
    uint32_t number;
    struct nkv_span key;
};

norkv_v1_Reason nkv_read_reason(const struct nkv_server_store *store,
                                enum nkv_status status)
{
    switch (status) {
    case NKV_INVALID_ARGUMENT:
        return norkv_v1_Reason_REASON_BAD_KEY;
    case NKV_FAILED_PRECONDITION:
        return nkv_unusable_reason(store);
    default:
        return norkv_v1_Reason_REASON_NONE;
    }
}

/* Reads what fits into to; NKV_OK also when that is not the end. */
static enum nkv_status read_some(const struct reading *reading, uint32_t offset,
                                 struct nkv_buffer to, struct nkv_value *value)
{
    enum nkv_status status =
        nkv_get(reading->store, reading->key, offset, to, value);

    return status == NKV_RESOURCE_EXHAUSTED ? NKV_OK : status;
}

static struct nkv_server_crc name_value(const struct reading *reading,
                                        const struct nkv_value *value)
{
    return (struct nkv_server_crc){
        .store = reading->number,
        .key_crc = nkv_crc32(0, reading->key.data, reading->key.size),
        .version = value->version,
        .total_size = value->total_size,
        .known = true,
    };
}

static bool is_same_value(const struct nkv_server_crc *one,
                          const struct nkv_server_crc *other)
{
    return one->known && other->known && one->store == other->store &&
           one->key_crc == other->key_crc && one->version == other->version &&
           one->total_size == other->total_size;
}

/* Reads a value from end to end for its CRC, through the transmit buffer: the
 * store verifies all of the entry for each part, so the parts must not be as
 * small as a client may ask for. */
static enum nkv_status compute_crc(const struct reading *reading,
                                   uint32_t total, uint32_t *crc)
{
    struct nkv_buffer scratch = reading->server->config->memory.transmit;
    uint32_t offset = 0;

    *crc = 0;
    while (offset < total) {
        struct nkv_value part;
        enum nkv_status status = read_some(reading, offset, scratch, &part);

        if (status != NKV_OK) {
            return status;
        }
        if (part.size == 0) {
            return NKV_INTERNAL;
        }
        *crc = nkv_crc32(*crc, scratch.data, part.size);
        offset += (uint32_t)part.size;
    }
    return NKV_OK;
}

/*
 * The CRC of a whole value of which a part is read. It is kept, so that a value
 * that is fetched in many parts is not read from end to end for each. *fresh:
 * it was not known yet, and the transmit buffer has lost what was in it.
 */
static enum nkv_status whole_crc(const struct reading *reading,
                                 const struct nkv_value *value, bool *fresh)
{
    struct nkv_server_crc *kept = &reading->server->value_crc;
    struct nkv_server_crc wanted = name_value(reading, value);
    enum nkv_status status;

    *fresh = !is_same_value(kept, &wanted);
    if (!*fresh) {
        return NKV_OK;
    }
    status = compute_crc(reading, value->total_size, &wanted.crc);
    if (status == NKV_OK) {
        *kept = wanted;
    }
    return status;
}

/* Reads the part that was asked for, and the CRC of the whole. */
static enum nkv_status get_part(const struct reading *reading, uint32_t offset,
                                struct nkv_buffer to, struct nkv_value *value,
                                uint32_t *crc)
{
    bool fresh = false;
    enum nkv_status status = read_some(reading, offset, to, value);

    if (status != NKV_OK) {
        return status;
    }
    if (value->size == value->total_size) {
        *crc = nkv_crc32(0, to.data, value->size);
        return NKV_OK;
    }
    status = whole_crc(reading, value, &fresh);
    *crc = reading->server->value_crc.crc;
    if (status == NKV_OK && fresh) {
        status = read_some(reading, offset, to, value);
    }
    return status;
}

static struct reading make_reading(const struct nkv_rpc_call *call,
                                   const struct nkv_request *request,
                                   struct nkv_span key)
{
    return (struct reading){
        .server = nkv_server_of(call),
        .store = request->store->store,
        .number = nkv_work_of(call)->store,
        .key = key,
    };
}

static void get(struct nkv_rpc_call *call, const struct nkv_request *request)
{
    const norkv_v1_GetRequest *asked = &request->of.get;
    struct reading reading = make_reading(call, request, asked->key);
    struct nkv_buffer to = nkv_rpc_room(call);
    norkv_v1_GetResponse response = {.crc32 = 0};
    struct nkv_value value = {0};
    enum nkv_status status;

    to.capacity -= NKV_PREFIX_MAX + GET_TAIL_MAX;
    if (asked->max_size > 0 && asked->max_size < to.capacity) {
        to.capacity = asked->max_size;
    }
    status = get_part(&reading, asked->offset, to, &value, &response.crc32);
    if (status != NKV_OK) {
        response.crc32 = 0;
        response.reason = nkv_read_reason(request->store, status);
    } else {
        response.value = (struct nkv_span){to.data, value.size};
        response.version = value.version;
        response.total_size =
            value.size == value.total_size ? 0 : value.total_size;
    }
    nkv_respond_message(call, nkv_status_for_client(status), get_response,
                        &response);
}

const struct nkv_server_method nkv_method_get = {
    .request = get_request,
    .start = get,
    .reason = norkv_v1_GetResponse_reason_tag,
    .is_of_store = true,
};

static void describe(struct nkv_rpc_call *call,
                     const struct nkv_request *request)
{
    struct reading reading =
        make_reading(call, request, request->of.describe.key);
    norkv_v1_DescribeResponse response = {.version = 0};
    struct nkv_value value;
    bool fresh;
    enum nkv_status status = nkv_describe(reading.store, reading.key, &value);

    if (status == NKV_OK) {
        status = whole_crc(&reading, &value, &fresh);
    }
    if (status != NKV_OK) {
        response.reason = nkv_read_reason(request->store, status);
    } else {
        response.version = value.version;
        response.total_size = value.total_size;
        response.crc32 = reading.server->value_crc.crc;
    }
    nkv_respond_message(call, nkv_status_for_client(status), describe_response,
                        &response);
}

const struct nkv_server_method nkv_method_describe = {
    .request = describe_request,
    .start = describe,
    .reason = norkv_v1_DescribeResponse_reason_tag,
    .is_of_store = true,
};
