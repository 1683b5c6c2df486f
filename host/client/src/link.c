#include "link.h"

#include "trace.h"
#include "transport.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void remark(struct nkv_link *link, bool is_log, struct nkv_span text)
{
    struct nkv_client_remark remark = {
        .is_log = is_log,
        .time_ms = nkv_link_now(link) - link->start_ms,
        .text = text,
    };
    link->remarks++;
    if (link->remark != NULL)
        link->remark(link->remark_context, &remark);
}

static void take_line(void *context, struct nkv_span line)
{
    remark(context, false, line);
}

void nkv_link_init(struct nkv_link *link,
                   const struct nkv_client_transport *transport,
                   uint32_t channel_id)
{
    link->transport = *transport;
    if (link->transport.now_ms == NULL)
        link->transport.now_ms = nkv_clock_ms;
    link->channel_id = channel_id;
    link->prose.line = take_line;
    link->prose.context = link;
    link->start_ms = nkv_link_now(link);
    struct nkv_buffer content = {link->content, sizeof(link->content)};
    nkv_hdlc_decoder_init(&link->decoder, content);
}

void nkv_link_close(struct nkv_link *link)
{
    if (link->transport.close != NULL)
        link->transport.close(link->transport.context);
    link->transport.close = NULL;
    free(link->out);
    link->out = NULL;
}

uint64_t nkv_link_now(const struct nkv_link *link)
{
    return link->transport.now_ms(link->transport.context);
}

static uint32_t time_until(const struct nkv_link *link, uint64_t until_ms)
{
    return nkv_ms_left(nkv_link_now(link), until_ms);
}

static void show(struct nkv_link *link, bool sent, struct nkv_span bytes,
                 const struct nkv_text *meaning)
{
    struct nkv_client_trace trace = {
        .sent = sent,
        .time_ms = nkv_link_now(link) - link->start_ms,
        .bytes = bytes,
        .meaning = meaning->text,
    };
    link->trace(link->trace_context, &trace);
}

/* ---- Receiving -------------------------------------------------------- */

static void show_received(struct nkv_link *link, const struct nkv_text *meaning)
{
    struct nkv_span bytes = {link->raw, link->raw_size};
    show(link, false, bytes, meaning);
    link->raw_size = 0;
}

void nkv_link_flush_trace(struct nkv_link *link)
{
    if (link->trace == NULL || link->raw_size == 0)
        return;
    struct nkv_text meaning = {0};
    nkv_text_add(&meaning, "no frame");
    show_received(link, &meaning);
}

static void take_frame(struct nkv_link *link,
                       const struct nkv_hdlc_frame *frame)
{
    struct nkv_packet packet;
    link->counters.frames_received++;
    nkv_prose_drop(&link->prose);
    bool is_rpc = frame->address == NKV_HDLC_ADDRESS_RPC &&
                  nkv_packet_decode(frame->payload, &packet) == NKV_OK;
    if (link->trace != NULL) {
        struct nkv_text meaning = {0};
        nkv_trace_frame(frame->address, frame->payload, &meaning);
        show_received(link, &meaning);
    }
    if (!is_rpc) {
        link->heard.others++;
        if (frame->address == NKV_HDLC_ADDRESS_LOG)
            remark(link, true, frame->payload);
        return;
    }
    link->heard.packets++;
    /* Even types go to the server. */
    link->heard.echoes += packet.type % 2 == 0;
    link->receive(link->receive_context, &packet);
}

static void take_bad_frame(struct nkv_link *link, enum nkv_status status)
{
    link->counters.bad_frames++;
    link->heard.bad++;
    if (link->trace == NULL)
        return;
    struct nkv_text meaning = {0};
    nkv_text_add(&meaning, status == NKV_RESOURCE_EXHAUSTED
                               ? "a frame that is too large"
                               : "no frame, or a damaged one");
    show_received(link, &meaning);
}

static void keep_raw(struct nkv_link *link, uint8_t byte)
{
    if (link->raw_size == sizeof(link->raw))
        nkv_link_flush_trace(link);
    link->raw[link->raw_size++] = byte;
}

