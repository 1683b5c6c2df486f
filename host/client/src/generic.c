/* Calls by the names of service and method, on bytes. */
#include "task.h"

#include <stdlib.h>
#include <string.h>

enum {
    /* What a caller may hand over faster than the line takes it, messages and
     * their bytes. */
    OUTBOX_MESSAGES = 64,
    OUTBOX_BYTES = 1 << 16,
    /* The largest request or message: what a frame of the wire takes is for the
     * other end to say. */
    MESSAGE_MAX = 1 << 16
};

/* A message of the client's stream, or its completion, that waits for the line.
 */
struct outgoing {
    struct outgoing *next;
    enum nkv_packet_type type;
    size_t size;
    uint8_t bytes[];
};

struct generic {
    struct nkv_task task;
    enum nkv_call_kind kind;
    struct nkv_method method;
    struct nkv_exchange exchange;
    uint8_t *request;
    size_t request_size;
    struct outgoing *outbox;
    size_t outbox_count;
    size_t outbox_bytes;
    bool completed;
    /* The device has ended it. */
    bool answered;
    bool is_server_error;
    void (*message)(void *context, struct nkv_span payload);
    void (*done)(void *context, const struct nkv_client_outcome *outcome,
                 struct nkv_span payload);
    void *context;
};

/* ---- On the line -------------------------------------------------------- */

static void take_message(void *context, struct nkv_span payload)
{
    struct generic *generic = context;
    /* One that has begun to answer is at work on the first request. */
    generic->exchange.once = true;
    if (generic->message != NULL && !generic->task.is_unwanted)
        generic->message(generic->context, payload);
}

static void drop_first(struct generic *generic)
{
    struct outgoing *first = generic->outbox;
    generic->outbox = first->next;
    generic->outbox_count--;
    generic->outbox_bytes -= first->size;
    free(first);
}

/* Sends what waits, as much as the line takes at once. */
static enum nkv_step send_outbox(struct generic *generic)
{
    struct nkv_client *client = generic->task.client;
    while (generic->outbox != NULL && nkv_link_is_ready(&client->link)) {
        const struct outgoing *first = generic->outbox;
        struct nkv_packet packet = nkv_exchange_packet(&generic->exchange);
        packet.type = first->type;
        packet.payload = (struct nkv_span){first->bytes, first->size};
        enum nkv_status status = nkv_link_start(&client->link, &packet);
        if (status == NKV_UNAVAILABLE)
            return NKV_STEP_DEAD;
        if (status != NKV_OK)
            return NKV_STEP_NO_MEMORY;
        drop_first(generic);
    }
    return NKV_STEP_DONE;
}

/* ---- Ends --------------------------------------------------------------- */

static enum nkv_status fail_server_error(struct nkv_client *client,
                                         enum nkv_status status)
{
    if (status == NKV_NOT_FOUND)
        return nkv_host_fail(client, status,
                             "the device has no such service or method "
                             "(NOT_FOUND)");
    if (status == NKV_DATA_LOSS)
        return nkv_host_fail(
            client, status, "the device cannot decode the request (DATA_LOSS)");
    return nkv_host_fail(client, status == NKV_OK ? NKV_UNKNOWN : status,
                         "the device does not take the call (%s)",
                         nkv_status_name(status));
}

static enum nkv_status take_end(struct generic *generic)
{
    struct nkv_client *client = generic->task.client;
    const struct nkv_exchange *exchange = &generic->exchange;
    generic->answered = true;
    generic->is_server_error = exchange->type == NKV_PACKET_SERVER_ERROR;
    if (generic->is_server_error)
        return fail_server_error(client, exchange->status);
    if (exchange->status != NKV_OK)
        return nkv_host_fail(client, exchange->status,
                             "the method's status is %s",
                             nkv_status_name(exchange->status));
    return NKV_OK;
}

static void step_generic(struct nkv_task *task)
{
    struct generic *generic = (struct generic *)task;
    struct nkv_client *client = task->client;
    if (generic->exchange.method == NULL && !nkv_exchange_may_begin(client))
        return;
    if (generic->exchange.method == NULL)
        nkv_exchange_begin_method(
            client, &generic->exchange, &generic->method,
            (struct nkv_span){generic->request, generic->request_size});
    enum nkv_step step = nkv_exchange_step(client, &generic->exchange);
    task->was_busy = generic->exchange.busy_count > 0;
    if (step == NKV_STEP_WAITS && generic->exchange.sent) {
        step = send_outbox(generic);
        if (step == NKV_STEP_DONE)
            return;
    }
    if (step == NKV_STEP_WAITS)
        return;
    nkv_task_end(task, step == NKV_STEP_DONE
                           ? take_end(generic)
                           : nkv_host_fail_step(client, step));
}

/* Whether the device is to hear that nobody listens any more. */
static bool is_running_there(const struct generic *generic)
{
    return generic->exchange.sent && !generic->answered &&
           !generic->task.client->link.dead;
}

/* The answer stays until it has been delivered. */
static void stop_generic(struct nkv_task *task, enum nkv_status status)
{
    struct generic *generic = (struct generic *)task;
    uint8_t *payload = generic->exchange.payload;
    (void)status;
    generic->exchange.payload = NULL;
    size_t size = generic->exchange.payload_size;
    nkv_exchange_end(task->client, &generic->exchange);
    /* Only now: what comes while that is sent is for nobody. */
    if (is_running_there(generic))
        nkv_exchange_cancel(task->client, &generic->exchange);
    generic->exchange.payload = payload;
    generic->exchange.payload_size = size;
    while (generic->outbox != NULL)
        drop_first(generic);
}

