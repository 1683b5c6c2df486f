/* Reading one key. */
#include "get.h"

#include <norkv/crc32.h>
#include <stdlib.h>
#include <string.h>

/* A read that meets a writer, or a bad CRC, begins anew this often. */
enum { READS_MAX = 8 };

/* NKV_INVALID_ARGUMENT with the error set, unless the key is one. */
static enum nkv_status check_key(struct nkv_client *client, struct nkv_span key)
{
    const struct nkv_host_session *session = &client->session;
    size_t most =
        session->open ? session->device.max_key : NKV_CLIENT_KEY_SIZE_MAX;
    if (key.size > 0 && key.size <= most)
        return NKV_OK;
    client->reason = NKV_REASON_BAD_KEY;
    return nkv_host_fail(client, NKV_INVALID_ARGUMENT,
                         "a key has 1 to %zu bytes, this one has %zu", most,
                         key.size);
}

void nkv_client_value_clear(struct nkv_client_value *value)
{
    if (value == NULL)
        return;
    free(value->data);
    *value = (struct nkv_client_value){0};
}

/* Drops what is here: the next part is the first. */
static void start_over(struct nkv_get *reading)
{
    nkv_client_value_clear(&reading->value);
    reading->size = 0;
    reading->total = 0;
    reading->begun = false;
}

static enum nkv_status take_first(struct nkv_client *client,
                                  struct nkv_get *reading,
                                  const Norkv__V1__GetResponse *part)
{
    struct nkv_client_value *value = &reading->value;
    if (part->total_size > NKV_CLIENT_VALUE_SIZE_MAX)
        return nkv_host_fail(client, NKV_DATA_LOSS,
                             "the device tells of a value of %lu bytes",
                             (unsigned long)part->total_size);
    reading->total = part->total_size;
    reading->begun = true;
    value->version = part->version;
    value->crc32 = part->crc32;
    if (reading->total == 0)
        return NKV_OK;
    value->data = malloc(reading->total);
    return value->data == NULL ? nkv_host_no_memory(client) : NKV_OK;
}

/* Takes a part; *again is set when it belongs to another version. */
static enum nkv_status take_part(struct nkv_client *client,
                                 struct nkv_get *reading,
                                 const Norkv__V1__GetResponse *part,
                                 bool *again)
{
    struct nkv_client_value *value = &reading->value;
    enum nkv_status status = NKV_OK;
    if (!reading->begun)
        status = take_first(client, reading, part);
    if (status != NKV_OK)
        return status;
    *again = part->version != value->version ||
             part->total_size != reading->total || part->crc32 != value->crc32;
    if (*again)
        return NKV_OK;
    size_t size = part->value.len;
    if (size > reading->total - reading->size ||
        (size == 0 && reading->size < reading->total))
        return nkv_host_fail(client, NKV_DATA_LOSS,
                             "the device sent %zu bytes of value at %zu of %zu",
                             size, reading->size, reading->total);
    if (size > 0)
        memcpy(value->data + reading->size, part->value.data, size);
    reading->size += size;
    value->size = reading->size;
    return NKV_OK;
}

/* A device that sends all of a value does not tell its size besides. */
static const Norkv__V1__GetResponse *
whole_or_part(const struct nkv_get *reading, ProtobufCMessage *message)
{
    Norkv__V1__GetResponse *part = (void *)message;
    if (reading->size == 0 && part->total_size == 0 &&
        part->value.len <= NKV_CLIENT_VALUE_SIZE_MAX)
        part->total_size = (uint32_t)part->value.len;
    return part;
}

/* ---- A part of the value ----------------------------------------------- */

static enum nkv_status begin_part(struct nkv_client *client,
                                  struct nkv_get *reading)
{
    Norkv__V1__GetRequest request = NORKV__V1__GET_REQUEST__INIT;
    request.store = client->store;
    request.key =
        nkv_message_bytes((struct nkv_span){reading->key, reading->key_size});
    request.offset = (uint32_t)reading->size;
    size_t size;
    reading->request = nkv_message_pack(&request.base, &size);
    if (reading->request == NULL)
        return nkv_host_no_memory(client);
    reading->exchange = (struct nkv_exchange){0};
    nkv_exchange_begin(client, &reading->exchange, NKV_METHOD_GET,
                       (struct nkv_span){reading->request, size});
    return NKV_OK;
}

static void end_part(struct nkv_client *client, struct nkv_get *reading)
{
    if (reading->request == NULL)
        return;
    nkv_exchange_end(client, &reading->exchange);
    free(reading->request);
    reading->request = NULL;
}

