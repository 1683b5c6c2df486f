/* One mutation: its request, and its end. */
#include "lane.h"

#include <norkv/crc32.h>
#include <stdlib.h>
#include <string.h>

/* ---- Requests --------------------------------------------------------- */

static uint8_t *pack_put(const struct nkv_write *write, Norkv__V1__Op *op,
                         size_t *size)
{
    const struct nkv_mutation *mutation = &write->mutation;
    Norkv__V1__Condition condition = NORKV__V1__CONDITION__INIT;
    Norkv__V1__PutRequest request = NORKV__V1__PUT_REQUEST__INIT;
    condition.version = mutation->if_version;
    request.store = write->task.store;
    request.key = nkv_message_bytes(mutation->key);
    request.value = nkv_message_bytes(mutation->value);
    request.op = op;
    request.if_version = mutation->conditional ? &condition : NULL;
    if (!write->task.client->omit_value_crc)
        request.crc32 =
            nkv_crc32(0, mutation->value.data, mutation->value.size);
    return nkv_message_pack(&request.base, size);
}

static uint8_t *pack_delete(uint32_t store, const struct nkv_mutation *mutation,
                            Norkv__V1__Op *op, size_t *size)
{
    Norkv__V1__Condition condition = NORKV__V1__CONDITION__INIT;
    Norkv__V1__DeleteRequest request = NORKV__V1__DELETE_REQUEST__INIT;
    condition.version = mutation->if_version;
    request.store = store;
    request.key = nkv_message_bytes(mutation->key);
    request.op = op;
    request.if_version = mutation->conditional ? &condition : NULL;
    return nkv_message_pack(&request.base, size);
}

bool nkv_write_pack(struct nkv_write *write, uint32_t seq)
{
    const struct nkv_client *client = write->task.client;
    Norkv__V1__Op op = NORKV__V1__OP__INIT;
    size_t size = 0;
    op.session = client->session.session;
    op.seq = seq;
    free(write->request);
    if (write->mutation.kind == NKV_MUTATION_PUT)
        write->request = pack_put(write, &op, &size);
    else
        write->request =
            pack_delete(write->task.store, &write->mutation, &op, &size);
    write->seq = seq;
    struct nkv_span request = {write->request, size};
    if (write->request != NULL && write->exchange.method != NULL)
        nkv_exchange_set_request(&write->exchange, request);
    else
        write->exchange.request = request;
    return write->request != NULL;
}

bool nkv_write_renumber(struct nkv_write *write)
{
    write->sends = 0;
    write->renumber = false;
    write->refused = false;
    return nkv_write_pack(write, ++write->task.client->session.last_seq);
}

bool nkv_write_is_flying(const struct nkv_write *write)
{
    return write->numbered && !write->task.ended;
}

/* Whether the device may have got it. */
static bool is_sent(const struct nkv_write *write)
{
    return write->sends > 0 || write->ambiguous;
}

/* ---- Ends -------------------------------------------------------------- */

static enum nkv_status fail_for_size(struct nkv_client *client,
                                     const struct nkv_mutation *mutation)
{
    const struct nkv_device *device = &client->session.device;
    /* The device tells what it takes under the longest key. */
    size_t most = (size_t)device->max_value;
    if (mutation->key.size < device->max_key)
        most += device->max_key - mutation->key.size;
    return nkv_host_fail(client, NKV_INVALID_ARGUMENT,
                         "the value has %zu bytes, the device takes %zu under "
                         "this key",
                         mutation->value.size, most);
}

enum nkv_status nkv_write_explain(struct nkv_client *client,
                                  const struct nkv_mutation *mutation)
{
    if (mutation->status == NKV_UNKNOWN && mutation->conditional)
        return nkv_host_fail(client, NKV_UNKNOWN,
                             "unknown outcome: the device restarted, and the "
                             "key does not tell whether this was done before");
    if (mutation->status == NKV_INVALID_ARGUMENT &&
        mutation->reason == NKV_REASON_VALUE_TOO_LARGE) {
        client->reason = mutation->reason;
        return fail_for_size(client, mutation);
    }
    if (mutation->reason == NKV_REASON_NO_SUCH_STORE &&
        nkv_host_check_store(client) != NKV_OK)
        return mutation->status;
    struct nkv_answer answer = {
        .status = mutation->status,
        .reason = mutation->reason,
    };
    return nkv_host_refuse(client, &answer);
}

