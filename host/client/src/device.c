/* Who the device is, and the session that its mutations are counted in. */
#include "internal.h"

#include "echo.pb-c.h"
#include <stdlib.h>
#include <string.h>

enum {
    /* A device that tells none, or nonsense, takes at least this. */
    FRAME_MIN = 64,
    CALLS_MAX = 64,
    STALL_MAX_MS = 60000
};

void nkv_host_forget_session(struct nkv_client *client)
{
    struct nkv_host_session *session = &client->session;
    if (session->response != NULL)
        norkv__v1__open_response__free_unpacked(session->response, NULL);
    free(session->stores);
    session->response = NULL;
    session->stores = NULL;
    session->open = false;
    memset(&session->device, 0, sizeof(session->device));
}

static uint32_t clamp(uint32_t value, uint32_t least, uint32_t most)
{
    return value < least ? least : value > most ? most : value;
}

static void take_limits(struct nkv_device *device,
                        const Norkv__V1__Limits *limits)
{
    static const Norkv__V1__Limits none = NORKV__V1__LIMITS__INIT;
    if (limits == NULL)
        limits = &none;
    device->max_frame = clamp(limits->max_frame, FRAME_MIN, UINT32_MAX);
    device->rx_window = clamp(limits->rx_window, device->max_frame, UINT32_MAX);
    device->max_calls = clamp(limits->max_calls, 1, CALLS_MAX);
    device->max_key = clamp(limits->max_key, 1, NKV_CLIENT_KEY_SIZE_MAX);
    device->max_value = clamp(limits->max_value, 0, NKV_CLIENT_VALUE_SIZE_MAX);
    device->stall_max_ms = clamp(limits->stall_max_ms, 0, STALL_MAX_MS);
}

/* Takes the response, which is the session's from here on. */
static enum nkv_status take_response(struct nkv_client *client,
                                     Norkv__V1__OpenResponse *response)
{
    struct nkv_host_session *session = &client->session;
    struct nkv_device *device = &session->device;
    session->response = response;
    session->stores = calloc(response->n_stores + 1, sizeof(*session->stores));
    if (session->stores == NULL)
        return nkv_host_no_memory(client);
    nkv_text_make_safe(response->product);
    nkv_text_make_safe(response->firmware);
    *device = (struct nkv_device){
        .protocol_version = response->protocol_version,
        .boot_id = response->boot_id,
        .product = response->product,
        .unit_id = response->unit_id,
        .firmware = response->firmware,
        .features = response->features,
        .access = response->access,
        .stores = session->stores,
        .store_count = response->n_stores,
    };
    nkv_text_make_safe(response->unit_id);
    take_limits(device, response->limits);
    for (size_t i = 0; i < response->n_stores; i++) {
        const Norkv__V1__StoreInfo *from = response->stores[i];
        nkv_text_make_safe(from->name);
        session->stores[i] = (struct nkv_device_store){
            .number = from->number,
            .name = from->name,
            .capacity = from->capacity,
            .max_keys = from->max_keys,
            .mount_status = nkv_wire_status(from->mount_status),
            .fault = (enum nkv_fault)from->fault,
            .fault_detail = from->fault_detail,
        };
    }
    return NKV_OK;
}

static enum nkv_status accept_response(struct nkv_client *client,
                                       struct nkv_answer *answer)
{
    struct nkv_host_session *session = &client->session;
    Norkv__V1__OpenResponse *response =
        (Norkv__V1__OpenResponse *)(void *)answer->message;
    if (response->protocol_version != NKV_CLIENT_PROTOCOL_VERSION)
        return nkv_host_fail(client, NKV_FAILED_PRECONDITION,
                             "the device speaks protocol version %lu, this "
                             "program %d: update the older one",
                             (unsigned long)response->protocol_version,
                             NKV_CLIENT_PROTOCOL_VERSION);
    nkv_host_forget_session(client);
    answer->message = NULL;
    enum nkv_status status = take_response(client, response);
    if (status != NKV_OK)
        return status;
    session->session = response->session;
    session->last_seq = response->last_seq;
    session->stale = false;
    session->open = true;
    return NKV_OK;
}

/* ---- Opening, for whoever waits for it --------------------------------- */

static uint8_t *pack_request(const struct nkv_client *client, size_t *size)
{
    Norkv__V1__OpenRequest request;
    norkv__v1__open_request__init(&request);
    request.client = client->session.client;
    request.client_name = client->client_name;
    request.max_packet = client->max_packet;
    return nkv_message_pack(&request.base, size);
}

static void end_opening(struct nkv_client *client, enum nkv_step step,
                        enum nkv_status status)
{
    struct nkv_opening *opening = &client->opening;
    nkv_exchange_end(client, &opening->exchange);
    free(opening->request);
    opening->request = NULL;
    opening->running = false;
    opening->ended = opening->number;
    opening->step = step;
    opening->status = status;
    client->has_news = true;
}