/* Takes the answer; *again is set when the parts do not fit together. */
static enum nkv_status finish_part(struct nkv_client *client,
                                   struct nkv_get *reading, bool *again)
{
    struct nkv_answer answer;
    enum nkv_status status;
    nkv_exchange_answer(&reading->exchange, &answer);
    if (answer.status == NKV_OK && answer.message != NULL) {
        status = take_part(client, reading,
                           whole_or_part(reading, answer.message), again);
    } else if (answer.status == NKV_OUT_OF_RANGE && !answer.is_server_error &&
               reading->size > 0) {
        /* It shrank meanwhile. */
        *again = true;
        status = NKV_OK;
    } else {
        status = nkv_host_refuse(client, &answer);
    }
    nkv_answer_clear(&answer);
    end_part(client, reading);
    return status;
}

/* ---- The whole --------------------------------------------------------- */

static bool is_intact(const struct nkv_client_value *value)
{
    return nkv_crc32(0, value->data, value->size) == value->crc32;
}

/* A part is here. Returns whether it was the last one, or none comes any more.
 */
static bool take_turn(struct nkv_client *client, struct nkv_get *reading,
                      enum nkv_status *status)
{
    bool again = false;
    bool damaged = false;
    *status = finish_part(client, reading, &again);
    if (*status != NKV_OK)
        return true;
    if (!again && reading->size < reading->total)
        return false;
    damaged = !again && !is_intact(&reading->value);
    if (!again && !damaged)
        return true;
    start_over(reading);
    if (++reading->reads < READS_MAX)
        return false;
    *status = damaged ? nkv_host_fail(client, NKV_DATA_LOSS,
                                      "the value does not have the CRC-32 that "
                                      "the device tells")
                      : nkv_host_fail(client, NKV_ABORTED,
                                      "the key is written faster than it can "
                                      "be read");
    return true;
}

/* Waits for the session. True: it is open, and the key is one. */
static bool is_ready(struct nkv_client *client, struct nkv_get *reading,
                     enum nkv_status *status)
{
    struct nkv_span key = {reading->key, reading->key_size};
    if (reading->ticket.joined) {
        enum nkv_step step = nkv_opening_poll(client, &reading->ticket);
        if (step == NKV_STEP_WAITS)
            return false;
        if (!nkv_opening_worked(client, &reading->ticket))
            *status = nkv_opening_fail(client);
        nkv_opening_leave(client, &reading->ticket);
    } else if (!client->session.open) {
        nkv_opening_join(client, &reading->ticket);
        return false;
    }
    if (*status == NKV_OK)
        *status = nkv_host_check_store(client);
    if (*status == NKV_OK)
        *status = check_key(client, key);
    return *status == NKV_OK;
}

/* A key that was not found need not be absent. */
static enum nkv_status doubt(struct nkv_client *client, enum nkv_status status)
{
    if (status != NKV_NOT_FOUND || client->reason != NKV_REASON_NONE)
        return status;
    enum nkv_status mounted = nkv_host_check_mounted(client);
    return mounted == NKV_OK ? status : mounted;
}

static void finish(struct nkv_get *reading, enum nkv_status status)
{
    if (status != NKV_OK)
        nkv_client_value_clear(&reading->value);
    /* Those who wait for it have their own doubts. */
    if (!reading->task.is_awaited)
        status = doubt(reading->task.client, status);
    nkv_task_end(&reading->task, status);
}

static void step_get(struct nkv_task *task)
{
    struct nkv_get *reading = (struct nkv_get *)task;
    struct nkv_client *client = task->client;
    enum nkv_status status = NKV_OK;
    if (!reading->is_ready) {
        reading->is_ready = is_ready(client, reading, &status);
        task->was_busy =
            reading->ticket.joined && client->opening.exchange.busy_count > 0;
    }
    while (status == NKV_OK && reading->is_ready) {
        if (reading->request == NULL && !nkv_exchange_may_begin(client))
            return;
        if (reading->request == NULL)
            status = begin_part(client, reading);
        if (status != NKV_OK)
            break;
        enum nkv_step step = nkv_exchange_step(client, &reading->exchange);
        task->was_busy = reading->exchange.busy_count > 0;
        if (step == NKV_STEP_WAITS)
            return;
        if (step != NKV_STEP_DONE)
            status = nkv_host_fail_step(client, step);
        else if (take_turn(client, reading, &status))
            break;
    }
    if (status != NKV_OK || reading->is_ready)
        finish(reading, status);
}

