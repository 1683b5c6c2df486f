#include "demo_service.h"
#include "demo.pb.h"
#include "pb_io.h"

#include <string.h>

static const struct nkv_span nothing = {NULL, 0};

static struct nkv_demo *demo_of(const struct nkv_rpc_call *call)
{
    return nkv_rpc_context(call);
}

static struct nkv_span text_span(const struct nkv_demo_text *text)
{
    return (struct nkv_span){text->bytes, text->size};
}

static bool set_text(struct nkv_demo_text *text, struct nkv_span to)
{
    if (to.size > sizeof text->bytes) {
        return false;
    }
    if (to.size > 0) {
        memcpy(text->bytes, to.data, to.size);
    }
    text->size = to.size;
    return true;
}

static bool is_text(const struct nkv_demo_text *text, struct nkv_span span)
{
    return text->size == span.size &&
           memcmp(text->bytes, span.data, span.size) == 0;
}

/* The pair with this key, or NULL. */
static struct nkv_demo_pair *find_pair(struct nkv_demo *demo,
                                       struct nkv_span key)
{
    for (size_t i = 0; i < demo->pair_count; i++) {
        if (is_text(&demo->pairs[i].key, key)) {
            return &demo->pairs[i];
        }
    }
    return NULL;
}

static void respond(struct nkv_rpc_call *call, const pb_msgdesc_t *fields,
                    const void *message)
{
    struct nkv_span payload = nothing;

    if (!nkv_pb_encode(nkv_rpc_room(call), fields, message, &payload)) {
        nkv_rpc_respond(call, NKV_RESOURCE_EXHAUSTED, nothing);
        return;
    }
    nkv_rpc_respond(call, NKV_OK, payload);
}

static enum nkv_status send_entry(struct nkv_rpc_call *call,
                                  struct nkv_span key, struct nkv_span value)
{
    demo_kv_Entry entry = demo_kv_Entry_init_zero;
    struct nkv_span payload = nothing;

    nkv_pb_give(&entry.key, &key);
    nkv_pb_give(&entry.value, &value);
    if (!nkv_pb_encode(nkv_rpc_room(call), demo_kv_Entry_fields, &entry,
                       &payload)) {
        return NKV_RESOURCE_EXHAUSTED;
    }
    return nkv_rpc_send(call, payload);
}

static void get(struct nkv_rpc_call *call, enum nkv_rpc_event event,
                struct nkv_span payload)
{
    demo_kv_GetRequest request = demo_kv_GetRequest_init_zero;
    demo_kv_GetResponse response = demo_kv_GetResponse_init_zero;
    struct nkv_demo_pair *pair;
    struct nkv_span key;
    struct nkv_span value;

    (void)event;
    nkv_pb_take(&request.key, &key);
    if (!nkv_pb_decode(payload, demo_kv_GetRequest_fields, &request)) {
        nkv_rpc_reject(call, NKV_DATA_LOSS);
        return;
    }
    pair = find_pair(demo_of(call), key);
    if (pair == NULL) {
        nkv_rpc_respond(call, NKV_NOT_FOUND, nothing);
        return;
    }
    value = text_span(&pair->value);
    nkv_pb_give(&response.value, &value);
    response.version = pair->version;
    respond(call, demo_kv_GetResponse_fields, &response);
}

static bool store_pair(struct nkv_demo *demo, struct nkv_span key,
                       struct nkv_span value)
{
    struct nkv_demo_pair *pair = find_pair(demo, key);

    if (pair == NULL && demo->pair_count < NKV_DEMO_KEYS) {
        pair = &demo->pairs[demo->pair_count++];
    }
    if (pair == NULL || !set_text(&pair->key, key) ||
        !set_text(&pair->value, value)) {
        return false;
    }
    demo->version++;
    pair->version = demo->version;
    return true;
}

static void put(struct nkv_rpc_call *call, enum nkv_rpc_event event,
                struct nkv_span payload)
{
    demo_kv_PutRequest request = demo_kv_PutRequest_init_zero;
    demo_kv_PutResponse response = demo_kv_PutResponse_init_zero;
    struct nkv_span key;
    struct nkv_span value;

    (void)event;
    nkv_pb_take(&request.key, &key);
    nkv_pb_take(&request.value, &value);
    if (!nkv_pb_decode(payload, demo_kv_PutRequest_fields, &request)) {
        nkv_rpc_reject(call, NKV_DATA_LOSS);
        return;
    }
    if (!store_pair(demo_of(call), key, value)) {
        nkv_rpc_respond(call, NKV_RESOURCE_EXHAUSTED, nothing);
        return;
    }
    response.version = demo_of(call)->version;
    respond(call, demo_kv_PutResponse_fields, &response);
}

