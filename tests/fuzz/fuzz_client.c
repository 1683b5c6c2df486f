/*
 * The client's answers. The first byte of the input chooses the call; then
 * comes one record for each packet that the client sends, which says how the
 * device answers it:
 *
 *   packet type | status | size (2 bytes, little-endian) | that many bytes
 *
 * Packet type 0 sends the bytes as they are, 0xFF sends nothing. Device.Open is
 * answered well, except when it is the call that was chosen.
 */
#include "fuzz.h"

#include "norkv.pb-c.h"
#include "packet_frame.h"
#include <norkv/client.h>
#include <norkv/hdlc.h>
#include <norkv/ids.h>
#include <norkv/packet.h>
#include <stdlib.h>
#include <string.h>

enum {
    CALL_KINDS = 11,
    CALL_OPEN = 0,
    CALL_AT_ONCE = 10,
    LINE_SIZE = 1 << 16,
    RAW = 0,
    NONE = 255
};

struct device {
    struct nkv_span script;
    unsigned call;
    uint64_t now_ms;
    struct nkv_hdlc_decoder decoder;
    uint8_t frame[8192];
    /* On its way to the client. */
    uint8_t line[LINE_SIZE];
    size_t line_size;
};

static enum nkv_status send_bytes(void *context, const uint8_t *data,
                                  size_t size)
{
    struct device *device = context;
    if (size > sizeof(device->line) - device->line_size)
        return NKV_RESOURCE_EXHAUSTED;
    if (size > 0)
        memcpy(device->line + device->line_size, data, size);
    device->line_size += size;
    return NKV_OK;
}

static void reply(struct device *device, const struct nkv_packet *request,
                  uint8_t type, uint8_t status, struct nkv_span payload)
{
    struct nkv_hdlc_sink sink = {send_bytes, device};
    struct nkv_packet packet = *request;
    packet.type = type;
    packet.status = status;
    packet.payload = payload;
    enum nkv_status sent = nkv_packet_frame_send(&sink, &packet);
    /* What does not fit is lost, as on any line. */
    (void)sent;
}

static void reply_open(struct device *device, const struct nkv_packet *request)
{
    Norkv__V1__OpenResponse response;
    Norkv__V1__Limits limits = NORKV__V1__LIMITS__INIT;
    uint8_t bytes[128];
    norkv__v1__open_response__init(&response);
    limits.max_frame = 1024;
    limits.max_calls = 4;
    limits.max_key = 63;
    response.protocol_version = 1;
    response.session = 1;
    response.limits = &limits;
    struct nkv_span payload = {
        bytes, norkv__v1__open_response__pack(&response, bytes)};
    reply(device, request, NKV_PACKET_RESPONSE, NKV_OK, payload);
}

/* Answers one packet by the next record. */
static void answer(struct device *device, const struct nkv_packet *request)
{
    struct nkv_span *script = &device->script;
    if (request->method_id == NKV_METHOD_DEVICE_OPEN &&
        device->call != CALL_OPEN) {
        reply_open(device, request);
        return;
    }
    if (script->size < 4)
        return;
    uint8_t type = script->data[0];
    uint8_t status = script->data[1];
    struct nkv_span payload = {script->data + 4,
                               nkv_load_le16(script->data + 2)};
    if (payload.size > script->size - 4)
        payload.size = script->size - 4;
    script->data += 4 + payload.size;
    script->size -= 4 + payload.size;
    if (type == RAW)
        (void)send_bytes(device, payload.data, payload.size);
    else if (type != NONE)
        reply(device, request, type, status, payload);
}

/* ---- The transport ---------------------------------------------------- */

static enum nkv_status read_line(void *context, struct nkv_buffer to,
                                 uint32_t timeout_ms, size_t *size)
{
    struct device *device = context;
    device->now_ms++;
    if (device->line_size == 0) {
        device->now_ms += timeout_ms;
        return NKV_DEADLINE_EXCEEDED;
    }
    *size = device->line_size < to.capacity ? device->line_size : to.capacity;
    memcpy(to.data, device->line, *size);
    device->line_size -= *size;
    memmove(device->line, device->line + *size, device->line_size);
    return NKV_OK;
}

