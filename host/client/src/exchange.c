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
    /* Between two sendings to a device that has never said anything. */
    BOOT_MS = 1000,
    PATIENCE_MAX = 8,
    PAUSE_FIRST_MS = 20,
    PAUSE_MAX_MS = 1000,
    PAUSE_DOUBLINGS_MAX = 6,
    /* Between two stops of streams that nobody waits for. */
    STRAY_PAUSE_MS = 100
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
            exchange->channel_id != packet->channel_id ||
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
    exchange->heard = true;
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

/* Has a CLIENT_ERROR sent for a packet's call as soon as the line has room. */
static void add_farewell(struct nkv_client *client,
                         const struct nkv_packet *packet,
                         enum nkv_status status)
{
    if (client->farewell_count == NKV_FAREWELLS_MAX)
        return;
    for (size_t i = 0; i < client->farewell_count; i++) {
        if (client->farewells[i].call_id == packet->call_id)
            return;
    }
    struct nkv_packet *farewell = &client->farewells[client->farewell_count++];
    *farewell = *packet;
    farewell->type = NKV_PACKET_CLIENT_ERROR;
    farewell->payload = (struct nkv_span){NULL, 0};
    farewell->status = (uint32_t)status;
    client->has_news = true;
}

static void take_late(struct nkv_client *client,
                      const struct nkv_packet *packet)
{
    client->link.counters.late_answers++;
    if (packet->type == NKV_PACKET_RESPONSE)
        grow_patience(client, packet->call_id);
    /* Not each time: a device that answers even this must not keep the line
     * busy with it. */
    uint64_t now = nkv_link_now(&client->link);
    if (packet->type != NKV_PACKET_SERVER_STREAM || now < client->stray_at)
        return;
    client->stray_at = now + STRAY_PAUSE_MS;
    add_farewell(client, packet, NKV_FAILED_PRECONDITION);
}

/* The device is at work on what it was sent, in that order: those behind what
 * it has answered are given the time anew. Those before it are not, or a call
 * whose request was lost would wait for as long as others go on. */
static void restart_timers(struct nkv_client *client,
                           const struct nkv_exchange *answered)
{
    uint64_t now = nkv_link_now(&client->link);
    uint64_t order = answered == NULL ? 0 : answered->order;
    for (struct nkv_exchange *exchange = client->exchanges; exchange != NULL;
         exchange = exchange->next) {
        uint64_t later = now + exchange->timer_ms;
        if (exchange->attempts > 0 && exchange->order > order &&
            exchange->resend_at < later)
            exchange->resend_at = later;
    }
}

void nkv_host_receive(void *context, const struct nkv_packet *packet)
{
    struct nkv_client *client = context;
    struct nkv_exchange *exchange = find(client, packet);
    /* What goes to others on the line. */
    if (exchange == NULL && packet->channel_id != client->link.channel_id)
        return;
    if (packet->type == NKV_PACKET_RESPONSE)
        restart_timers(client, exchange);
    if (exchange == NULL || exchange->done) {
        take_late(client, packet);
        return;
    }
    /* Whoever has read it need not be whom it is for. */
    client->has_news = true;
    client->is_calling_back = true;
    if (packet->type == NKV_PACKET_SERVER_STREAM)
        take_message(client, exchange, packet);
    else if (packet->type == NKV_PACKET_RESPONSE ||
             packet->type == NKV_PACKET_SERVER_ERROR)
        take_end(exchange, packet);
    client->is_calling_back = false;
}

/* ---- Requests going out ----------------------------------------------- */

static bool is_call_id_taken(const struct nkv_client *client, uint32_t call_id)
{
    const struct nkv_exchange *exchange = client->exchanges;
    while (exchange != NULL && exchange->call_id != call_id)
        exchange = exchange->next;
    return exchange != NULL;
}

/* Counts up, so that an id comes again only after all others: answers to its
 * predecessor are long gone. Calls that run for so long keep theirs; they are
 * far fewer than ids. */
static uint32_t new_call_id(struct nkv_client *client)
{
    do {
        client->call_id = client->call_id >= NKV_CLIENT_CALL_ID_MAX
                              ? NKV_CLIENT_CALL_ID_MIN
                              : client->call_id + 1;
    } while (is_call_id_taken(client, client->call_id));
    return client->call_id;
}

bool nkv_exchange_may_begin(const struct nkv_client *client)
{
    return client->exchange_count < NKV_CLIENT_EXCHANGES_MAX;
}