/* Ends it as the mutation says. */
static void end_decided(struct nkv_write *write)
{
    struct nkv_client *client = write->task.client;
    enum nkv_status status = write->mutation.status;
    struct nkv_scope scope;
    write->decided = true;
    nkv_task_enter(&write->task, &scope);
    if (status != NKV_OK)
        status = nkv_write_explain(client, &write->mutation);
    nkv_task_leave(&write->task, &scope);
    nkv_task_end(&write->task, status);
}

void nkv_write_decide(struct nkv_write *write, enum nkv_status status,
                      enum nkv_reason reason)
{
    write->mutation.status = status;
    write->mutation.reason = reason;
    end_decided(write);
}

void nkv_write_finish(struct nkv_write *write, const struct nkv_answer *answer)
{
    struct nkv_mutation *mutation = &write->mutation;
    mutation->status = answer->status;
    mutation->reason = answer->reason;
    if (answer->message != NULL) {
        const Norkv__V1__WriteResponse *response =
            (const void *)answer->message;
        mutation->version = response->version;
        mutation->replayed = response->replayed != 0;
    }
    /* A SERVER_ERROR says something else by the same numbers, and a good
     * answer has a message. */
    if (answer->is_server_error)
        mutation->status =
            answer->status == NKV_NOT_FOUND ? NKV_UNIMPLEMENTED : NKV_DATA_LOSS;
    else if (answer->status == NKV_OK && answer->message == NULL)
        mutation->status = NKV_DATA_LOSS;
    /* Repeated after a restart, and gone: the first copy did it. */
    if (mutation->kind == NKV_MUTATION_DELETE && write->ambiguous &&
        mutation->status == NKV_NOT_FOUND &&
        mutation->reason == NKV_REASON_NONE)
        mutation->status = NKV_OK;
    write->task.client->lane->recoveries = 0;
    end_decided(write);
}

/* ---- The task ---------------------------------------------------------- */

/* The line failed, or the caller has lost interest: what was sent may have been
 * done, or not. */
static void stop_write(struct nkv_task *task, enum nkv_status status)
{
    struct nkv_write *write = (struct nkv_write *)task;
    struct nkv_lane *lane = task->client->lane;
    bool sent = is_sent(write);
    if (lane->judged == write)
        lane->judged = NULL;
    nkv_exchange_end(task->client, &write->exchange);
    if (write->decided)
        return;
    write->ambiguous = sent;
    write->mutation.status = !sent                     ? NKV_CANCELLED
                             : status == NKV_CANCELLED ? NKV_UNKNOWN
                                                       : status;
    if (write->numbered)
        nkv_lane_lose(lane);
}

static void deliver_write(struct nkv_task *task,
                          const struct nkv_client_outcome *outcome)
{
    const struct nkv_write *write = (struct nkv_write *)task;
    write->done(write->context, outcome, &write->mutation);
}

static void release_task(struct nkv_task *task)
{
    nkv_write_release((struct nkv_write *)task);
}

static const struct nkv_task_kind write_kind = {
    .stop = stop_write,
    .deliver = deliver_write,
    .release = release_task,
};

static void copy_bytes(struct nkv_span *span, uint8_t *to)
{
    if (span->size > 0)
        memcpy(to, span->data, span->size);
    span->data = to;
}

static bool make_lane(struct nkv_client *client)
{
    if (client->lane == NULL)
        client->lane = calloc(1, sizeof(*client->lane));
    if (client->lane != NULL)
        client->lane->client = client;
    return client->lane != NULL;
}

struct nkv_write *nkv_write_new(struct nkv_client *client,
                                const struct nkv_mutation *mutation)
{
    struct nkv_write *write = calloc(1, sizeof(*write));
    if (write == NULL)
        return NULL;
    write->task.kind = &write_kind;
    write->mutation = *mutation;
    write->mutation.status = NKV_CANCELLED;
    write->mutation.reason = NKV_REASON_NONE;
    write->mutation.version = 0;
    write->mutation.replayed = false;
    if (mutation->kind != NKV_MUTATION_PUT)
        write->mutation.value = (struct nkv_span){NULL, 0};
    size_t key_size = mutation->key.size;
    write->bytes = malloc(key_size + write->mutation.value.size + 1);
    if (write->bytes == NULL || !make_lane(client)) {
        nkv_write_release(write);
        return NULL;
    }
    copy_bytes(&write->mutation.key, write->bytes);
    copy_bytes(&write->mutation.value, write->bytes + key_size);
    struct nkv_write **link = &client->lane->first;
    while (*link != NULL)
        link = &(*link)->next;
    *link = write;
    write->in_lane = true;
    return write;
}

void nkv_write_release(struct nkv_write *write)
{
    write->is_released = true;
    if (write->in_lane)
        return;
    free(write->request);
    free(write->bytes);
    free(write);
}