static enum nkv_status write_line(void *context, struct nkv_span bytes,
                                  uint32_t timeout_ms, size_t *size)
{
    struct device *device = context;
    (void)timeout_ms;
    for (size_t i = 0; i < bytes.size; i++) {
        struct nkv_packet packet;
        if (nkv_packet_frame_take(&device->decoder, bytes.data[i], &packet) ==
            NKV_OK)
            answer(device, &packet);
    }
    *size = bytes.size;
    return NKV_OK;
}

static void close_line(void *context)
{
    (void)context;
}

static uint64_t now_ms(void *context)
{
    const struct device *device = context;
    return device->now_ms;
}

/* ---- The calls -------------------------------------------------------- */

/* Looks at every byte it is given, for the sanitizers to see. */
static bool see(void *context, const struct nkv_client_record *record)
{
    unsigned *sum = context;
    for (size_t i = 0; i < record->key.size; i++)
        *sum += record->key.data[i];
    for (size_t i = 0; i < record->value.size; i++)
        *sum += record->value.data[i];
    return true;
}

static void trace(void *context, const struct nkv_client_trace *trace)
{
    unsigned *sum = context;
    *sum += (unsigned)strlen(trace->meaning);
}

static enum nkv_status apply(struct nkv_client *client)
{
    static const uint8_t bytes[] = "kv";
    struct nkv_span text = {bytes, 1};
    struct nkv_mutation mutations[6] = {
        {.key = text, .value = text},
        {.key = text, .value = text, .conditional = true},
        {.key = text, .kind = NKV_MUTATION_DELETE},
        {.key = text, .kind = NKV_MUTATION_DELETE, .conditional = true},
        {.key = text, .value = text},
        {.key = text, .value = text},
    };
    return nkv_client_apply(client, NULL, mutations, 6, NULL);
}

/* ---- Calls that do not block ------------------------------------------- */

/* Ends that are still to come. */
struct pending {
    struct nkv_client *client;
    unsigned count;
    unsigned sum;
};

static void count_end(struct pending *pending,
                      const struct nkv_client_outcome *outcome)
{
    if (pending->count-- == 0 ||
        (outcome->status == NKV_OK) != (outcome->error[0] == '\0'))
        abort();
}

static void got(void *context, const struct nkv_client_outcome *outcome,
                struct nkv_client_value *value)
{
    struct pending *pending = context;
    for (size_t i = 0; i < value->size; i++)
        pending->sum += value->data[i];
    count_end(pending, outcome);
}

static void wrote(void *context, const struct nkv_client_outcome *outcome,
                  const struct nkv_mutation *mutation)
{
    (void)mutation;
    count_end(context, outcome);
}

static void heard(void *context, struct nkv_span payload)
{
    struct pending *pending = context;
    for (size_t i = 0; i < payload.size; i++)
        pending->sum += payload.data[i];
}

static void ended(void *context, const struct nkv_client_outcome *outcome,
                  struct nkv_span payload)
{
    heard(context, payload);
    count_end(context, outcome);
}

static void start_write(struct pending *pending, bool conditional)
{
    static const uint8_t bytes[] = "k";
    struct nkv_mutation_call put = {
        .mutation = {.key = {bytes, 1},
                     .value = {bytes, 1},
                     .conditional = conditional},
        .done = wrote,
        .context = pending,
    };
    uint64_t number;
    if (nkv_client_start_mutation(pending->client, NULL, &put, &number) ==
        NKV_OK)
        pending->count++;
}

