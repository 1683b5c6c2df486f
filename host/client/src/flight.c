#include "batch.h"

#include <norkv/crc32.h>
#include <stdlib.h>
#include <string.h>

/* ---- Requests --------------------------------------------------------- */

static uint8_t *pack_put(const struct nkv_client *client,
                         const struct nkv_mutation *mutation, Norkv__V1__Op *op,
                         size_t *size)
{
    Norkv__V1__Condition condition = NORKV__V1__CONDITION__INIT;
    Norkv__V1__PutRequest request = NORKV__V1__PUT_REQUEST__INIT;
    condition.version = mutation->if_version;
    request.store = client->store;
    request.key = nkv_message_bytes(mutation->key);
    request.value = nkv_message_bytes(mutation->value);
    request.op = op;
    request.if_version = mutation->conditional ? &condition : NULL;
    if (!client->omit_value_crc)
        request.crc32 =
            nkv_crc32(0, mutation->value.data, mutation->value.size);
    return nkv_message_pack(&request.base, size);
}

static uint8_t *pack_delete(const struct nkv_client *client,
                            const struct nkv_mutation *mutation,
                            Norkv__V1__Op *op, size_t *size)
{
    Norkv__V1__Condition condition = NORKV__V1__CONDITION__INIT;
    Norkv__V1__DeleteRequest request = NORKV__V1__DELETE_REQUEST__INIT;
    condition.version = mutation->if_version;
    request.store = client->store;
    request.key = nkv_message_bytes(mutation->key);
    request.op = op;
    request.if_version = mutation->conditional ? &condition : NULL;
    return nkv_message_pack(&request.base, size);
}

/* Makes the request for the flight's number. */
static enum nkv_status pack(const struct nkv_batch *batch,
                            struct nkv_flight *flight)
{
    struct nkv_client *client = batch->client;
    Norkv__V1__Op op = NORKV__V1__OP__INIT;
    op.session = client->session.session;
    op.seq = flight->seq;
    free(flight->request);
    if (flight->mutation->kind == NKV_MUTATION_PUT)
        flight->request =
            pack_put(client, flight->mutation, &op, &flight->request_size);
    else
        flight->request =
            pack_delete(client, flight->mutation, &op, &flight->request_size);
    if (flight->request == NULL)
        return nkv_host_no_memory(client);
    flight->exchange.request =
        (struct nkv_span){flight->request, flight->request_size};
    return NKV_OK;
}

/* ---- Flights ---------------------------------------------------------- */

static void free_flight(struct nkv_batch *batch, struct nkv_flight *flight)
{
    nkv_exchange_end(batch->client, &flight->exchange);
    free(flight->request);
    free(flight);
}

size_t nkv_flight_bytes(const struct nkv_batch *batch)
{
    size_t size = 0;
    for (size_t i = 0; i < batch->flight_count; i++)
        size += nkv_exchange_size(batch->client, &batch->flights[i]->exchange);
    return size;
}

size_t nkv_flight_wire_bytes(const struct nkv_batch *batch)
{
    size_t size = 0;
    for (size_t i = 0; i < batch->flight_count; i++)
        size +=
            nkv_exchange_wire_size(batch->client, &batch->flights[i]->exchange);
    return size;
}

static void refuse(struct nkv_mutation *mutation, enum nkv_reason reason)
{
    mutation->status = NKV_INVALID_ARGUMENT;
    mutation->reason = reason;
}

/* Whether a mutation can be asked of this device at all; if not, it is over. */
static bool is_possible(const struct nkv_client *client,
                        struct nkv_mutation *mutation)
{
    const struct nkv_device *device = &client->session.device;
    if (mutation->kind != NKV_MUTATION_PUT &&
        mutation->kind != NKV_MUTATION_DELETE) {
        refuse(mutation, NKV_REASON_NONE);
        return false;
    }
    if (mutation->key.size == 0 || mutation->key.size > device->max_key) {
        refuse(mutation, NKV_REASON_BAD_KEY);
        return false;
    }
    if (mutation->kind == NKV_MUTATION_PUT &&
        mutation->value.size > NKV_CLIENT_VALUE_SIZE_MAX) {
        refuse(mutation, NKV_REASON_VALUE_TOO_LARGE);
        return false;
    }
    return true;
}