static void begin_opening(struct nkv_client *client)
{
    struct nkv_opening *opening = &client->opening;
    size_t size;
    opening->number++;
    nkv_text_clear(&opening->why);
    opening->exchange = (struct nkv_exchange){0};
    opening->request = pack_request(client, &size);
    if (opening->request == NULL) {
        end_opening(client, NKV_STEP_NO_MEMORY, NKV_INTERNAL);
        return;
    }
    opening->running = true;
    client->has_news = true;
    if (client->session.open)
        client->link.counters.reopened++;
    nkv_exchange_begin(client, &opening->exchange, NKV_METHOD_OPEN,
                       (struct nkv_span){opening->request, size});
}

void nkv_opening_join(struct nkv_client *client, struct nkv_ticket *ticket)
{
    struct nkv_opening *opening = &client->opening;
    if (ticket->joined)
        return;
    ticket->joined = true;
    opening->waiting++;
    if (!opening->running)
        begin_opening(client);
    ticket->number = opening->number;
}

void nkv_opening_leave(struct nkv_client *client, struct nkv_ticket *ticket)
{
    struct nkv_opening *opening = &client->opening;
    if (!ticket->joined)
        return;
    ticket->joined = false;
    opening->waiting--;
    /* Where the session is, is not known then: the device may have opened it.
     */
    if (opening->waiting == 0 && opening->running) {
        if (opening->exchange.sent)
            client->session.stale = true;
        end_opening(client, NKV_STEP_SILENT, NKV_CANCELLED);
    }
}

enum nkv_step nkv_opening_poll(const struct nkv_client *client,
                               const struct nkv_ticket *ticket)
{
    const struct nkv_opening *opening = &client->opening;
    /* Numbers wrap. */
    bool has_ended = (int)(opening->ended - ticket->number) >= 0;
    return has_ended ? opening->step : NKV_STEP_WAITS;
}

bool nkv_opening_worked(const struct nkv_client *client,
                        const struct nkv_ticket *ticket)
{
    return nkv_opening_poll(client, ticket) == NKV_STEP_DONE &&
           client->opening.status == NKV_OK;
}

bool nkv_opening_shrink(struct nkv_client *client, struct nkv_ticket *ticket)
{
    if (!client->session.open || client->max_packet / 2 < NKV_LINK_PACKET_MIN ||
        client->opening.running)
        return false;
    client->max_packet /= 2;
    nkv_opening_join(client, ticket);
    return true;
}

/* Takes the answer; what is wrong with it is said in opening->why. */
static enum nkv_status take_answer(struct nkv_client *client)
{
    struct nkv_answer answer;
    enum nkv_status status;
    nkv_exchange_answer(&client->opening.exchange, &answer);
    if (answer.is_server_error && answer.status == NKV_NOT_FOUND)
        status = nkv_host_fail(client, NKV_FAILED_PRECONDITION,
                               "this speaks pw_rpc but is no norkv device (it "
                               "has no norkv.v1.Device/Open)");
    else if (answer.status != NKV_OK || answer.message == NULL)
        status = nkv_host_refuse(client, &answer);
    else
        status = accept_response(client, &answer);
    nkv_answer_clear(&answer);
    return status;
}

void nkv_opening_step(struct nkv_client *client)
{
    struct nkv_opening *opening = &client->opening;
    if (!opening->running)
        return;
    enum nkv_step step = nkv_exchange_step(client, &opening->exchange);
    enum nkv_status status = NKV_OK;
    if (step == NKV_STEP_WAITS)
        return;
    if (step == NKV_STEP_DONE) {
        struct nkv_scope scope = {.error_text = &opening->why};
        nkv_host_swap_scope(client, &scope);
        status = take_answer(client);
        nkv_host_swap_scope(client, &scope);
        opening->succeeded += status == NKV_OK;
    }
    end_opening(client, step, status);
}

enum nkv_status nkv_opening_fail(struct nkv_client *client)
{
    const struct nkv_opening *opening = &client->opening;
    if (opening->step != NKV_STEP_DONE)
        return nkv_host_fail_step(client, opening->step);
    return nkv_host_fail(client, opening->status, "%s", opening->why.text);
}

/* ---- Opening, and waiting for it --------------------------------------- */

static enum nkv_status await_opening(struct nkv_client *client,
                                     struct nkv_ticket *ticket)
{
    enum nkv_status status = NKV_OK;
    while (status == NKV_OK &&
           nkv_opening_poll(client, ticket) == NKV_STEP_WAITS)
        status = nkv_host_wait(client, UINT64_MAX);
    if (status == NKV_DEADLINE_EXCEEDED &&
        client->opening.exchange.busy_count > 0)
        status = nkv_host_fail_busy(client);
    bool failed = status == NKV_OK && !nkv_opening_worked(client, ticket);
    if (failed)
        status = nkv_opening_fail(client);
    nkv_opening_leave(client, ticket);
    return status;
}

