#include <norkv/server.h>

#include "frame_writer.h"
#include "service.h"
#include "session.h"

#include <string.h>

enum {
    /* What is taken in one poll, so that a chattering line leaves time for
     * what runs. */
    POLL_SIZE = 1024,
    /* Silence after which the rest of a frame is no longer awaited. */
    QUIET_MS = 100,
    /* Silence after which the client of a Restore counts as gone. */
    RESTORE_EXPIRE_MS = 30000,
    /* How long the line is kept clear of idle work for its next chunk. */
    RESTORE_ATTENTION_MS = 1000
};

static bool is_set_up(const struct nkv_server_config *config)
{
    return config->stream.read != NULL && config->stream.write != NULL &&
           config->now_ms != NULL && config->services != NULL;
}

static bool is_store_complete(const struct nkv_server_store *store)
{
    return store->store != NULL && store->config != NULL &&
           store->config->flash != NULL &&
           (store->fault == NKV_FAULT_NONE || store->mount_status != NKV_OK);
}

static bool are_stores_complete(const struct nkv_server_config *config)
{
    if (config->stores == NULL || config->store_count == 0 ||
        config->store_count > NKV_SERVER_STORES_MAX) {
        return false;
    }
    for (size_t i = 0; i < config->store_count; i++) {
        if (!is_store_complete(&config->stores[i])) {
            return false;
        }
    }
    return true;
}

static bool is_memory_enough(const struct nkv_server_memory *memory)
{
    return memory->receive.data != NULL && memory->transmit.data != NULL &&
           memory->receive.capacity >= NKV_SERVER_FRAME_MIN &&
           memory->receive.capacity <= UINT32_MAX &&
           memory->transmit.capacity >= NKV_SERVER_PACKET_MIN &&
           memory->calls != NULL && memory->work != NULL &&
           memory->call_count >= 2 && memory->call_count <= 16 &&
           memory->clients != NULL && memory->client_count >= 2 &&
           memory->answers != NULL && memory->answers_per_client >= 1;
}

/* The dispatcher's sink. */
static enum nkv_status send_packet(void *context, struct nkv_span packet)
{
    struct nkv_server *server = context;
    enum nkv_status status =
        nkv_write_frame(&server->config->stream, NKV_HDLC_ADDRESS_RPC, packet);

    if (status == NKV_OK) {
        server->counters.frames_sent++;
    }
    return status;
}

static enum nkv_status init_rpc(struct nkv_server *server)
{
    const struct nkv_server_config *config = server->config;

    server->rpc_config = (struct nkv_rpc_config){
        .services = config->services->list,
        .service_count = config->services->count,
        .channel_id = config->channel_id == 0 ? 1 : config->channel_id,
        .calls = config->memory.calls,
        .call_count = config->memory.call_count,
        .packet = config->memory.transmit,
        .sink = send_packet,
        .sink_context = server,
        .context = server,
    };
    return nkv_rpc_init(&server->rpc, &server->rpc_config);
}

enum nkv_status nkv_server_init(struct nkv_server *server,
                                const struct nkv_server_config *config)
{
    enum nkv_status status;

    if (!is_set_up(config) || !are_stores_complete(config) ||
        !is_memory_enough(&config->memory)) {
        return NKV_INVALID_ARGUMENT;
    }
    *server = (struct nkv_server){.config = config};
    status = init_rpc(server);
    if (status != NKV_OK) {
        return status;
    }
    nkv_rpc_set_packet_limit(&server->rpc, NKV_SERVER_PACKET_DEFAULT);
    if (!nkv_open_fits(server)) {
        return NKV_INVALID_ARGUMENT;
    }
    nkv_hdlc_decoder_init(&server->decoder, config->memory.receive);
    nkv_session_reset(server);
    server->start_ms = nkv_server_now_ms(server);
    server->received_ms = server->start_ms;
    return NKV_OK;
}

static void take_frame(struct nkv_server *server,
                       const struct nkv_hdlc_frame *frame)
{
    server->counters.frames_received++;
    if (frame->address != NKV_HDLC_ADDRESS_RPC) {
        server->counters.stray_frames++;
    } else if (nkv_rpc_process(&server->rpc, frame->payload) != NKV_OK) {
        server->counters.bad_packets++;
    }
}