/* Whether the new flight may be sent now; if it never may, it is over. */
static enum nkv_status check_size(const struct nkv_batch *batch,
                                  const struct nkv_flight *flight)
{
    const struct nkv_device *device = &batch->client->session.device;
    size_t size = nkv_exchange_size(batch->client, &flight->exchange);
    if (size > device->max_frame) {
        refuse(flight->mutation, NKV_REASON_VALUE_TOO_LARGE);
        return NKV_INVALID_ARGUMENT;
    }
    if (batch->flight_count > 0 &&
        nkv_flight_bytes(batch) + size > device->rx_window)
        return NKV_RESOURCE_EXHAUSTED;
    return NKV_OK;
}

static enum nkv_status prepare(struct nkv_batch *batch,
                               struct nkv_flight *flight)
{
    struct nkv_client *client = batch->client;
    enum nkv_method_number method = flight->mutation->kind == NKV_MUTATION_PUT
                                        ? NKV_METHOD_PUT
                                        : NKV_METHOD_DELETE;
    flight->seq = client->session.last_seq + 1;
    enum nkv_status status = pack(batch, flight);
    if (status != NKV_OK)
        return status;
    nkv_exchange_begin(client, &flight->exchange, method,
                       flight->exchange.request);
    return check_size(batch, flight);
}

enum nkv_status nkv_flight_add(struct nkv_batch *batch)
{
    struct nkv_client *client = batch->client;
    struct nkv_mutation *mutation = &batch->mutations[batch->next];
    /* The device keeps max_calls answers: a number further ahead would push
     * out the answer to the oldest that may have to be asked for again. */
    if (batch->flight_count > 0 &&
        client->session.last_seq + 1 - batch->flights[0]->seq >=
            batch->flight_capacity)
        return NKV_RESOURCE_EXHAUSTED;
    if (!is_possible(client, mutation)) {
        batch->next++;
        return NKV_OK;
    }
    struct nkv_flight *flight = calloc(1, sizeof(*flight));
    if (flight == NULL)
        return nkv_host_no_memory(client);
    flight->mutation = mutation;
    enum nkv_status status = prepare(batch, flight);
    if (status != NKV_OK)
        free_flight(batch, flight);
    if (status == NKV_INVALID_ARGUMENT) {
        batch->next++;
        return NKV_OK;
    }
    if (status != NKV_OK)
        return status;
    client->session.last_seq = flight->seq;
    batch->flights[batch->flight_count++] = flight;
    batch->next++;
    return NKV_OK;
}

enum nkv_status nkv_flight_renumber(struct nkv_batch *batch,
                                    struct nkv_flight *flight)
{
    flight->seq = ++batch->client->session.last_seq;
    flight->sends = 0;
    flight->renumber = false;
    flight->refused = false;
    return pack(batch, flight);
}

static void remove_flight(struct nkv_batch *batch, size_t place)
{
    free_flight(batch, batch->flights[place]);
    batch->flight_count--;
    memmove(&batch->flights[place], &batch->flights[place + 1],
            (batch->flight_count - place) * sizeof(struct nkv_flight *));
}

void nkv_flight_drop(struct nkv_batch *batch, size_t place,
                     enum nkv_status status)
{
    batch->flights[place]->mutation->status = status;
    remove_flight(batch, place);
}

void nkv_flight_finish(struct nkv_batch *batch, size_t place,
                       const struct nkv_answer *answer)
{
    struct nkv_flight *flight = batch->flights[place];
    struct nkv_mutation *mutation = flight->mutation;
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
    if (mutation->kind == NKV_MUTATION_DELETE && flight->ambiguous &&
        mutation->status == NKV_NOT_FOUND &&
        mutation->reason == NKV_REASON_NONE)
        mutation->status = NKV_OK;
    batch->recoveries = 0;
    remove_flight(batch, place);
}