static void scan_all(struct nkv_rpc_call *call)
{
    struct nkv_demo *demo = demo_of(call);

    for (size_t i = 0; i < demo->pair_count; i++) {
        if (send_entry(call, text_span(&demo->pairs[i].key),
                       text_span(&demo->pairs[i].value)) != NKV_OK) {
            return;
        }
    }
    nkv_rpc_respond(call, NKV_OK, nothing);
}

static void scan(struct nkv_rpc_call *call, enum nkv_rpc_event event,
                 struct nkv_span payload)
{
    demo_kv_ScanRequest request = demo_kv_ScanRequest_init_zero;
    struct nkv_span prefix;

    if (event == NKV_RPC_STEP) {
        demo_of(call)->steps++;
        return;
    }
    if (event == NKV_RPC_CANCEL) {
        demo_of(call)->cancelled++;
        return;
    }
    nkv_pb_take(&request.prefix, &prefix);
    if (!nkv_pb_decode(payload, demo_kv_ScanRequest_fields, &request)) {
        nkv_rpc_reject(call, NKV_DATA_LOSS);
        return;
    }
    if (prefix.size == 4 && memcmp(prefix.data, "hold", 4) == 0) {
        nkv_rpc_set_running(call, true);
        return;
    }
    scan_all(call);
}

static void restore(struct nkv_rpc_call *call, enum nkv_rpc_event event,
                    struct nkv_span payload)
{
    struct nkv_demo *demo = demo_of(call);
    uint32_t *count = &demo->restored[nkv_rpc_slot(call)];
    demo_kv_RestoreSummary summary = demo_kv_RestoreSummary_init_zero;

    (void)payload;
    switch (event) {
    case NKV_RPC_START:
        *count = 0;
        break;
    case NKV_RPC_MESSAGE:
        (*count)++;
        break;
    case NKV_RPC_COMPLETION:
        summary.count = *count;
        respond(call, demo_kv_RestoreSummary_fields, &summary);
        break;
    case NKV_RPC_CANCEL:
        demo->cancelled++;
        break;
    case NKV_RPC_STEP:
        break;
    }
}

/* Each entry comes back with key and value exchanged. */
static void chat(struct nkv_rpc_call *call, enum nkv_rpc_event event,
                 struct nkv_span payload)
{
    demo_kv_Entry entry = demo_kv_Entry_init_zero;
    struct nkv_span key;
    struct nkv_span value;

    if (event == NKV_RPC_COMPLETION) {
        nkv_rpc_respond(call, NKV_OK, nothing);
    }
    if (event != NKV_RPC_MESSAGE) {
        return;
    }
    nkv_pb_take(&entry.key, &key);
    nkv_pb_take(&entry.value, &value);
    if (!nkv_pb_decode(payload, demo_kv_Entry_fields, &entry)) {
        nkv_rpc_reject(call, NKV_DATA_LOSS);
        return;
    }
    if (send_entry(call, value, key) != NKV_OK) {
        demo_of(call)->cancelled++;
    }
}

static const struct nkv_rpc_method methods[] = {
    {NKV_DEMO_GET, NKV_RPC_UNARY, get, NULL},
    {NKV_DEMO_PUT, NKV_RPC_UNARY, put, NULL},
    {NKV_DEMO_SCAN, NKV_RPC_SERVER_STREAM, scan, NULL},
    {NKV_DEMO_RESTORE, NKV_RPC_CLIENT_STREAM, restore, NULL},
    {NKV_DEMO_CHAT, NKV_RPC_BIDI, chat, NULL},
};

static const struct nkv_rpc_service services[] = {
    {NKV_DEMO_SERVICE, methods, sizeof methods / sizeof methods[0]},
};

static enum nkv_status keep_reply(void *context, struct nkv_span packet)
{
    struct nkv_demo *demo = context;

    if (demo->sink_status != NKV_OK) {
        return demo->sink_status;
    }
    if (demo->reply_count == NKV_DEMO_REPLIES ||
        packet.size > NKV_DEMO_PACKET) {
        return NKV_RESOURCE_EXHAUSTED;
    }
    memcpy(demo->replies[demo->reply_count], packet.data, packet.size);
    demo->reply_sizes[demo->reply_count] = packet.size;
    demo->reply_count++;
    return NKV_OK;
}

void nkv_demo_init(struct nkv_demo *demo)
{
    memset(demo, 0, sizeof *demo);
    demo->config = (struct nkv_rpc_config){
        .services = services,
        .service_count = 1,
        .channel_id = 1,
        .calls = demo->calls,
        .call_count = NKV_DEMO_SLOTS,
        .packet = {demo->packet, sizeof demo->packet},
        .sink = keep_reply,
        .sink_context = demo,
        .context = demo,
    };
    if (nkv_rpc_init(&demo->rpc, &demo->config) != NKV_OK) {
        demo->config.call_count = 0;
    }
}
