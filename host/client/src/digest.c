/* Digests: what the records amount to. */
#include "internal.h"

#include <stdlib.h>

struct digesting {
    struct nkv_client *client;
    struct nkv_client_digest *digest;
    const struct nkv_client_progress *progress;
    struct nkv_exchange exchange;
    enum nkv_reason reason;
    bool done;
};

static void take_digest(struct digesting *job,
                        const Norkv__V1__DigestResponse *message)
{
    *job->digest = (struct nkv_client_digest){
        .records = message->records,
        .bytes = message->bytes,
        .digest = message->digest,
        .damaged = message->damaged,
        .changed = message->changed,
    };
    job->reason = nkv_message_reason(&message->base);
    job->done = message->done;
    nkv_host_tell(job->progress, message->records);
}

static void take_message(void *context, struct nkv_span payload)
{
    struct digesting *job = context;
    Norkv__V1__DigestResponse *message =
        norkv__v1__digest_response__unpack(NULL, payload.size, payload.data);
    if (message == NULL)
        return;
    /* Behind the end comes nothing new. */
    if (!job->done)
        take_digest(job, message);
    norkv__v1__digest_response__free_unpacked(message, NULL);
    job->exchange.stop = job->done;
}

/* The call ended without its last message. NKV_OK: that one was lost. */
static enum nkv_status take_end(struct digesting *job)
{
    struct nkv_answer answer;
    enum nkv_status status = NKV_OK;
    nkv_exchange_answer(&job->exchange, &answer);
    answer.reason = job->reason;
    if (answer.status != NKV_OK)
        status = nkv_host_refuse(job->client, &answer);
    nkv_answer_clear(&answer);
    return status;
}

/* One call. The device begins it anew when its request comes again. */
static enum nkv_status run_call(struct digesting *job, struct nkv_span request)
{
    struct nkv_client *client = job->client;
    struct nkv_exchange *exchange = &job->exchange;
    *exchange = (struct nkv_exchange){.message = take_message, .context = job};
    job->reason = NKV_REASON_NONE;
    nkv_exchange_begin(client, exchange, NKV_METHOD_DIGEST, request);
    enum nkv_status status = nkv_exchange_run(client, exchange);
    if (status == NKV_OK && job->done)
        nkv_exchange_linger(client, exchange);
    else if (status == NKV_OK)
        status = take_end(job);
    else if (!client->link.dead)
        nkv_exchange_cancel(client, exchange);
    nkv_exchange_end(client, exchange);
    return status;
}

static enum nkv_status run(struct digesting *job, struct nkv_span prefix)
{
    Norkv__V1__DigestRequest request = NORKV__V1__DIGEST_REQUEST__INIT;
    size_t size;
    request.store = job->client->store;
    request.prefix = nkv_message_bytes(prefix);
    uint8_t *bytes = nkv_message_pack(&request.base, &size);
    if (bytes == NULL)
        return nkv_host_no_memory(job->client);
    enum nkv_status status = NKV_OK;
    for (unsigned i = 0;
         status == NKV_OK && !job->done && i < job->client->attempts; i++)
        status = run_call(job, (struct nkv_span){bytes, size});
    free(bytes);
    if (status == NKV_OK && !job->done)
        return nkv_host_fail(job->client, NKV_DATA_LOSS,
                             "the device ends the call without a digest");
    return status;
}

enum nkv_status nkv_client_digest(struct nkv_client *client,
                                  const struct nkv_call_options *call,
                                  struct nkv_span prefix,
                                  struct nkv_client_digest *digest,
                                  const struct nkv_client_progress *progress)
{
    struct digesting job = {
        .client = client, .digest = digest, .progress = progress};
    *digest = (struct nkv_client_digest){0};
    enum nkv_status status = nkv_host_begin(client, call, "digest", NULL);
    if (status == NKV_OK)
        status = nkv_host_need_session(client, false);
    if (status == NKV_OK)
        status = run(&job, prefix);
    if (status == NKV_OK)
        status = nkv_host_check_mounted(client);
    else
        *digest = (struct nkv_client_digest){0};
    return nkv_host_end(client, status);
}