void nkv_exchange_begin_method(struct nkv_client *client,
                               struct nkv_exchange *exchange,
                               const struct nkv_method *method,
                               struct nkv_span request)
{
    if (exchange->channel_id == 0)
        exchange->channel_id = client->link.channel_id;
    exchange->call_id = new_call_id(client);
    exchange->method = method;
    nkv_exchange_set_request(exchange, request);
    exchange->next = client->exchanges;
    client->exchanges = exchange;
    client->exchange_count++;
}

void nkv_exchange_begin(struct nkv_client *client,
                        struct nkv_exchange *exchange,
                        enum nkv_method_number method, struct nkv_span request)
{
    nkv_exchange_begin_method(client, exchange, nkv_method(method), request);
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
    if (*link != NULL) {
        *link = exchange->next;
        /* Somebody may wait for that. */
        client->has_news |= !nkv_exchange_may_begin(client);
        client->exchange_count--;
        nkv_link_drop(&client->link, exchange->call_id);
    }
    nkv_opening_leave(client, &exchange->shrinking);
    forget_answer(exchange);
}

struct nkv_packet nkv_exchange_packet(const struct nkv_exchange *exchange)
{
    return (struct nkv_packet){
        .type = NKV_PACKET_REQUEST,
        .channel_id = exchange->channel_id,
        .service_id = exchange->method->service_id,
        .method_id = exchange->method->method_id,
        .call_id = exchange->call_id,
        .payload = exchange->request,
    };
}

void nkv_exchange_set_request(struct nkv_exchange *exchange,
                              struct nkv_span request)
{
    exchange->request = request;
    struct nkv_packet packet = nkv_exchange_packet(exchange);
    exchange->size = nkv_link_content_size(&packet);
    exchange->wire_size = nkv_link_wire_size(&packet);
}

size_t nkv_exchange_message_size(const struct nkv_exchange *exchange,
                                 size_t size)
{
    struct nkv_packet packet = nkv_exchange_packet(exchange);
    packet.type = NKV_PACKET_CLIENT_STREAM;
    packet.payload = (struct nkv_span){NULL, size};
    return nkv_link_content_size(&packet);
}

/* ---- Requests going out ----------------------------------------------- */

/* A device that takes long to start has not heard what was sent so far: that
 * says nothing of the line, and there may be any number of attempts. */
static bool is_starting(const struct nkv_client *client)
{
    const struct nkv_heard *heard = &client->link.heard;
    return heard->packets == heard->echoes;
}

static uint64_t timer_ms(const struct nkv_client *client,
                         const struct nkv_exchange *exchange)
{
    const struct nkv_host_session *session = &client->session;
    size_t wire_size = exchange->wire_size + nkv_window_wire_size(client) +
                       answer_wire_size(client, exchange);
    uint64_t time = line_ms(client, wire_size) +
                    2 * (uint64_t)client->latency_ms + MARGIN_MS +
                    exchange->extra_ms;
    time += session->open ? session->device.stall_max_ms : STALL_UNKNOWN_MS;
    if (is_starting(client))
        return exchange->attempts > 0 && time < BOOT_MS ? BOOT_MS : time;
    uint64_t most = time > TIMER_MAX_MS ? time : TIMER_MAX_MS;
    unsigned doublings = exchange->attempts > 16 ? 16 : exchange->attempts;
    time = (time * client->patience) << doublings;
    return time > most ? most : time;
}

enum nkv_step nkv_exchange_try_send(struct nkv_client *client,
                                    struct nkv_exchange *exchange)
{
    struct nkv_packet packet = nkv_exchange_packet(exchange);
    if (!nkv_link_is_ready(&client->link) ||
        !nkv_window_takes(client, exchange->size))
        return NKV_STEP_WAITS;
    if (exchange->sent)
        client->link.counters.retries++;
    exchange->sent = true;
    exchange->heard = false;
    exchange->timer_ms = timer_ms(client, exchange);
    enum nkv_status status = nkv_link_start(&client->link, &packet);
    if (status == NKV_UNAVAILABLE)
        return NKV_STEP_DEAD;
    if (status != NKV_OK)
        return NKV_STEP_NO_MEMORY;
    exchange->resend_at = nkv_link_now(&client->link) + exchange->timer_ms;
    exchange->attempts++;
    exchange->order = ++client->sendings;
    return NKV_STEP_DONE;
}

