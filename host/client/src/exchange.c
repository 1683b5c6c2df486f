#include "exchange.h"

#include "internal.h"
#include <stdlib.h>
#include <string.h>

enum {
    /* Frame and packet around a message. */
    FRAME_OVERHEAD = 28,
    /* Around a frame. */
    FLAGS = 2,
    /* For the two ends' own slowness. */
    MARGIN_MS = 100,
    /* What a device may be deaf for before it has told. */
    STALL_UNKNOWN_MS = 500,
    TIMER_MAX_MS = 60000,
    PATIENCE_MAX = 8,
    BUSY_FIRST_MS = 20,
    BUSY_MAX_MS = 1000
};

/* ---- Times ------------------------------------------------------------ */

static uint64_t line_ms(const struct nkv_client *client, size_t wire_size)
{
    /* 10 bits a byte. */
    return client->baud == 0 ? 0
                             : (uint64_t)wire_size * 10000 / client->baud + 1;
}

/* The most that an answer takes on the wire. */
static size_t answer_wire_size(const struct nkv_client *client,
                               const struct nkv_exchange *exchange)
{
    size_t size = exchange->method->answer_size;
    /* A value may be all escapes. */
    return size != 0 ? size + FLAGS
                     : 2 * ((size_t)client->max_packet + FRAME_OVERHEAD);
}

/* ---- Answers coming in ------------------------------------------------ */

static struct nkv_exchange *find(const struct nkv_client *client,
                                 const struct nkv_packet *packet)
{
    struct nkv_exchange *exchange = client->exchanges;
    while (exchange != NULL &&
           (exchange->call_id != packet->call_id ||
            exchange->method->service_id != packet->service_id ||
            exchange->method->method_id != packet->method_id))
        exchange = exchange->next;
    return exchange;
}

static void take_end(struct nkv_exchange *exchange,
                     const struct nkv_packet *packet)
{
    size_t size = packet->payload.size;
    uint8_t *copy = malloc(size + 1);
    /* Without memory it is as if the answer were lost. */
    if (copy == NULL)
        return;
    if (size > 0)
        memcpy(copy, packet->payload.data, size);
    exchange->done = true;
    exchange->type = packet->type;
    exchange->status = nkv_wire_status(packet->status);
    exchange->payload = copy;
    exchange->payload_size = size;
}

static void take_message(const struct nkv_client *client,
                         struct nkv_exchange *exchange,
                         const struct nkv_packet *packet)
{
    /* A sign of life: the timer starts again. */
    exchange->attempts = 1;
    exchange->resend_at = nkv_link_now(&client->link) + exchange->extra_ms +
                          line_ms(client, answer_wire_size(client, exchange)) +
                          2 * (uint64_t)client->latency_ms + MARGIN_MS +
                          client->session.device.stall_max_ms +
                          STALL_UNKNOWN_MS;
    if (exchange->message != NULL && !exchange->stop)
        exchange->message(exchange->context, packet->payload);
}

/* A second answer to a call says that its request was repeated too early. That
 * is told once to all calls that were under way then. */
static void grow_patience(struct nkv_client *client, uint32_t call_id)
{
    uint32_t newer =
        (call_id - client->patience_call_id) % (NKV_CLIENT_CALL_ID_MAX + 1);
    if (newer == 0 || newer > NKV_CLIENT_CALL_ID_MAX / 2)
        return;
    client->patience_call_id = client->call_id;
    if (client->patience < PATIENCE_MAX)
        client->patience *= 2;
}

static void take_late(struct nkv_client *client,
                      const struct nkv_packet *packet)
{
    client->link.counters.late_answers++;
    if (packet->type == NKV_PACKET_RESPONSE)
        grow_patience(client, packet->call_id);
    if (packet->type != NKV_PACKET_SERVER_STREAM)
        return;
    client->stray = (struct nkv_stray){
        .seen = true,
        .service_id = packet->service_id,
        .method_id = packet->method_id,
        .call_id = packet->call_id,
    };
}

/* The device is at work on what it was sent, in that order: those behind are
 * given the time anew. Answers are no more than requests, so this ends. */
static void restart_timers(struct nkv_client *client)
{
    uint64_t now = nkv_link_now(&client->link);
    for (struct nkv_exchange *exchange = client->exchanges; exchange != NULL;
         exchange = exchange->next) {
        uint64_t later = now + exchange->timer_ms;
        if (exchange->attempts > 0 && exchange->resend_at < later)
            exchange->resend_at = later;
    }
}

