/* Opening, closing, and telling what went wrong. */
#include "internal.h"

#include "lane.h"
#include "task.h"
#include "transport.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    DEFAULT_BAUD = 115200,
    DEFAULT_DEADLINE_MS = 10000,
    DEFAULT_LATENCY_MS = 20,
    DEFAULT_ATTEMPTS = 5,
    CLIENT_NAME_MAX = 64
};

const char *nkv_client_version(void)
{
    return NORKV_VERSION;
}

/* ---- Opening and closing ---------------------------------------------- */

/* Another one each time: a restarted program must not take the answers to its
 * predecessor for its own. */
static uint32_t random_number(const void *address, uint32_t seed)
{
    uint32_t number = seed;
    if (number == 0 &&
        getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
        number = (uint32_t)(uintptr_t)address ^ 0x9e3779b9u;
    return number == 0 ? 1 : number;
}

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value == 0 ? otherwise : value;
}

static struct nkv_client *new_client(const char *port,
                                     const struct nkv_client_options *options)
{
    const char *name = options->client_name;
    struct nkv_client *client = calloc(1, sizeof(*client));
    if (client == NULL)
        return NULL;
    client->port = strdup(port);
    client->client_name = strdup(name == NULL ? "libnorkv" : name);
    client->baud = or_default(options->baud, DEFAULT_BAUD);
    client->default_deadline_ms =
        or_default(options->deadline_ms, DEFAULT_DEADLINE_MS);
    client->latency_ms = or_default(options->latency_ms, DEFAULT_LATENCY_MS);
    client->attempts = or_default(options->attempts, DEFAULT_ATTEMPTS);
    client->max_packet = or_default(options->max_packet, NKV_LINK_PACKET_MAX);
    client->omit_value_crc = options->omit_value_crc;
    client->limit_at = UINT64_MAX;
    client->session.client = random_number(client, options->seed);
    uint32_t number = random_number(client, options->seed);
    client->call_id =
        NKV_CLIENT_CALL_ID_MIN +
        number % (NKV_CLIENT_CALL_ID_MAX - NKV_CLIENT_CALL_ID_MIN);
    client->upload_id = number % NKV_CLIENT_UPLOAD_ID_MAX;
    client->call_name = &client->call;
    client->error_text = &client->error;
    client->patience = 1;
    client->patience_call_id = client->call_id;
    if (client->port == NULL || client->client_name == NULL)
        nkv_client_free(&client);
    return client;
}

static enum nkv_status check_options(struct nkv_client *client)
{
    if (client->max_packet < NKV_LINK_PACKET_MIN ||
        client->max_packet > NKV_LINK_PACKET_MAX)
        return nkv_host_fail(client, NKV_INVALID_ARGUMENT,
                             "max_packet must be %d to %d", NKV_LINK_PACKET_MIN,
                             NKV_LINK_PACKET_MAX);
    if (strlen(client->client_name) > CLIENT_NAME_MAX)
        return nkv_host_fail(client, NKV_INVALID_ARGUMENT,
                             "client_name is longer than %d bytes",
                             CLIENT_NAME_MAX);
    return NKV_OK;
}

/* Trace and remark come in the middle of a frame or a turn: as in any callback
 * no call may block there. */
static void pass_trace(void *context, const struct nkv_client_trace *trace)
{
    struct nkv_client *client = context;
    bool was_calling_back = client->is_calling_back;
    client->is_calling_back = true;
    client->trace(client->trace_context, trace);
    client->is_calling_back = was_calling_back;
}

static void pass_remark(void *context, const struct nkv_client_remark *remark)
{
    struct nkv_client *client = context;
    bool was_calling_back = client->is_calling_back;
    client->is_calling_back = true;
    client->remark(client->remark_context, remark);
    client->is_calling_back = was_calling_back;
}