/* Before a large answer is asked for a third time: on a line that damages
 * bytes it may never come through. True: that is being seen to. */
static bool is_shrinking(struct nkv_client *client,
                         struct nkv_exchange *exchange)
{
    if (exchange->shrinking.joined) {
        if (nkv_opening_poll(client, &exchange->shrinking) == NKV_STEP_WAITS)
            return true;
        nkv_opening_leave(client, &exchange->shrinking);
        return false;
    }
    bool is_large =
        exchange->method->answer_size == 0 && exchange->method->answer != NULL;
    return is_large && exchange->attempts >= 2 &&
           nkv_opening_shrink(client, &exchange->shrinking);
}

enum nkv_step nkv_exchange_step(struct nkv_client *client,
                                struct nkv_exchange *exchange)
{
    uint64_t now = nkv_link_now(&client->link);
    if (exchange->done && exchange->status == NKV_UNAVAILABLE &&
        !exchange->once)
        nkv_exchange_defer(client, exchange, exchange->busy_count++);
    if (exchange->done || exchange->stop)
        return NKV_STEP_DONE;
    if (client->link.dead)
        return NKV_STEP_DEAD;
    /* The line is slower than its timer. */
    if (nkv_link_is_sending(&client->link, exchange->call_id))
        exchange->resend_at = now + exchange->timer_ms;
    if (now < exchange->resend_at || (exchange->once && exchange->sent))
        return NKV_STEP_WAITS;
    if (nkv_exchange_is_hopeless(client, exchange))
        return NKV_STEP_SILENT;
    if (is_shrinking(client, exchange))
        return NKV_STEP_WAITS;
    enum nkv_step step = nkv_exchange_try_send(client, exchange);
    return step == NKV_STEP_DONE ? NKV_STEP_WAITS : step;
}

uint64_t nkv_exchange_due(const struct nkv_client *client,
                          const struct nkv_exchange *exchange)
{
    /* What was due at the last turn, and is still, waits for room; what has
     * become due since has not been looked at. */
    bool waits = exchange->resend_at <= client->stepped_at;
    return exchange->done || waits ? UINT64_MAX : exchange->resend_at;
}

bool nkv_exchange_is_hopeless(const struct nkv_client *client,
                              const struct nkv_exchange *exchange)
{
    return !is_starting(client) && exchange->attempts >= client->attempts &&
           nkv_link_now(&client->link) >= exchange->resend_at;
}

void nkv_exchange_revive(struct nkv_exchange *exchange, uint64_t resend_at)
{
    forget_answer(exchange);
    exchange->attempts = 0;
    exchange->resend_at = resend_at;
}

uint32_t nkv_host_pause_ms(unsigned count)
{
    unsigned doublings =
        count > PAUSE_DOUBLINGS_MAX ? PAUSE_DOUBLINGS_MAX : count;
    uint32_t pause = (uint32_t)PAUSE_FIRST_MS << doublings;
    return pause > PAUSE_MAX_MS ? PAUSE_MAX_MS : pause;
}

void nkv_exchange_defer(const struct nkv_client *client,
                        struct nkv_exchange *exchange, unsigned busy_count)
{
    nkv_exchange_revive(exchange, nkv_link_now(&client->link) +
                                      nkv_host_pause_ms(busy_count));
}

void nkv_exchange_cancel(struct nkv_client *client,
                         const struct nkv_exchange *exchange)
{
    struct nkv_packet packet = nkv_exchange_packet(exchange);
    add_farewell(client, &packet, NKV_CANCELLED);
    /* In a callback the link may be in the middle of a packet. */
    if (!client->is_calling_back)
        nkv_host_send_farewells(client);
}

/* ---- Calls that nobody waits for any more ----------------------------- */

void nkv_host_send_farewells(struct nkv_client *client)
{
    while (client->farewell_count > 0 && nkv_link_is_ready(&client->link)) {
        struct nkv_packet packet = client->farewells[0];
        client->farewell_count--;
        memmove(&client->farewells[0], &client->farewells[1],
                client->farewell_count * sizeof(client->farewells[0]));
        /* A stream stops when it gets no reader, too. */
        if (nkv_link_start(&client->link, &packet) != NKV_OK)
            return;
        /* The call's own end does not drop it. */
        client->link.out_call_id = NKV_CALL_ID_NONE;
    }
}

/* ---- Answers taken apart ---------------------------------------------- */

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