void nkv_host_receive(void *context, const struct nkv_packet *packet)
{
    struct nkv_client *client = context;
    struct nkv_exchange *exchange = find(client, packet);
    if (packet->type == NKV_PACKET_RESPONSE)
        restart_timers(client);
    if (exchange == NULL || exchange->done) {
        take_late(client, packet);
        return;
    }
    if (packet->type == NKV_PACKET_SERVER_STREAM)
        take_message(client, exchange, packet);
    else if (packet->type == NKV_PACKET_RESPONSE ||
             packet->type == NKV_PACKET_SERVER_ERROR)
        take_end(exchange, packet);
}

/* ---- Requests going out ----------------------------------------------- */

void nkv_exchange_begin(struct nkv_client *client,
                        struct nkv_exchange *exchange,
                        enum nkv_method_number method, struct nkv_span request)
{
    client->call_id = client->call_id % NKV_CLIENT_CALL_ID_MAX + 1;
    exchange->call_id = client->call_id;
    exchange->method = nkv_method(method);
    exchange->request = request;
    exchange->next = client->exchanges;
    client->exchanges = exchange;
}

static void forget_answer(struct nkv_exchange *exchange)
{
    free(exchange->payload);
    exchange->payload = NULL;
    exchange->payload_size = 0;
    exchange->done = false;
}

void nkv_exchange_end(struct nkv_client *client, struct nkv_exchange *exchange)
{
    struct nkv_exchange **link = &client->exchanges;
    while (*link != NULL && *link != exchange)
        link = &(*link)->next;
    if (*link != NULL)
        *link = exchange->next;
    forget_answer(exchange);
}

static struct nkv_packet packet_of(const struct nkv_client *client,
                                   const struct nkv_exchange *exchange)
{
    return (struct nkv_packet){
        .type = NKV_PACKET_REQUEST,
        .channel_id = client->link.channel_id,
        .service_id = exchange->method->service_id,
        .method_id = exchange->method->method_id,
        .call_id = exchange->call_id,
        .payload = exchange->request,
    };
}

static size_t content_size(const struct nkv_packet *packet)
{
    uint8_t head[NKV_PACKET_OVERHEAD_MAX];
    struct nkv_buffer room = {head, sizeof(head)};
    size_t size = 0;
    if (nkv_packet_encode_head(packet, room, &size) != NKV_OK)
        size = sizeof(head);
    return nkv_hdlc_content_size(NKV_HDLC_ADDRESS_RPC,
                                 size + packet->payload.size);
}

size_t nkv_exchange_size(const struct nkv_client *client,
                         const struct nkv_exchange *exchange)
{
    struct nkv_packet packet = packet_of(client, exchange);
    return content_size(&packet);
}

size_t nkv_exchange_message_size(const struct nkv_client *client,
                                 const struct nkv_exchange *exchange,
                                 size_t size)
{
    struct nkv_packet packet = packet_of(client, exchange);
    packet.type = NKV_PACKET_CLIENT_STREAM;
    packet.payload = (struct nkv_span){NULL, size};
    return content_size(&packet);
}

size_t nkv_exchange_wire_size(const struct nkv_client *client,
                              const struct nkv_exchange *exchange)
{
    size_t size = nkv_exchange_size(client, exchange) + FLAGS;
    for (size_t i = 0; i < exchange->request.size; i++) {
        uint8_t byte = exchange->request.data[i];
        size += byte == 0x7e || byte == 0x7d;
    }
    return size;
}

static uint64_t timer_ms(const struct nkv_client *client,
                         const struct nkv_exchange *exchange, size_t ahead)
{
    const struct nkv_host_session *session = &client->session;
    uint64_t time =
        line_ms(client, nkv_exchange_wire_size(client, exchange) + ahead +
                            answer_wire_size(client, exchange)) +
        2 * (uint64_t)client->latency_ms + MARGIN_MS + exchange->extra_ms;
    time += session->open ? session->device.stall_max_ms : STALL_UNKNOWN_MS;
    uint64_t most = time > TIMER_MAX_MS ? time : TIMER_MAX_MS;
    unsigned doublings = exchange->attempts > 16 ? 16 : exchange->attempts;
    time = (time * client->patience) << doublings;
    return time > most ? most : time;
}