static void attach(struct nkv_client *client,
                   const struct nkv_client_transport *transport,
                   const struct nkv_client_options *options)
{
    struct nkv_link *link = &client->link;
    nkv_link_init(link, transport,
                  options->channel_id == 0 ? 1 : options->channel_id);
    link->receive = nkv_host_receive;
    link->receive_context = client;
    client->trace = options->trace;
    client->trace_context = options->trace_context;
    client->remark = options->remark;
    client->remark_context = options->remark_context;
    link->trace = options->trace == NULL ? NULL : pass_trace;
    link->trace_context = client;
    link->remark = options->remark == NULL ? NULL : pass_remark;
    link->remark_context = client;
}

static void limit(struct nkv_client *client, uint32_t limit_ms,
                  uint64_t spent_ms)
{
    if (limit_ms == 0)
        return;
    uint64_t left = limit_ms > spent_ms ? limit_ms - spent_ms : 0;
    client->limit_at = nkv_link_now(&client->link) + left;
}

/* Opens the transport to client->port. */
static enum nkv_status connect_port(struct nkv_client *client,
                                    const struct nkv_client_options *options)
{
    struct nkv_text why = {0};
    uint32_t timeout_ms = client->default_deadline_ms;
    if (options->limit_ms != 0 && options->limit_ms < timeout_ms)
        timeout_ms = options->limit_ms;
    struct nkv_port_request request = {
        .port = client->port,
        .baud = client->baud,
        .timeout_ms = timeout_ms,
        .dtr = options->dtr,
        .rts = options->rts,
        .hint = &client->hint,
    };
    struct nkv_client_transport transport = {0};
    struct nkv_link clock = {0};
    nkv_link_init(&clock, &transport, 1);
    enum nkv_status status = nkv_port_open(&request, &transport, &why);
    if (status != NKV_OK)
        return nkv_host_fail(client, status, "%s",
                             why.size > 0 ? why.text : "no memory");
    attach(client, &transport, options);
    limit(client, options->limit_ms, nkv_link_now(&clock) - clock.start_ms);
    return NKV_OK;
}

enum nkv_status nkv_client_open(const char *port,
                                const struct nkv_client_options *options,
                                struct nkv_client **client)
{
    static const struct nkv_client_options defaults = {0};
    if (options == NULL)
        options = &defaults;
    *client = new_client(port == NULL ? "" : port, options);
    if (*client == NULL)
        return NKV_INTERNAL;
    enum nkv_status status = check_options(*client);
    if (status == NKV_OK)
        status = connect_port(*client, options);
    return status;
}

enum nkv_status
nkv_client_open_transport(const struct nkv_client_transport *transport,
                          const struct nkv_client_options *options,
                          struct nkv_client **client)
{
    static const struct nkv_client_options defaults = {0};
    if (options == NULL)
        options = &defaults;
    *client =
        new_client(transport->name == NULL ? "" : transport->name, options);
    if (*client == NULL) {
        if (transport->close != NULL)
            transport->close(transport->context);
        return NKV_INTERNAL;
    }
    attach(*client, transport, options);
    (*client)->baud = transport->baud;
    limit(*client, options->limit_ms, 0);
    enum nkv_status status = check_options(*client);
    if (transport->read == NULL || transport->write == NULL ||
        transport->close == NULL || transport->name == NULL)
        status = nkv_host_fail(*client, NKV_INVALID_ARGUMENT,
                               "the transport lacks a function or a name");
    if (status != NKV_OK)
        nkv_link_close(&(*client)->link);
    return status;
}

enum nkv_status nkv_client_open_port(const char *port,
                                     const struct nkv_client_options *options,
                                     struct nkv_client_transport *transport,
                                     char why[NKV_CLIENT_WHY_SIZE])
{
    struct nkv_text text = {0};
    const struct nkv_port_request request = {
        .port = port,
        .baud = or_default(options->baud, DEFAULT_BAUD),
        .timeout_ms = or_default(options->limit_ms, DEFAULT_DEADLINE_MS),
        .dtr = options->dtr,
        .rts = options->rts,
    };
    enum nkv_status status = nkv_port_open(&request, transport, &text);
    if (status == NKV_OK) {
        transport->name = port;
        transport->baud = request.baud;
    }
    snprintf(why, NKV_CLIENT_WHY_SIZE, "%s",
             text.size > 0 ? text.text : "no memory");
    return status;
}