enum nkv_status nkv_host_open_session(struct nkv_client *client)
{
    struct nkv_ticket ticket = {0};
    nkv_opening_join(client, &ticket);
    return await_opening(client, &ticket);
}

enum nkv_status nkv_host_shrink_packets(struct nkv_client *client)
{
    struct nkv_ticket ticket = {0};
    if (!nkv_opening_shrink(client, &ticket))
        return NKV_OK;
    return await_opening(client, &ticket);
}

struct nkv_device_store *nkv_host_store(struct nkv_client *client)
{
    struct nkv_host_session *session = &client->session;
    for (size_t i = 0; i < session->device.store_count; i++) {
        if (session->stores[i].number == client->store)
            return &session->stores[i];
    }
    return NULL;
}

enum nkv_status nkv_host_check_mounted(struct nkv_client *client)
{
    const struct nkv_device_store *store = nkv_host_store(client);
    if (store == NULL || store->fault == NKV_FAULT_NONE ||
        store->fault == NKV_FAULT_NEEDS_REPAIR)
        return NKV_OK;
    (void)nkv_host_fail_fault(client, NKV_FAILED_PRECONDITION);
    return NKV_FAILED_PRECONDITION;
}

/* The store that the call names: its number. False: there is none. */
static bool find_store(struct nkv_client *client)
{
    struct nkv_host_session *session = &client->session;
    if (client->store_name == NULL)
        return session->device.store_count == 0 ||
               nkv_host_store(client) != NULL;
    for (size_t i = 0; i < session->device.store_count; i++) {
        const char *name = session->stores[i].name;
        if (name != NULL && strcmp(name, client->store_name) == 0) {
            client->store = session->stores[i].number;
            return true;
        }
    }
    return false;
}

/* "2", or "'keys'". */
static void add_wanted_store(const struct nkv_client *client,
                             struct nkv_text *text)
{
    if (client->store_name == NULL)
        nkv_text_add(text, "%lu", (unsigned long)client->store);
    else
        nkv_text_add(text, "'%.80s'", client->store_name);
}

static enum nkv_status fail_store(struct nkv_client *client)
{
    const struct nkv_host_session *session = &client->session;
    struct nkv_text text = {.size = 0};
    add_wanted_store(client, &text);
    for (size_t i = 0; i < session->device.store_count; i++) {
        const struct nkv_device_store *store = &session->stores[i];
        nkv_text_add(&text, "%s%lu", i == 0 ? ": it has " : ", ",
                     (unsigned long)store->number);
        if (store->name != NULL && store->name[0] != '\0')
            nkv_text_add(&text, " '%s'", store->name);
    }
    client->reason = NKV_REASON_NO_SUCH_STORE;
    return nkv_host_fail(client, NKV_INVALID_ARGUMENT,
                         "the device has no store %s", text.text);
}

uint32_t nkv_client_store(const struct nkv_client *client)
{
    return client->store;
}

enum nkv_status nkv_host_check_store(struct nkv_client *client)
{
    return find_store(client) ? NKV_OK : fail_store(client);
}

enum nkv_status nkv_host_need_session(struct nkv_client *client, bool fresh)
{
    enum nkv_status status = NKV_OK;
    if (!client->session.open || (fresh && client->session.stale))
        status = nkv_host_open_session(client);
    return status == NKV_OK ? nkv_host_check_store(client) : status;
}

enum nkv_status nkv_client_device(struct nkv_client *client,
                                  const struct nkv_call_options *call,
                                  const struct nkv_device **device)
{
    *device = NULL;
    enum nkv_status status = nkv_host_begin(client, call, "open", NULL);
    if (status == NKV_OK)
        status = nkv_host_open_session(client);
    if (status == NKV_OK)
        *device = &client->session.device;
    return nkv_host_end(client, status);
}

enum nkv_status nkv_client_echo(struct nkv_client *client,
                                const struct nkv_call_options *call,
                                const char *text, uint32_t *round_trip_ms)
{
    enum nkv_status status = nkv_host_begin(client, call, "echo", NULL);
    if (status != NKV_OK)
        return status;
    char *copy = strdup(text);
    if (copy == NULL)
        return nkv_host_no_memory(client);
    Pw__Rpc__EchoMessage request;
    pw__rpc__echo_message__init(&request);
    request.msg = copy;
    struct nkv_answer answer;
    status = nkv_exchange_call(client, NKV_METHOD_ECHO, &request.base, &answer);
    if (status == NKV_OK) {
        const Pw__Rpc__EchoMessage *message = (const void *)answer.message;
        if (strcmp(message->msg, text) != 0)
            status =
                nkv_host_fail(client, NKV_DATA_LOSS, "another text came back");
    }
    if (round_trip_ms != NULL)
        *round_trip_ms =
            (uint32_t)(nkv_link_now(&client->link) - client->begun_at);
    nkv_answer_clear(&answer);
    free(copy);
    return nkv_host_end(client, status);
}
