#include "download.h"

#include <stdlib.h>
#include <string.h>

bool nkv_download_has_prefix(struct nkv_span key, struct nkv_span prefix)
{
    return key.size >= prefix.size &&
           (prefix.size == 0 ||
            memcmp(key.data, prefix.data, prefix.size) == 0);
}

/* Whether the chunk with this number is the one to take now. Behind a gap the
 * call ends; one that came before is a double. */
static bool is_next(struct nkv_download *download, uint32_t index)
{
    if (index > download->next_index)
        download->end = NKV_DOWNLOAD_LOST;
    return index == download->next_index;
}

void nkv_download_took(struct nkv_download *download)
{
    download->next_index++;
    download->fruitless = 0;
}

static void take_chunk(void *context, struct nkv_span payload)
{
    struct nkv_download *download = context;
    ProtobufCMessage *chunk = protobuf_c_message_unpack(
        download->exchange.method->answer, NULL, payload.size, payload.data);
    download->silent = 0;
    if (chunk == NULL)
        download->end = NKV_DOWNLOAD_BROKEN;
    /* One with a reason comes before the status that says what failed. */
    else if (nkv_message_reason(chunk) == NKV_REASON_NONE &&
             is_next(download, nkv_message_index(chunk)))
        download->kind->chunk(download, chunk);
    if (chunk != NULL)
        protobuf_c_message_free_unpacked(chunk, NULL);
    download->exchange.stop = download->end != NKV_DOWNLOAD_RUNNING;
}

static bool asks_elsewhere(struct nkv_download *download,
                           const struct nkv_answer *answer)
{
    return download->kind->refused != NULL &&
           download->kind->refused(download, answer);
}

/* The call ended with a status, before the last chunk was here. */
static enum nkv_status take_end(struct nkv_download *download)
{
    struct nkv_answer answer;
    enum nkv_status status = NKV_OK;
    nkv_exchange_answer(&download->exchange, &answer);
    download->silent = 0;
    download->end = NKV_DOWNLOAD_LOST;
    if (answer.status == NKV_UNAVAILABLE) {
        /* Not the same call again: its chunks would be counted from 0, and
         * need not begin where those of this one did. */
        download->end = NKV_DOWNLOAD_BUSY;
    } else if (!asks_elsewhere(download, &answer) && answer.status != NKV_OK) {
        status = nkv_host_refuse(download->client, &answer);
    }
    nkv_answer_clear(&answer);
    return status;
}

/* One call for what is missing; download->end says how it ended. */
static enum nkv_status run_call(struct nkv_download *download)
{
    struct nkv_client *client = download->client;
    struct nkv_exchange *exchange = &download->exchange;
    size_t size;
    uint8_t *request = download->kind->request(download, &size);
    if (request == NULL)
        return nkv_host_no_memory(client);
    *exchange = (struct nkv_exchange){
        .message = take_chunk,
        .context = download,
        /* Patience doubles while nothing comes. */
        .attempts = download->silent - 1,
        .sent = download->begun,
    };
    download->begun = true;
    download->end = NKV_DOWNLOAD_RUNNING;
    download->next_index = 0;
    nkv_exchange_begin(client, exchange, download->kind->method,
                       (struct nkv_span){request, size});
    enum nkv_status status = nkv_exchange_run_stream(client, exchange);
    if (download->end == NKV_DOWNLOAD_COMPLETE)
        nkv_exchange_linger(client, exchange);
    if (status == NKV_OK && exchange->done &&
        download->end == NKV_DOWNLOAD_RUNNING)
        status = take_end(download);
    if (status == NKV_OK && download->end == NKV_DOWNLOAD_RUNNING)
        download->end = NKV_DOWNLOAD_LOST;
    if (!exchange->done && download->end != NKV_DOWNLOAD_COMPLETE &&
        !client->link.dead)
        nkv_exchange_cancel(client, exchange);
    nkv_exchange_end(client, exchange);
    free(request);
    return status;
}

/* A device that has nothing of use to say is not asked without a pause. */
static enum nkv_status pause_before_call(struct nkv_download *download)
{
    unsigned count = download->fruitless;
    /* The first loss is the line's, and silence was a pause already. */
    if (download->silent > 0 ||
        (count < 2 && download->end != NKV_DOWNLOAD_BUSY))
        return NKV_OK;
    return nkv_host_pause(download->client, count);
}

/* What to do once a call has ended: NKV_OK to go on. */
static enum nkv_status judge_call(struct nkv_download *download)
{
    struct nkv_client *client = download->client;
    switch (download->end) {
    case NKV_DOWNLOAD_STOPPED:
        return nkv_host_fail(client, NKV_CANCELLED, "stopped");
    case NKV_DOWNLOAD_BROKEN:
        return nkv_host_fail(client, NKV_DATA_LOSS,
                             "the device sent records that make no sense");
    case NKV_DOWNLOAD_LOST:
        return nkv_host_shrink_packets(client);
    default:
        return NKV_OK;
    }
}

enum nkv_status nkv_download_run(struct nkv_download *download)
{
    struct nkv_client *client = download->client;
    enum nkv_status status = NKV_OK;
    while (status == NKV_OK && download->end != NKV_DOWNLOAD_COMPLETE) {
        if (download->silent >= client->attempts)
            return nkv_host_fail_silent(client);
        bool was_busy = download->end == NKV_DOWNLOAD_BUSY;
        status = pause_before_call(download);
        if (status == NKV_OK) {
            download->fruitless++;
            download->silent++;
            status = run_call(download);
        }
        if (status == NKV_DEADLINE_EXCEEDED && was_busy &&
            download->fruitless > 0)
            return nkv_host_fail(client, NKV_UNAVAILABLE,
                                 "the device stayed busy");
        if (status == NKV_OK)
            status = judge_call(download);
    }
    return status;
}
