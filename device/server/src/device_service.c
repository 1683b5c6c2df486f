/* Device.Open, and the echo that stock tools test a line with. */
#include "service.h"
#include "session.h"

NKV_MESSAGE(open_request, norkv_v1_OpenRequest);
NKV_MESSAGE(open_response, norkv_v1_OpenResponse);
NKV_MESSAGE(store_info, norkv_v1_StoreInfo);
NKV_MESSAGE(echo_message, pw_rpc_EchoMessage);

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

/* Writes the stores at the end of room, from the last to the first. */
static bool prepend_stores(const struct nkv_server *server,
                           struct nkv_buffer *room)
{
    bool fits = true;

    for (size_t i = server->config->store_count; i > 0 && fits; i--) {
        const struct nkv_server_store *store = &server->config->stores[i - 1];
        const struct nkv_flash *flash = store->config->flash;
        norkv_v1_StoreInfo info = {
            .number = (uint32_t)(i - 1),
            .name = nkv_text_span(store->name),
            .capacity = flash->sector_size * flash->sector_count,
            .max_keys = store->config->max_keys,
            .mount_status = (uint32_t)store->mount_status,
        };

        info.fault = (norkv_v1_Fault)nkv_fault_of(store, &info.fault_detail);
        fits = nkv_fields_prepend(room, norkv_v1_OpenResponse_stores_tag,
                                  store_info, &info);
    }
    return fits;
}

/* Writes an answer of what is the same for all clients and of what of_client
 * has of one; *encoded is where it is. False: it does not fit. */
static bool encode_answer(const struct nkv_server *server,
                          const norkv_v1_OpenResponse *of_client,
                          struct nkv_buffer room, struct nkv_span *encoded)
{
    const struct nkv_server_config *config = server->config;
    norkv_v1_OpenResponse response = *of_client;
    const size_t end = room.capacity;

    response.protocol_version = NKV_PROTOCOL_VERSION;
    response.product = nkv_text_span(config->product);
    response.unit_id = nkv_text_span(config->unit_id);
    response.firmware = nkv_text_span(config->firmware);
    response.has_limits = true;
    response.limits.max_frame = (uint32_t)config->memory.receive.capacity;
    response.limits.rx_window = nkv_rx_window(server);
    response.limits.max_calls = (uint32_t)config->memory.answers_per_client;
    response.limits.max_key = NKV_KEY_SIZE_MAX;
    response.limits.stall_max_ms = config->stall_max_ms;
    if (!prepend_stores(server, &room) ||
        !nkv_fields_encode(room, open_response, &response, encoded)) {
        return false;
    }
    /* The stores lie right behind. */
    encoded->size += end - room.capacity;
    return true;
}

bool nkv_open_fits(const struct nkv_server *server)
{
    const norkv_v1_OpenResponse longest = {
        .boot_id = UINT32_MAX,
        .session = UINT32_MAX,
        .last_seq = UINT32_MAX,
        .limits.max_value = UINT32_MAX,
    };
    struct nkv_buffer room = nkv_rpc_room(&server->config->memory.calls[0]);
    struct nkv_span encoded;

    return encode_answer(server, &longest, room, &encoded);
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

static void open(struct nkv_rpc_call *call, const struct nkv_request *request)
{
    struct nkv_server *server = nkv_server_of(call);
    norkv_v1_OpenResponse response = {
        .boot_id = server->config->boot_id,
        .limits.max_value = max_value(server),
    };
    struct nkv_span encoded = {NULL, 0};
    enum nkv_status status = NKV_OK;

    if (!take_packet_limit(server, request->of.open.max_packet)) {
        nkv_respond_status(call, NKV_INVALID_ARGUMENT);
        return;
    }
    if (request->of.open.client != 0) {
        const struct nkv_server_client *client =
            nkv_session_open(server, request->of.open.client);

        response.session = client->session;
        response.last_seq = client->last_seq;
    }
    if (!encode_answer(server, &response, nkv_rpc_room(call), &encoded)) {
        status = NKV_RESOURCE_EXHAUSTED;
    }
    nkv_rpc_respond(call, status, encoded);
}

const struct nkv_server_method nkv_method_open = {
    .request = open_request,
    .start = open,
};

static void echo(struct nkv_rpc_call *call, const struct nkv_request *request)
{
    nkv_respond_message(call, NKV_OK, echo_message, &request->of.echo);
}

const struct nkv_server_method nkv_method_echo = {
    .request = echo_message,
    .start = echo,
};