static void take_byte(struct nkv_link *link, uint8_t byte)
{
    if (link->heard.bytes < sizeof(link->greeting))
        link->greeting[link->heard.bytes] = byte;
    link->counters.bytes_received++;
    nkv_heard_byte(&link->heard, byte);
    if (byte != NKV_HDLC_FLAG)
        nkv_prose_add(&link->prose, byte);
    if (link->trace != NULL)
        keep_raw(link, byte);
    struct nkv_hdlc_frame frame;
    enum nkv_status status = nkv_hdlc_decode(&link->decoder, byte, &frame);
    if (status == NKV_OK)
        take_frame(link, &frame);
    else if (status != NKV_UNAVAILABLE)
        take_bad_frame(link, status);
    if (byte == NKV_HDLC_FLAG)
        nkv_prose_end(&link->prose);
}

static enum nkv_status die(struct nkv_link *link)
{
    link->dead = true;
    link->error = errno;
    nkv_link_flush_trace(link);
    return NKV_UNAVAILABLE;
}

enum nkv_status nkv_link_poll(struct nkv_link *link, uint64_t until_ms)
{
    uint8_t bytes[1024];
    struct nkv_buffer room = {bytes, sizeof(bytes)};
    size_t size = 0;
    if (link->dead)
        return NKV_UNAVAILABLE;
    errno = 0;
    enum nkv_status status = link->transport.read(
        link->transport.context, room, time_until(link, until_ms), &size);
    if (status == NKV_DEADLINE_EXCEEDED)
        return NKV_OK;
    if (status != NKV_OK || size > sizeof(bytes))
        return die(link);
    for (size_t i = 0; i < size; i++)
        take_byte(link, bytes[i]);
    return NKV_OK;
}

/* ---- Sending ---------------------------------------------------------- */

/* A frame under construction; its room suffices by nkv_hdlc_encoded_size_max.
 */
struct frame {
    uint8_t *data;
    size_t capacity;
    size_t size;
};

static enum nkv_status add_to_frame(void *context, const uint8_t *data,
                                    size_t size)
{
    struct frame *frame = context;
    if (size > frame->capacity - frame->size)
        return NKV_RESOURCE_EXHAUSTED;
    if (size > 0)
        memcpy(frame->data + frame->size, data, size);
    frame->size += size;
    return NKV_OK;
}

/* Allocates frame->data and fills it. */
static enum nkv_status make_frame(const struct nkv_packet *packet,
                                  struct frame *frame)
{
    size_t packet_max = packet->payload.size + NKV_PACKET_OVERHEAD_MAX;
    frame->size = 0;
    frame->capacity = nkv_hdlc_encoded_size_max(packet_max);
    uint8_t *bytes = malloc(packet_max);
    frame->data = malloc(frame->capacity);
    struct nkv_buffer room = {bytes, packet_max};
    struct nkv_hdlc_sink sink = {add_to_frame, frame};
    size_t size = 0;
    enum nkv_status status = NKV_INTERNAL;
    if (bytes != NULL && frame->data != NULL)
        status = nkv_packet_encode(packet, room, &size);
    if (status == NKV_OK) {
        struct nkv_span payload = {bytes, size};
        status = nkv_hdlc_encode(&sink, NKV_HDLC_ADDRESS_RPC, payload);
    }
    free(bytes);
    return status;
}

/* What the other end said before it hung up is still there to be read. */
static enum nkv_status die_writing(struct nkv_link *link)
{
    enum { READS_MAX = 64 };
    int error = errno;
    for (int i = 0; i < READS_MAX && !link->dead; i++) {
        uint64_t bytes = link->heard.bytes;
        if (nkv_link_poll(link, nkv_link_now(link)) != NKV_OK ||
            link->heard.bytes == bytes)
            break;
    }
    errno = error;
    return die(link);
}

bool nkv_link_is_ready(const struct nkv_link *link)
{
    return link->out == NULL;
}

bool nkv_link_is_sending(const struct nkv_link *link, uint32_t call_id)
{
    return link->out != NULL && link->out_call_id == call_id;
}