static void stop_get(struct nkv_task *task, enum nkv_status status)
{
    (void)status;
    struct nkv_get *reading = (struct nkv_get *)task;
    end_part(task->client, reading);
    nkv_opening_leave(task->client, &reading->ticket);
}

static void deliver_get(struct nkv_task *task,
                        const struct nkv_client_outcome *outcome)
{
    struct nkv_get *reading = (struct nkv_get *)task;
    reading->done(reading->context, outcome, &reading->value);
}

static void release_get(struct nkv_task *task)
{
    struct nkv_get *reading = (struct nkv_get *)task;
    nkv_client_value_clear(&reading->value);
    free(reading);
}

static const struct nkv_task_kind get_kind = {
    .step = step_get,
    .stop = stop_get,
    .deliver = deliver_get,
    .release = release_get,
};

/* A key that is too long keeps its size, for it to be refused. */
static struct nkv_get *new_get(struct nkv_span key)
{
    struct nkv_get *reading = calloc(1, sizeof(*reading));
    if (reading == NULL)
        return NULL;
    reading->task.kind = &get_kind;
    reading->key_size = key.size;
    if (key.size > 0 && key.size <= sizeof(reading->key))
        memcpy(reading->key, key.data, key.size);
    return reading;
}

struct nkv_get *nkv_get_start_within(struct nkv_client *client,
                                     struct nkv_span key)
{
    struct nkv_get *reading = new_get(key);
    if (reading != NULL)
        nkv_task_start_within(client, &reading->task);
    return reading;
}

void nkv_get_release(struct nkv_get *reading)
{
    struct nkv_scope scope;
    nkv_task_enter(&reading->task, &scope);
    nkv_task_end(&reading->task, NKV_CANCELLED);
    nkv_task_leave(&reading->task, &scope);
    release_get(&reading->task);
}

enum nkv_status nkv_client_start_get(struct nkv_client *client,
                                     const struct nkv_call_options *call,
                                     const struct nkv_get_call *get,
                                     uint64_t *number)
{
    *number = 0;
    struct nkv_get *reading = new_get(get->key);
    if (reading == NULL)
        return NKV_INTERNAL;
    reading->done = get->done;
    reading->context = get->context;
    enum nkv_status status =
        nkv_task_start(client, &reading->task, call, "get", &get->key);
    if (status != NKV_OK) {
        free(reading);
        return status;
    }
    *number = reading->task.number;
    return NKV_OK;
}

enum nkv_status nkv_host_get(struct nkv_client *client, struct nkv_span key,
                             struct nkv_client_value *value)
{
    struct nkv_get *reading = nkv_get_start_within(client, key);
    if (reading == NULL)
        return nkv_host_no_memory(client);
    enum nkv_status status = nkv_task_wait(&reading->task);
    *value = reading->value;
    reading->value = (struct nkv_client_value){0};
    nkv_get_release(reading);
    return status;
}

enum nkv_status nkv_client_get(struct nkv_client *client,
                               const struct nkv_call_options *call,
                               struct nkv_span key,
                               struct nkv_client_value *value)
{
    *value = (struct nkv_client_value){0};
    enum nkv_status status = nkv_host_begin(client, call, "get", &key);
    if (status == NKV_OK)
        status = nkv_host_get(client, key, value);
    return nkv_host_end(client, doubt(client, status));
}

enum nkv_status nkv_client_describe(struct nkv_client *client,
                                    const struct nkv_call_options *call,
                                    struct nkv_span key,
                                    struct nkv_client_key_info *info)
{
    *info = (struct nkv_client_key_info){0};
    enum nkv_status status = nkv_host_begin(client, call, "describe", &key);
    if (status == NKV_OK)
        status = nkv_host_need_session(client, false);
    if (status == NKV_OK)
        status = check_key(client, key);
    if (status != NKV_OK)
        return status;
    Norkv__V1__DescribeRequest request = NORKV__V1__DESCRIBE_REQUEST__INIT;
    request.store = client->store;
    request.key = nkv_message_bytes(key);
    struct nkv_answer answer;
    status =
        nkv_exchange_call(client, NKV_METHOD_DESCRIBE, &request.base, &answer);
    if (status == NKV_OK) {
        const Norkv__V1__DescribeResponse *message =
            (const void *)answer.message;
        info->version = message->version;
        info->value_size = message->total_size;
        info->crc32 = message->crc32;
    }
    nkv_answer_clear(&answer);
    return nkv_host_end(client, doubt(client, status));
}
