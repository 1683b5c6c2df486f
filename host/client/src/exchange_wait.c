/* Calls that wait: an exchange from its first sending to its end. */
#include "exchange.h"

#include "internal.h"
#include <stdlib.h>

enum nkv_status nkv_host_fail_step(struct nkv_client *client,
                                   enum nkv_step step)
{
    if (step == NKV_STEP_DEAD)
        return nkv_host_fail_dead(client);
    if (step == NKV_STEP_NO_MEMORY)
        return nkv_host_no_memory(client);
    return nkv_host_fail_silent(client);
}

enum nkv_status nkv_host_pause(struct nkv_client *client, unsigned count)
{
    uint64_t until = nkv_link_now(&client->link) + nkv_host_pause_ms(count);
    enum nkv_status status = NKV_OK;
    while (status == NKV_OK && nkv_link_now(&client->link) < until)
        status = nkv_host_wait(client, until);
    return status;
}

/*
 * Sends the request, waiting for the line and for room in the device's window,
 * and sets resend_at: the time that the frame, what is unanswered before it,
 * and the answer need, doubled with each attempt. Failures have set the
 * client's error.
 */
static enum nkv_status send_request(struct nkv_client *client,
                                    struct nkv_exchange *exchange)
{
    enum nkv_step step = nkv_exchange_try_send(client, exchange);
    enum nkv_status status = NKV_OK;
    while (status == NKV_OK && step == NKV_STEP_WAITS) {
        status = nkv_host_wait(client, UINT64_MAX);
        step = nkv_exchange_try_send(client, exchange);
    }
    if (status == NKV_OK && step != NKV_STEP_DONE)
        status = nkv_host_fail_step(client, step);
    while (status == NKV_OK &&
           nkv_link_is_sending(&client->link, exchange->call_id)) {
        status = nkv_host_wait(client, UINT64_MAX);
        exchange->resend_at = nkv_link_now(&client->link) + exchange->timer_ms;
    }
    return status;
}

enum nkv_status nkv_exchange_send_message(struct nkv_client *client,
                                          const struct nkv_exchange *exchange,
                                          struct nkv_span message)
{
    struct nkv_packet packet = nkv_exchange_packet(exchange);
    packet.type = NKV_PACKET_CLIENT_STREAM;
    packet.payload = message;
    enum nkv_status status =
        nkv_link_send(&client->link, &packet, client->deadline_at);
    if (status == NKV_UNAVAILABLE)
        return nkv_host_fail_dead(client);
    if (status == NKV_DEADLINE_EXCEEDED)
        return nkv_host_fail_late(client);
    return status == NKV_OK ? NKV_OK : nkv_host_no_memory(client);
}

enum nkv_status nkv_exchange_run_stream(struct nkv_client *client,
                                        struct nkv_exchange *exchange)
{
    enum nkv_status status = NKV_OK;
    if (!exchange->done && !exchange->stop)
        status = send_request(client, exchange);
    while (status == NKV_OK && !exchange->done && !exchange->stop &&
           nkv_link_now(&client->link) < exchange->resend_at)
        status = nkv_host_wait(client, exchange->resend_at);
    return status;
}

/* Whether something is to be looked at before the request goes out again, and
 * what came of it. The answer may come meanwhile. */
static enum nkv_status look_before_repeat(struct nkv_client *client,
                                          struct nkv_exchange *exchange)
{
    if (exchange->before_repeat == NULL || exchange->attempts == 0 ||
        exchange->done || nkv_link_now(&client->link) < exchange->resend_at ||
        nkv_exchange_is_hopeless(client, exchange) ||
        nkv_link_is_sending(&client->link, exchange->call_id))
        return NKV_OK;
    enum nkv_status status =
        exchange->before_repeat(exchange->context, &exchange->stop);
    /* Answers to others have given it more time meanwhile. */
    exchange->resend_at = nkv_link_now(&client->link);
    return status;
}

enum nkv_status nkv_exchange_run(struct nkv_client *client,
                                 struct nkv_exchange *exchange)
{
    enum nkv_status status = NKV_OK;
    enum nkv_step step = NKV_STEP_WAITS;
    while (status == NKV_OK && step == NKV_STEP_WAITS) {
        status = look_before_repeat(client, exchange);
        if (status == NKV_OK)
            step = nkv_exchange_step(client, exchange);
        if (status == NKV_OK && step == NKV_STEP_WAITS)
            status = nkv_host_wait(client, nkv_exchange_due(client, exchange));
    }
    if (status == NKV_OK && step != NKV_STEP_DONE)
        status = nkv_host_fail_step(client, step);
    if (status == NKV_DEADLINE_EXCEEDED && exchange->busy_count > 0)
        status = nkv_host_fail_busy(client);
    return status;
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

void nkv_exchange_linger(struct nkv_client *client,
                         const struct nkv_exchange *exchange)
{
    uint64_t until = nkv_link_now(&client->link) + client->latency_ms;
    if (until > client->deadline_at)
        until = client->deadline_at;
    enum nkv_status status = NKV_OK;
    while (status == NKV_OK && !exchange->done &&
           nkv_link_now(&client->link) < until)
        status = nkv_link_poll(&client->link, until);
}