static void start_others(struct pending *pending)
{
    static const uint8_t bytes[] = "k";
    struct nkv_get_call get = {{bytes, 1}, got, pending};
    struct nkv_generic_call call = {
        .service = "norkv.v1.Store",
        .method = "Scan",
        .kind = NKV_CALL_BIDIRECTIONAL,
        .message = heard,
        .done = ended,
        .context = pending,
    };
    uint64_t number;
    if (nkv_client_start_get(pending->client, NULL, &get, &number) == NKV_OK)
        pending->count++;
    if (nkv_client_start_call(pending->client, NULL, &call, &number) != NKV_OK)
        return;
    pending->count++;
    if (nkv_client_send(pending->client, number, get.key) != NKV_OK ||
        nkv_client_complete(pending->client, number) != NKV_OK)
        abort();
}

/* Each call ends once, and within its deadline. */
static void run_at_once(struct nkv_client *client, struct device *device)
{
    enum { TURNS_MAX = 100000 };
    struct pending pending = {.client = client};
    for (int i = 0; i < 3; i++) {
        start_write(&pending, i == 1);
        start_others(&pending);
    }
    for (int i = 0; i < TURNS_MAX; i++) {
        int timeout_ms = nkv_client_timeout_ms(client);
        if (timeout_ms < 0)
            break;
        if (device->line_size == 0)
            device->now_ms += (uint64_t)timeout_ms;
        if (nkv_client_process(client) != NKV_OK)
            break;
    }
    if (pending.count != 0)
        abort();
}

static enum nkv_status make_call(struct nkv_client *client, unsigned call,
                                 unsigned *sum)
{
    static const uint8_t bytes[] = "k";
    struct nkv_span key = {bytes, 1};
    struct nkv_client_value value;
    struct nkv_client_key_info info;
    struct nkv_client_statistics statistics;
    struct nkv_client_scan scan = {.record = see, .context = sum};
    struct nkv_client_backup backup = {.record = see, .context = sum};
    struct nkv_client_digest digest;
    const struct nkv_device *device;
    enum nkv_status status;
    switch (call) {
    case CALL_OPEN:
        return nkv_client_device(client, NULL, &device);
    case 1:
        status = nkv_client_get(client, NULL, key, &value);
        nkv_client_value_clear(&value);
        return status;
    case 2:
        return nkv_client_describe(client, NULL, key, &info);
    case 3:
        return apply(client);
    case 4:
        return nkv_client_scan(client, NULL, &scan);
    case 5:
        return nkv_client_statistics(client, NULL, &statistics);
    case 6:
        return nkv_client_collect(client, NULL, NKV_COLLECT_FULL, NULL);
    case 7:
        return nkv_client_echo(client, NULL, "x", NULL);
    case 8:
        return nkv_client_backup(client, NULL, &backup);
    default:
        return nkv_client_digest(client, NULL, key, &digest, NULL);
    }
}

/* Reads all of it. */
static void add_remark(void *context, const struct nkv_client_remark *remark)
{
    unsigned *sum = context;
    for (size_t i = 0; i < remark->text.size; i++)
        *sum += remark->text.data[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned sum = 0;
    struct device *device = calloc(1, sizeof(*device));
    if (device == NULL || size == 0) {
        free(device);
        return 0;
    }
    device->call = data[0] % CALL_KINDS;
    device->script = (struct nkv_span){data + 1, size - 1};
    struct nkv_buffer room = {device->frame, sizeof(device->frame)};
    nkv_hdlc_decoder_init(&device->decoder, room);
    struct nkv_client_transport transport = {
        .read = read_line,
        .write = write_line,
        .close = close_line,
        .now_ms = now_ms,
        .context = device,
        .name = "fuzz",
    };
    struct nkv_client_options options = {
        .trace = trace,
        .trace_context = &sum,
        .remark = add_remark,
        .remark_context = &sum,
    };
    struct nkv_client *client;
    if (nkv_client_open_transport(&transport, &options, &client) != NKV_OK)
        abort();
    if (device->call == CALL_AT_ONCE) {
        run_at_once(client, device);
        nkv_client_free(&client);
        free(device);
        return 0;
    }
    enum nkv_status status = make_call(client, device->call, &sum);
    /* A failure says why; a success says nothing. */
    if ((status == NKV_OK) != (nkv_client_error(client)[0] == '\0'))
        abort();
    nkv_client_free(&client);
    free(device);
    return 0;
}