/* Stops a stream that an earlier call, or an earlier client, left running. */
static enum nkv_status stop_stray(struct nkv_client *client)
{
    struct nkv_packet packet = {
        .type = NKV_PACKET_CLIENT_ERROR,
        .channel_id = client->link.channel_id,
        .service_id = client->stray.service_id,
        .method_id = client->stray.method_id,
        .call_id = client->stray.call_id,
        .status = NKV_FAILED_PRECONDITION,
    };
    if (!client->stray.seen)
        return NKV_OK;
    client->stray.seen = false;
    return nkv_link_send(&client->link, &packet, client->deadline_at);
}

static enum nkv_status fail_to_send(struct nkv_client *client, uint64_t sent)
{
    if (sent == 0)
        return nkv_host_fail(client, NKV_DEADLINE_EXCEEDED,
                             "the port takes no bytes (flow control, or nobody "
                             "reads at the other end)");
    return nkv_host_fail(client, NKV_DEADLINE_EXCEEDED,
                         "the line took only %llu bytes of the request in time "
                         "(give it more, or a faster line)",
                         (unsigned long long)sent);
}

static enum nkv_status send_packet(struct nkv_client *client,
                                   const struct nkv_packet *packet)
{
    uint64_t sent = client->link.counters.bytes_sent;
    enum nkv_status status = stop_stray(client);
    if (status == NKV_OK)
        status = nkv_link_send(&client->link, packet, client->deadline_at);
    if (status == NKV_UNAVAILABLE)
        return nkv_host_fail_dead(client);
    if (status == NKV_DEADLINE_EXCEEDED)
        return fail_to_send(client, client->link.counters.bytes_sent - sent);
    return status == NKV_OK ? NKV_OK : nkv_host_no_memory(client);
}

enum nkv_status nkv_exchange_send_message(struct nkv_client *client,
                                          const struct nkv_exchange *exchange,
                                          struct nkv_span message)
{
    struct nkv_packet packet = packet_of(client, exchange);
    packet.type = NKV_PACKET_CLIENT_STREAM;
    packet.payload = message;
    return send_packet(client, &packet);
}

enum nkv_status nkv_exchange_send(struct nkv_client *client,
                                  struct nkv_exchange *exchange, size_t ahead)
{
    struct nkv_packet packet = packet_of(client, exchange);
    if (exchange->sent)
        client->link.counters.retries++;
    exchange->sent = true;
    enum nkv_status status = send_packet(client, &packet);
    if (status != NKV_OK)
        return status;
    exchange->timer_ms = timer_ms(client, exchange, ahead);
    exchange->resend_at = nkv_link_now(&client->link) + exchange->timer_ms;
    exchange->attempts++;
    return NKV_OK;
}

bool nkv_exchange_is_hopeless(const struct nkv_client *client,
                              const struct nkv_exchange *exchange)
{
    return exchange->attempts >= client->attempts &&
           nkv_link_now(&client->link) >= exchange->resend_at;
}

void nkv_exchange_revive(struct nkv_exchange *exchange, uint64_t resend_at)
{
    forget_answer(exchange);
    exchange->attempts = 0;
    exchange->resend_at = resend_at;
}

void nkv_exchange_defer(const struct nkv_client *client,
                        struct nkv_exchange *exchange, unsigned busy_count)
{
    uint32_t pause = (uint32_t)BUSY_FIRST_MS
                     << (busy_count > 6 ? 6 : busy_count);
    uint64_t now = nkv_link_now(&client->link);
    nkv_exchange_revive(exchange,
                        now + (pause > BUSY_MAX_MS ? BUSY_MAX_MS : pause));
}

void nkv_exchange_linger(struct nkv_client *client,
                         const struct nkv_exchange *exchange)
{
    uint64_t until = nkv_link_now(&client->link) + client->latency_ms;
    enum nkv_status status = NKV_OK;
    while (status == NKV_OK && !exchange->done &&
           nkv_link_now(&client->link) < until)
        status = nkv_link_poll(&client->link, until);
}

void nkv_exchange_cancel(struct nkv_client *client,
                         const struct nkv_exchange *exchange)
{
    struct nkv_packet packet = packet_of(client, exchange);
    packet.type = NKV_PACKET_CLIENT_ERROR;
    packet.status = NKV_CANCELLED;
    packet.payload = (struct nkv_span){NULL, 0};
    enum { PATIENCE_MS = 200 };
    uint64_t until = nkv_link_now(&client->link) + PATIENCE_MS;
    enum nkv_status status = nkv_link_send(&client->link, &packet, until);
    /* It stops when it gets no reader, too. */
    (void)status;
}

/* ---- Whole calls ------------------------------------------------------ */

