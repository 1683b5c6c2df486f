/* Device.Open, and the echo that stock tools test a line with. */
#include "service.h"
#include "session.h"

#include "echo.pb.h"
#include <pb_encode.h>

enum {
    /* Bytes that a Put of a value adds to it at most: key, op, if_version,
     * crc32 and the numbers of store and fields. */
    PUT_OVERHEAD = 2 + (2 + NKV_KEY_SIZE_MAX) + 4 + (2 + 5 + 6) + (2 + 6) + 5,
    /* A stock client may send the type of a REQUEST, though it is 0. */
    EXPLICIT_TYPE = 2
};

/* The largest value that a frame can bring under the longest key. */
static uint32_t value_size_of_frame(const struct nkv_server *server)
{
    size_t max_frame = server->config->memory.receive.capacity;
    struct nkv_packet request = {
        .type = NKV_PACKET_REQUEST,
        .channel_id = server->rpc_config.channel_id,
        .service_id = UINT32_MAX,
        .method_id = UINT32_MAX,
        .call_id = UINT32_MAX,
        .payload.size = max_frame,
    };
    uint8_t head[NKV_PACKET_OVERHEAD_MAX];
    size_t overhead = 0;

    if (nkv_packet_encode_head(&request, (struct nkv_buffer){head, sizeof head},
                               &overhead) != NKV_OK) {
        overhead = sizeof head;
    }
    overhead += EXPLICIT_TYPE + PUT_OVERHEAD +
                nkv_hdlc_content_size(NKV_HDLC_ADDRESS_RPC, 0);
    return (uint32_t)(max_frame > overhead ? max_frame - overhead : 0);
}

/* What fits a frame, and every store: also one that only reads, for it may be
 * erased. One whose config is wrong never takes any, nor does one whose flash
 * cannot be used. */
static uint32_t max_value(const struct nkv_server *server)
{
    uint32_t smallest = value_size_of_frame(server);

    for (size_t i = 0; i < server->config->store_count; i++) {
        const struct nkv_server_store *store = &server->config->stores[i];
        uint32_t size;

        if (store->mount_status == NKV_INVALID_ARGUMENT ||
            store->fault != NKV_FAULT_NONE) {
            continue;
        }
        size = nkv_value_size_max(store->store, NKV_KEY_SIZE_MAX);
        if (size < smallest) {
            smallest = size;
        }
    }
    return smallest;
}

static bool encode_store(pb_ostream_t *stream, const pb_field_t *field,
                         const struct nkv_server_store *store, uint32_t number)
{
    const struct nkv_flash *flash = store->config->flash;
    struct nkv_span name = nkv_text_span(store->name);
    norkv_v1_StoreInfo info = norkv_v1_StoreInfo_init_zero;

    info.number = number;
    nkv_pb_give(&info.name, &name);
    info.capacity = flash->sector_size * flash->sector_count;
    info.max_keys = store->config->max_keys;
    info.mount_status = (uint32_t)store->mount_status;
    info.fault = (norkv_v1_Fault)nkv_fault_of(store, &info.fault_detail);
    return pb_encode_tag_for_field(stream, field) &&
           pb_encode_submessage(stream, norkv_v1_StoreInfo_fields, &info);
}

static bool encode_stores(pb_ostream_t *stream, const pb_field_t *field,
                          void *const *arg)
{
    const struct nkv_server *server = *arg;

    for (uint32_t i = 0; i < server->config->store_count; i++) {
        if (!encode_store(stream, field, &server->config->stores[i], i)) {
            return false;
        }
    }
    return true;
}

/* The texts of an answer to Open: they must last until it is encoded. */
struct open_texts {
    struct nkv_span product;
    struct nkv_span unit_id;
    struct nkv_span firmware;
};

static void fill_identity(struct nkv_server *server,
                          norkv_v1_OpenResponse *response,
                          struct open_texts *texts)
{
    const struct nkv_server_config *config = server->config;