void nkv_client_free(struct nkv_client **client)
{
    if (client == NULL || *client == NULL)
        return;
    nkv_task_end_all(*client);
    nkv_lane_free(*client);
    nkv_link_close(&(*client)->link);
    nkv_host_forget_session(*client);
    free((*client)->port);
    free((*client)->client_name);
    free(*client);
    *client = NULL;
}

/* ---- A call ----------------------------------------------------------- */

void nkv_host_name_call(struct nkv_client *client, const char *name,
                        const struct nkv_span *key)
{
    struct nkv_text *text = client->call_name;
    nkv_text_clear(text);
    nkv_text_add(text, "%s", name);
    if (key == NULL)
        return;
    nkv_text_add(text, " ");
    if (key->size == 0)
        nkv_text_add(text, "''");
    else
        nkv_text_add_bytes(text, *key, NKV_CLIENT_KEY_SIZE_MAX);
}

void nkv_host_swap_scope(struct nkv_client *client, struct nkv_scope *scope)
{
    struct nkv_scope before = {
        .call_name = client->call_name,
        .error_text = client->error_text,
        .store = client->store,
        .store_name = client->store_name,
        .deadline_at = client->deadline_at,
        .begun_at = client->begun_at,
        .heard_before = client->heard_before,
        .reason = client->reason,
    };
    client->call_name = scope->call_name;
    client->error_text = scope->error_text;
    client->store = scope->store;
    client->store_name = scope->store_name;
    client->deadline_at = scope->deadline_at;
    client->begun_at = scope->begun_at;
    client->heard_before = scope->heard_before;
    client->reason = scope->reason;
    *scope = before;
}

enum nkv_status nkv_host_check_open(struct nkv_client *client)
{
    if (client->link.transport.close == NULL)
        return nkv_host_fail(client, NKV_UNAVAILABLE, "the port is not open");
    return client->link.dead ? nkv_host_fail_dead(client) : NKV_OK;
}

void nkv_host_tell(const struct nkv_client_progress *progress, uint32_t done)
{
    if (progress != NULL && progress->progress != NULL)
        progress->progress(progress->context, done);
}

uint64_t nkv_host_deadline(const struct nkv_client *client,
                           const struct nkv_call_options *call)
{
    uint64_t deadline_at = nkv_link_now(&client->link) +
                           or_default(call == NULL ? 0 : call->deadline_ms,
                                      client->default_deadline_ms);
    return deadline_at < client->limit_at ? deadline_at : client->limit_at;
}

enum nkv_status nkv_host_begin(struct nkv_client *client,
                               const struct nkv_call_options *call,
                               const char *name, const struct nkv_span *key)
{
    if (client->is_calling_back)
        return nkv_host_fail(client, NKV_FAILED_PRECONDITION,
                             "a callback cannot make a call that blocks");
    nkv_host_name_call(client, name, key);
    enum nkv_status status = nkv_host_check_open(client);
    if (status != NKV_OK)
        return status;
    nkv_text_clear(&client->error);
    client->reason = NKV_REASON_NONE;
    client->store = call == NULL ? 0 : call->store;
    client->store_name = call == NULL ? NULL : call->store_name;
    client->heard_before = client->link.heard;
    client->begun_at = nkv_link_now(&client->link);
    client->deadline_at = nkv_host_deadline(client, call);
    return NKV_OK;
}

enum nkv_status nkv_host_end(struct nkv_client *client, enum nkv_status status)
{
    if (status == NKV_OK) {
        nkv_text_clear(&client->error);
        client->reason = NKV_REASON_NONE;
    }
    return status;
}

enum nkv_status nkv_host_wait(struct nkv_client *client, uint64_t until_ms)
{
    if (nkv_link_now(&client->link) >= client->deadline_at)
        return nkv_host_fail_late(client);
    if (until_ms > client->deadline_at)
        until_ms = client->deadline_at;
    if (nkv_task_turn(client, until_ms) != NKV_OK)
        return nkv_host_fail_dead(client);
    return NKV_OK;
}

void nkv_client_get_counters(const struct nkv_client *client,
                             struct nkv_client_counters *counters)
{
    *counters = client->link.counters;
}
