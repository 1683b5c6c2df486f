/* Reading one key. */
#include "internal.h"

#include <norkv/crc32.h>
#include <stdlib.h>
#include <string.h>

/* A read that meets a writer, or a bad CRC, begins anew this often. */
enum { READS_MAX = 8 };

/* A value on its way. */
struct reading {
    struct nkv_span key;
    struct nkv_client_value *value;
    /* Bytes that are here, and that there will be. */
    size_t size;
    size_t total;
    bool begun;
};

enum nkv_status nkv_host_check_key(struct nkv_client *client,
                                   struct nkv_span key)
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
static void start_over(struct reading *reading)
{
    nkv_client_value_clear(reading->value);
    reading->size = 0;
    reading->total = 0;
    reading->begun = false;
}

static enum nkv_status take_first(struct nkv_client *client,
                                  struct reading *reading,
                                  const Norkv__V1__GetResponse *part)
{
    struct nkv_client_value *value = reading->value;
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
                                 struct reading *reading,
                                 const Norkv__V1__GetResponse *part,
                                 bool *again)
{
    struct nkv_client_value *value = reading->value;
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
whole_or_part(const struct reading *reading, ProtobufCMessage *message)
{
    Norkv__V1__GetResponse *part = (void *)message;
    if (reading->size == 0 && part->total_size == 0 &&
        part->value.len <= NKV_CLIENT_VALUE_SIZE_MAX)
        part->total_size = (uint32_t)part->value.len;
    return part;
}

static enum nkv_status read_part(struct nkv_client *client,
                                 struct reading *reading, bool *again)
{
    Norkv__V1__GetRequest request = NORKV__V1__GET_REQUEST__INIT;
    request.store = client->store;
    request.key = nkv_message_bytes(reading->key);
    request.offset = (uint32_t)reading->size;
    struct nkv_answer answer;
    enum nkv_status status =
        nkv_exchange_call(client, NKV_METHOD_GET, &request.base, &answer);
    if (status == NKV_OK)
        status = take_part(client, reading,
                           whole_or_part(reading, answer.message), again);
    else if (answer.status == NKV_OUT_OF_RANGE && !answer.is_server_error)
        /* It shrank meanwhile. */
        *again = reading->size > 0;
    if (*again)
        status = NKV_OK;
    nkv_answer_clear(&answer);
    return status;
}

/* Reads all parts; *again is set when they do not fit together. */
static enum nkv_status read_once(struct nkv_client *client,
                                 struct reading *reading, bool *again)
{
    enum nkv_status status;
    start_over(reading);
    *again = false;
    do {
        status = read_part(client, reading, again);
    } while (status == NKV_OK && !*again && reading->size < reading->total);
    return status;
}

static bool is_intact(const struct nkv_client_value *value)
{
    return nkv_crc32(0, value->data, value->size) == value->crc32;
}

enum nkv_status nkv_host_get(struct nkv_client *client, struct nkv_span key,
                             struct nkv_client_value *value)
{
    struct reading reading = {.key = key, .value = value};
    enum nkv_status status = NKV_OK;
    bool again = true;
    bool damaged = false;
    for (unsigned i = 0; i < READS_MAX && status == NKV_OK && again; i++) {
        status = read_once(client, &reading, &again);
        damaged = status == NKV_OK && !again && !is_intact(value);
        again = again || damaged;
    }
    if (status == NKV_OK && damaged)
        status = nkv_host_fail(client, NKV_DATA_LOSS,
                               "the value does not have the CRC-32 that the "
                               "device tells");
    else if (status == NKV_OK && again)
        status = nkv_host_fail(client, NKV_ABORTED,
                               "the key is written faster than it can be read");
    if (status != NKV_OK)
        nkv_client_value_clear(value);
    return status;
}

/* A key that was not found need not be absent. */
static enum nkv_status doubt(struct nkv_client *client, enum nkv_status status)
{
    if (status != NKV_NOT_FOUND || client->reason != NKV_REASON_NONE)
        return status;
    enum nkv_status mounted = nkv_host_check_mounted(client);
    return mounted == NKV_OK ? status : mounted;
}

enum nkv_status nkv_client_get(struct nkv_client *client,
                               const struct nkv_call_options *call,
                               struct nkv_span key,
                               struct nkv_client_value *value)
{
    *value = (struct nkv_client_value){0};
    enum nkv_status status = nkv_host_begin(client, call, "get", &key);
    if (status == NKV_OK)
        status = nkv_host_need_session(client, false);
    if (status == NKV_OK)
        status = nkv_host_check_key(client, key);
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
        status = nkv_host_check_key(client, key);
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