    texts->product = nkv_text_span(config->product);
    texts->unit_id = nkv_text_span(config->unit_id);
    texts->firmware = nkv_text_span(config->firmware);
    nkv_pb_give(&response->product, &texts->product);
    nkv_pb_give(&response->unit_id, &texts->unit_id);
    nkv_pb_give(&response->firmware, &texts->firmware);
    response->protocol_version = NKV_PROTOCOL_VERSION;
    response->boot_id = config->boot_id;
    response->stores.funcs.encode = encode_stores;
    response->stores.arg = server;
}

static void fill_limits(const struct nkv_server *server,
                        norkv_v1_OpenResponse *response)
{
    const struct nkv_server_config *config = server->config;
    uint32_t max_frame = (uint32_t)config->memory.receive.capacity;

    response->has_limits = true;
    response->limits = (norkv_v1_Limits){
        .max_frame = max_frame,
        .rx_window = config->rx_window == 0 ? max_frame : config->rx_window,
        .max_calls = (uint32_t)config->memory.answers_per_client,
        .max_key = NKV_KEY_SIZE_MAX,
        .max_value = max_value(server),
        .stall_max_ms = config->stall_max_ms,
    };
}

size_t nkv_open_response_size_max(struct nkv_server *server)
{
    norkv_v1_OpenResponse response = norkv_v1_OpenResponse_init_zero;
    struct open_texts texts;
    size_t size = SIZE_MAX;

    fill_identity(server, &response, &texts);
    fill_limits(server, &response);
    response.limits.max_value = UINT32_MAX;
    response.boot_id = UINT32_MAX;
    response.session = UINT32_MAX;
    response.last_seq = UINT32_MAX;
    if (!pb_get_encoded_size(&size, norkv_v1_OpenResponse_fields, &response)) {
        return SIZE_MAX;
    }
    return size;
}

/* False: the client takes less than answers need. */
static bool take_packet_limit(struct nkv_server *server, uint32_t max_packet)
{
    if (max_packet == 0) {
        max_packet = NKV_SERVER_PACKET_DEFAULT;
    }
    if (max_packet < NKV_SERVER_PACKET_MIN) {
        return false;
    }
    if (max_packet > NKV_SERVER_PACKET_MAX) {
        max_packet = NKV_SERVER_PACKET_MAX;
    }
    nkv_rpc_set_packet_limit(&server->rpc, max_packet);
    return true;
}

void nkv_handle_open(struct nkv_rpc_call *call, enum nkv_rpc_event event,
                     struct nkv_span payload)
{
    struct nkv_server *server = nkv_server_of(call);
    norkv_v1_OpenRequest request = norkv_v1_OpenRequest_init_zero;
    norkv_v1_OpenResponse response = norkv_v1_OpenResponse_init_zero;
    struct open_texts texts;

    (void)event;
    if (!nkv_decode_request(call, payload, norkv_v1_OpenRequest_fields,
                            &request)) {
        return;
    }
    if (!take_packet_limit(server, request.max_packet)) {
        nkv_respond_status(call, NKV_INVALID_ARGUMENT);
        return;
    }
    if (request.client != 0) {
        const struct nkv_server_client *client =
            nkv_session_open(server, request.client);

        response.session = client->session;
        response.last_seq = client->last_seq;
    }
    fill_identity(server, &response, &texts);
    fill_limits(server, &response);
    nkv_respond_message(call, NKV_OK, norkv_v1_OpenResponse_fields, &response);
}

void nkv_handle_echo(struct nkv_rpc_call *call, enum nkv_rpc_event event,
                     struct nkv_span payload)
{
    pw_rpc_EchoMessage message = pw_rpc_EchoMessage_init_zero;
    struct nkv_span text;

    (void)event;
    nkv_pb_take(&message.msg, &text);
    if (!nkv_decode_request(call, payload, pw_rpc_EchoMessage_fields,
                            &message)) {
        return;
    }
    nkv_pb_give(&message.msg, &text);
    nkv_respond_message(call, NKV_OK, pw_rpc_EchoMessage_fields, &message);
}