static void take_byte(struct nkv_server *server, uint8_t byte)
{
    struct nkv_hdlc_frame frame;

    switch (nkv_hdlc_decode(&server->decoder, byte, &frame)) {
    case NKV_OK:
        take_frame(server, &frame);
        break;
    case NKV_DATA_LOSS:
        server->counters.bad_frames++;
        break;
    case NKV_RESOURCE_EXHAUSTED:
        server->counters.oversize_frames++;
        break;
    default:
        break;
    }
    server->in_frame = byte != NKV_HDLC_FLAG;
}

/* Sees to it that there is input; false: nothing more has arrived. */
static bool has_input(struct nkv_server *server)
{
    const struct nkv_byte_stream *stream = &server->config->stream;

    if (server->input_taken == server->input_size) {
        server->input_taken = 0;
        server->input_size = (uint8_t)stream->read(
            stream->context, server->input, sizeof server->input);
    }
    return server->input_taken < server->input_size;
}

/* Takes what arrived; returns whether there was anything. */
static bool receive(struct nkv_server *server)
{
    size_t total = 0;

    while (!server->keeps_frame && total < POLL_SIZE && has_input(server)) {
        take_byte(server, server->input[server->input_taken++]);
        total++;
    }
    if (total > 0) {
        server->received_ms = nkv_server_now_ms(server);
    }
    return total > 0;
}

/* Idle work may stop the processor; it must not fall into a frame. */
static bool is_line_quiet(const struct nkv_server *server)
{
    const struct nkv_byte_stream *stream = &server->config->stream;

    if (stream->is_quiet != NULL && !stream->is_quiet(stream->context)) {
        return false;
    }
    return !server->in_frame ||
           nkv_server_now_ms(server) - server->received_ms >= QUIET_MS;
}

/* One step of a store. The engine refuses those of a store that was mounted
 * when it could not read the flash anew: it is mounted again, once, and if it
 * cannot be, that is its fault from then on. */
static bool step_store(struct nkv_server_store *store)
{
    bool more = false;

    if (nkv_step(store->store, &more) == NKV_FAILED_PRECONDITION &&
        store->mount_status == NKV_OK) {
        nkv_server_mount(store);
    }
    return more;
}

static bool idle(struct nkv_server *server)
{
    bool any = false;

    for (size_t i = 0; i < server->config->store_count; i++) {
        any = step_store(&server->config->stores[i]) || any;
    }
    return any;
}

/* Ends a Restore that was silent for too long. True: one is under way, and its
 * next chunk may come any time. */
static bool awaits_restore(const struct nkv_server *server)
{
    uint32_t silence_ms = nkv_server_now_ms(server) - server->restore.heard_ms;

    if (server->restore.call != NULL && silence_ms >= RESTORE_EXPIRE_MS) {
        server->restore.end(server->restore.call, NKV_DEADLINE_EXCEEDED);
    }
    return server->restore.call != NULL && silence_ms < RESTORE_ATTENTION_MS;
}

bool nkv_server_poll(struct nkv_server *server)
{
    bool received;
    bool was_running;

    server->poll_ms = nkv_server_now_ms(server);
    received = receive(server);
    was_running = nkv_rpc_is_running(&server->rpc);
    (void)nkv_rpc_step(&server->rpc);
    if (received || was_running) {
        return true;
    }
    return !awaits_restore(server) && is_line_quiet(server) && idle(server);
}

enum nkv_status nkv_server_log(struct nkv_server *server, const char *text)
{
    enum nkv_status status = nkv_write_frame(
        &server->config->stream, NKV_HDLC_ADDRESS_LOG, nkv_text_span(text));

    if (status == NKV_OK) {
        server->counters.frames_sent++;
    }
    return status;
}

void nkv_server_disconnect(struct nkv_server *server)
{
    nkv_rpc_cancel_all(&server->rpc);
    nkv_rpc_set_packet_limit(&server->rpc, NKV_SERVER_PACKET_DEFAULT);
    nkv_hdlc_decoder_init(&server->decoder, server->config->memory.receive);
    server->in_frame = false;
    server->input_size = 0;
    server->input_taken = 0;
}

void nkv_server_count_overruns(struct nkv_server *server, uint32_t count)
{
    server->counters.overruns += count;
}

const struct nkv_line_counters *
nkv_server_line_counters(const struct nkv_server *server)
{
    return &server->counters;
}