/* Sends, and waits until there is an answer or the timer has run out. */
static enum nkv_status take_turn(struct nkv_client *client,
                                 struct nkv_exchange *exchange)
{
    enum nkv_status status = NKV_OK;
    while (status == NKV_OK && exchange->attempts == 0 && !exchange->done &&
           nkv_link_now(&client->link) < exchange->resend_at)
        status = nkv_host_wait(client, exchange->resend_at);
    if (status == NKV_OK && !exchange->done && !exchange->stop)
        status = nkv_exchange_send(client, exchange, 0);
    while (status == NKV_OK && !exchange->done && !exchange->stop &&
           nkv_link_now(&client->link) < exchange->resend_at)
        status = nkv_host_wait(client, exchange->resend_at);
    return status;
}

static bool says_busy(const struct nkv_exchange *exchange)
{
    return exchange->done && exchange->status == NKV_UNAVAILABLE;
}

/* Takes turns until the device is not busy any more. */
static enum nkv_status take_free_turn(struct nkv_client *client,
                                      struct nkv_exchange *exchange,
                                      unsigned *busy_count)
{
    enum nkv_status status = take_turn(client, exchange);
    while (status == NKV_OK && says_busy(exchange)) {
        nkv_exchange_defer(client, exchange, (*busy_count)++);
        status = take_turn(client, exchange);
    }
    if (status == NKV_DEADLINE_EXCEEDED && *busy_count > 0)
        status =
            nkv_host_fail(client, NKV_UNAVAILABLE, "the device stayed busy");
    return status;
}

enum nkv_status nkv_exchange_run_stream(struct nkv_client *client,
                                        struct nkv_exchange *exchange)
{
    return take_turn(client, exchange);
}

static enum nkv_status prepare_repeat(struct nkv_client *client,
                                      struct nkv_exchange *exchange)
{
    enum nkv_status status = NKV_OK;
    if (exchange->before_repeat != NULL)
        status = exchange->before_repeat(exchange->context, &exchange->stop);
    /* The answer has come meanwhile. */
    if (exchange->done)
        return NKV_OK;
    if (status == NKV_OK && exchange->attempts >= 2 &&
        exchange->method->answer_size == 0)
        status = nkv_host_shrink_packets(client);
    return status;
}

enum nkv_status nkv_exchange_run(struct nkv_client *client,
                                 struct nkv_exchange *exchange)
{
    unsigned busy_count = 0;
    enum nkv_status status = NKV_OK;
    while (status == NKV_OK && !exchange->done && !exchange->stop) {
        if (nkv_exchange_is_hopeless(client, exchange))
            return nkv_host_fail_silent(client);
        status = take_free_turn(client, exchange, &busy_count);
        if (status == NKV_OK && !exchange->done && !exchange->stop)
            status = prepare_repeat(client, exchange);
    }
    return status;
}

void nkv_exchange_answer(const struct nkv_exchange *exchange,
                         struct nkv_answer *answer)
{
    *answer = (struct nkv_answer){.status = exchange->status};
    answer->is_server_error = exchange->type == NKV_PACKET_SERVER_ERROR;
    if (answer->is_server_error) {
        if (answer->status == NKV_OK)
            answer->status = NKV_UNKNOWN;
        return;
    }
    answer->message =
        protobuf_c_message_unpack(exchange->method->answer, NULL,
                                  exchange->payload_size, exchange->payload);
    answer->reason = nkv_message_reason(answer->message);
}

void nkv_answer_clear(struct nkv_answer *answer)
{
    if (answer->message != NULL)
        protobuf_c_message_free_unpacked(answer->message, NULL);
    *answer = (struct nkv_answer){0};
}

enum nkv_status nkv_exchange_call(struct nkv_client *client,
                                  enum nkv_method_number method,
                                  const ProtobufCMessage *request,
                                  struct nkv_answer *answer)
{
    *answer = (struct nkv_answer){0};
    size_t size;
    uint8_t *bytes = nkv_message_pack(request, &size);
    if (bytes == NULL)
        return nkv_host_no_memory(client);
    struct nkv_exchange exchange = {0};
    nkv_exchange_begin(client, &exchange, method,
                       (struct nkv_span){bytes, size});
    enum nkv_status status = nkv_exchange_run(client, &exchange);
    if (status == NKV_OK) {
        nkv_exchange_answer(&exchange, answer);
        if (answer->status != NKV_OK || answer->message == NULL)
            status = nkv_host_refuse(client, answer);
    }
    nkv_exchange_end(client, &exchange);
    free(bytes);
    return status;
}