size_t nkv_link_content_size(const struct nkv_packet *packet)
{
    uint8_t head[NKV_PACKET_OVERHEAD_MAX];
    struct nkv_buffer room = {head, sizeof(head)};
    size_t size = 0;
    if (nkv_packet_encode_head(packet, room, &size) != NKV_OK)
        size = sizeof(head);
    return nkv_hdlc_content_size(NKV_HDLC_ADDRESS_RPC,
                                 size + packet->payload.size);
}

size_t nkv_link_wire_size(const struct nkv_packet *packet)
{
    enum { FLAGS = 2 };
    size_t size = nkv_link_content_size(packet) + FLAGS;
    for (size_t i = 0; i < packet->payload.size; i++) {
        uint8_t byte = packet->payload.data[i];
        size += byte == NKV_HDLC_FLAG || byte == NKV_HDLC_ESCAPE;
    }
    return size;
}

static void finish_frame(struct nkv_link *link)
{
    free(link->out);
    link->out = NULL;
}

void nkv_link_drop(struct nkv_link *link, uint32_t call_id)
{
    if (link->out != NULL && link->out_call_id == call_id)
        finish_frame(link);
}

enum nkv_status nkv_link_flush(struct nkv_link *link, uint64_t until_ms)
{
    if (link->dead)
        return NKV_UNAVAILABLE;
    while (link->out != NULL) {
        size_t size = 0;
        struct nkv_span rest = {link->out + link->out_sent,
                                link->out_size - link->out_sent};
        errno = 0;
        enum nkv_status status = link->transport.write(
            link->transport.context, rest, time_until(link, until_ms), &size);
        if (status == NKV_DEADLINE_EXCEEDED)
            return NKV_OK;
        if (status != NKV_OK || size == 0 || size > rest.size)
            return die_writing(link);
        link->counters.bytes_sent += size;
        link->out_sent += size;
        if (link->out_sent == link->out_size) {
            link->counters.frames_sent++;
            finish_frame(link);
        }
        /* A transport that takes a little at a time has its time limit, too. */
        if (link->out != NULL && nkv_link_now(link) >= until_ms)
            return NKV_OK;
    }
    return NKV_OK;
}

enum nkv_status nkv_link_start(struct nkv_link *link,
                               const struct nkv_packet *packet)
{
    if (link->dead)
        return NKV_UNAVAILABLE;
    struct frame frame = {0};
    enum nkv_status status = make_frame(packet, &frame);
    if (status != NKV_OK) {
        free(frame.data);
        return status;
    }
    if (link->trace != NULL) {
        struct nkv_text meaning = {0};
        struct nkv_span bytes = {frame.data, frame.size};
        nkv_trace_packet(packet, &meaning);
        show(link, true, bytes, &meaning);
    }
    link->out = frame.data;
    link->out_size = frame.size;
    link->out_sent = 0;
    link->out_call_id = packet->call_id;
    return nkv_link_flush(link, nkv_link_now(link));
}

/* Waits until the frame that waits is out; what arrives meanwhile is taken, for
 * the other end may not read before it has written. */
static enum nkv_status drain(struct nkv_link *link, uint64_t until_ms)
{
    enum { TURN_MS = 20 };
    enum nkv_status status = NKV_OK;
    while (status == NKV_OK && link->out != NULL) {
        uint64_t now = nkv_link_now(link);
        if (now >= until_ms)
            return NKV_DEADLINE_EXCEEDED;
        uint64_t turn = until_ms - now < TURN_MS ? until_ms : now + TURN_MS;
        status = nkv_link_flush(link, turn);
        if (status == NKV_OK && link->out != NULL)
            status = nkv_link_poll(link, nkv_link_now(link));
    }
    return status;
}

enum nkv_status nkv_link_send(struct nkv_link *link,
                              const struct nkv_packet *packet,
                              uint64_t until_ms)
{
    if (link->dead)
        return NKV_UNAVAILABLE;
    enum nkv_status status = drain(link, until_ms);
    if (status == NKV_OK)
        status = nkv_link_start(link, packet);
    if (status != NKV_OK)
        return status;
    return drain(link, until_ms);
}