static void deliver_generic(struct nkv_task *task,
                            const struct nkv_client_outcome *outcome)
{
    const struct generic *generic = (struct generic *)task;
    struct nkv_client_outcome copy = *outcome;
    struct nkv_span payload = {NULL, 0};
    copy.is_server_error = generic->is_server_error;
    if (generic->answered && !generic->is_server_error)
        payload = (struct nkv_span){generic->exchange.payload,
                                    generic->exchange.payload_size};
    generic->done(generic->context, &copy, payload);
}

static void release_generic(struct nkv_task *task)
{
    struct generic *generic = (struct generic *)task;
    free(generic->exchange.payload);
    free(generic->request);
    free(generic);
}

static const struct nkv_task_kind generic_kind = {
    .step = step_generic,
    .stop = stop_generic,
    .deliver = deliver_generic,
    .release = release_generic,
};

/* ---- The calls ---------------------------------------------------------- */

static struct generic *new_generic(const struct nkv_generic_call *from)
{
    struct generic *generic = calloc(1, sizeof(*generic));
    if (generic == NULL)
        return NULL;
    generic->request = malloc(from->request.size + 1);
    if (generic->request == NULL) {
        free(generic);
        return NULL;
    }
    if (from->request.size > 0)
        memcpy(generic->request, from->request.data, from->request.size);
    generic->request_size = from->request.size;
    generic->task.kind = &generic_kind;
    generic->kind = from->kind;
    generic->method.service_id = nkv_name_id(from->service);
    generic->method.method_id = nkv_name_id(from->method);
    generic->exchange.channel_id = from->channel_id;
    generic->exchange.once = !from->is_repeatable;
    generic->exchange.message = take_message;
    generic->exchange.context = generic;
    generic->message = from->message;
    generic->done = from->done;
    generic->context = from->context;
    return generic;
}

static bool is_sound(const struct nkv_generic_call *call)
{
    return call->service != NULL && call->method != NULL &&
           call->done != NULL && call->request.size <= MESSAGE_MAX &&
           (unsigned)call->kind <= NKV_CALL_BIDIRECTIONAL &&
           nkv_name_id(call->service) != 0 && nkv_name_id(call->method) != 0;
}

enum nkv_status nkv_client_start_call(struct nkv_client *client,
                                      const struct nkv_call_options *options,
                                      const struct nkv_generic_call *call,
                                      uint64_t *number)
{
    *number = 0;
    if (!is_sound(call))
        return NKV_INVALID_ARGUMENT;
    struct generic *generic = new_generic(call);
    if (generic == NULL)
        return NKV_INTERNAL;
    struct nkv_text name = {0};
    nkv_text_add(&name, "%s/%s", call->service, call->method);
    enum nkv_status status =
        nkv_task_start(client, &generic->task, options, name.text, NULL);
    if (status != NKV_OK) {
        release_generic(&generic->task);
        return status;
    }
    *number = generic->task.number;
    return NKV_OK;
}

/* The running call of this number that takes a stream, or NULL. */
static struct generic *find(const struct nkv_client *client, uint64_t number,
                            enum nkv_status *status)
{
    struct nkv_task *task = client->tasks;
    while (task != NULL && task->number != number)
        task = task->next;
    *status = NKV_NOT_FOUND;
    if (task == NULL || task->kind != &generic_kind)
        return NULL;
    struct generic *generic = (struct generic *)task;
    *status = NKV_FAILED_PRECONDITION;
    bool takes = generic->kind == NKV_CALL_CLIENT_STREAM ||
                 generic->kind == NKV_CALL_BIDIRECTIONAL;
    return takes && !generic->completed ? generic : NULL;
}

static enum nkv_status append(struct generic *generic,
                              enum nkv_packet_type type, struct nkv_span bytes)
{
    struct outgoing **link = &generic->outbox;
    struct outgoing *last = malloc(sizeof(*last) + bytes.size);
    if (last == NULL)
        return NKV_INTERNAL;
    last->next = NULL;
    last->type = type;
    last->size = bytes.size;
    if (bytes.size > 0)
        memcpy(last->bytes, bytes.data, bytes.size);
    while (*link != NULL)
        link = &(*link)->next;
    *link = last;
    generic->outbox_count++;
    generic->outbox_bytes += bytes.size;
    generic->task.client->has_news = true;
    return NKV_OK;
}

enum nkv_status nkv_client_send(struct nkv_client *client, uint64_t call,
                                struct nkv_span message)
{
    enum nkv_status status;
    struct generic *generic = find(client, call, &status);
    if (generic == NULL)
        return status;
    if (message.size > MESSAGE_MAX)
        return NKV_INVALID_ARGUMENT;
    if (generic->outbox_count >= OUTBOX_MESSAGES ||
        (generic->outbox_count > 0 &&
         message.size > OUTBOX_BYTES - generic->outbox_bytes))
        return NKV_RESOURCE_EXHAUSTED;
    return append(generic, NKV_PACKET_CLIENT_STREAM, message);
}

enum nkv_status nkv_client_complete(struct nkv_client *client, uint64_t call)
{
    enum nkv_status status;
    struct generic *generic = find(client, call, &status);
    if (generic == NULL)
        return status;
    status = append(generic, NKV_PACKET_CLIENT_REQUEST_COMPLETION,
                    (struct nkv_span){NULL, 0});
    generic->completed = status == NKV_OK;
    return status;
}
