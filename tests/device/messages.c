#include "messages.h"
#include "pb_io.h"

#include <pb_decode.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { PAYLOAD_MAX = 8192 };

struct nkv_span nkv_text(const char *text)
{
    return (struct nkv_span){(const uint8_t *)text, strlen(text)};
}

bool nkv_span_is(struct nkv_span span, const char *text)
{
    return span.size == strlen(text) &&
           (span.size == 0 || memcmp(span.data, text, span.size) == 0);
}

static struct nkv_span encode(struct nkv_buffer to, const pb_msgdesc_t *fields,
                              const void *message)
{
    struct nkv_span bytes = {NULL, 0};

    assert_true(nkv_pb_encode(to, fields, message, &bytes));
    return bytes;
}

static struct nkv_packet call(struct nkv_rig *rig, uint32_t service,
                              uint32_t method, const pb_msgdesc_t *fields,
                              const void *message)
{
    uint8_t bytes[PAYLOAD_MAX];

    return nkv_rig_call(
        rig, service, method,
        encode((struct nkv_buffer){bytes, sizeof bytes}, fields, message));
}

static bool take_store(pb_istream_t *stream, const pb_field_t *field,
                       void **arg)
{
    struct nkv_test_opened *opened = *arg;
    struct nkv_test_store_info *info = &opened->stores[opened->store_count];

    (void)field;
    assert_true(opened->store_count < NKV_SERVER_STORES_MAX);
    opened->store_count++;
    nkv_pb_take(&info->message.name, &info->name);
    return pb_decode(stream, norkv_v1_StoreInfo_fields, &info->message);
}

struct nkv_test_opened nkv_rig_open(struct nkv_rig *rig, uint32_t client,
                                    uint32_t max_packet)
{
    norkv_v1_OpenRequest request = norkv_v1_OpenRequest_init_zero;
    struct nkv_test_opened opened;
    struct nkv_span name = nkv_text("test");
    struct nkv_packet reply;

    memset(&opened, 0, sizeof opened);
    request.client = client;
    request.max_packet = max_packet;
    nkv_pb_give(&request.client_name, &name);
    reply = call(rig, NKV_SERVICE_DEVICE, NKV_METHOD_DEVICE_OPEN,
                 norkv_v1_OpenRequest_fields, &request);
    opened.status = (enum nkv_status)reply.status;
    nkv_pb_take(&opened.message.product, &opened.product);
    nkv_pb_take(&opened.message.unit_id, &opened.unit_id);
    nkv_pb_take(&opened.message.firmware, &opened.firmware);
    opened.message.stores.funcs.decode = take_store;
    opened.message.stores.arg = &opened;
    assert_true(nkv_pb_decode(reply.payload, norkv_v1_OpenResponse_fields,
                              &opened.message));
    return opened;
}

static struct nkv_span put_payload(const struct nkv_test_write *write,
                                   struct nkv_buffer to)
{
    norkv_v1_PutRequest request = norkv_v1_PutRequest_init_zero;

    request.store = write->store;
    nkv_pb_give(&request.key, &write->key);
    nkv_pb_give(&request.value, &write->value);
    request.has_op = write->session != 0;
    request.op.session = write->session;
    request.op.seq = write->seq;
    request.has_if_version = write->is_conditional;
    request.if_version.version = write->if_version;
    request.crc32 = write->crc32;
    return encode(to, norkv_v1_PutRequest_fields, &request);
}

struct nkv_span nkv_write_payload(const struct nkv_test_write *write,
                                  struct nkv_buffer to)
{
    norkv_v1_DeleteRequest request = norkv_v1_DeleteRequest_init_zero;

    if (!write->is_delete) {
        return put_payload(write, to);
    }
    request.store = write->store;
    nkv_pb_give(&request.key, &write->key);
    request.has_op = write->session != 0;
    request.op.session = write->session;
    request.op.seq = write->seq;
    request.has_if_version = write->is_conditional;
    request.if_version.version = write->if_version;
    return encode(to, norkv_v1_DeleteRequest_fields, &request);
}

struct nkv_test_answer nkv_rig_write(struct nkv_rig *rig,
                                     const struct nkv_test_write *write)
{
    uint8_t bytes[PAYLOAD_MAX];
    struct nkv_test_answer answer = {.status = NKV_OK};
    struct nkv_packet reply = nkv_rig_call(
        rig, NKV_SERVICE_STORE,
        write->is_delete ? NKV_METHOD_STORE_DELETE : NKV_METHOD_STORE_PUT,
        nkv_write_payload(write, (struct nkv_buffer){bytes, sizeof bytes}));

    answer.status = (enum nkv_status)reply.status;
    assert_true(nkv_pb_decode(reply.payload, norkv_v1_WriteResponse_fields,
                              &answer.message));
    return answer;
}

struct nkv_test_value nkv_rig_get(struct nkv_rig *rig, uint32_t store,
                                  const char *key, uint32_t offset,
                                  uint32_t max_size)
{
    norkv_v1_GetRequest request = norkv_v1_GetRequest_init_zero;
    struct nkv_test_value answer;
    struct nkv_span key_span = nkv_text(key);
    struct nkv_packet reply;

    memset(&answer, 0, sizeof answer);
    request.store = store;
    request.offset = offset;
    request.max_size = max_size;
    nkv_pb_give(&request.key, &key_span);
    reply = call(rig, NKV_SERVICE_STORE, NKV_METHOD_STORE_GET,
                 norkv_v1_GetRequest_fields, &request);
    answer.status = (enum nkv_status)reply.status;
    nkv_pb_take(&answer.message.value, &answer.value);
    assert_true(nkv_pb_decode(reply.payload, norkv_v1_GetResponse_fields,
                              &answer.message));
    return answer;
}

struct nkv_test_description nkv_rig_describe(struct nkv_rig *rig,
                                             uint32_t store, const char *key)
{
    norkv_v1_DescribeRequest request = norkv_v1_DescribeRequest_init_zero;
    struct nkv_test_description answer;
    struct nkv_span key_span = nkv_text(key);
    struct nkv_packet reply;

    memset(&answer, 0, sizeof answer);
    request.store = store;
    nkv_pb_give(&request.key, &key_span);
    reply = call(rig, NKV_SERVICE_STORE, NKV_METHOD_STORE_DESCRIBE,
                 norkv_v1_DescribeRequest_fields, &request);
    answer.status = (enum nkv_status)reply.status;
    assert_true(nkv_pb_decode(reply.payload, norkv_v1_DescribeResponse_fields,
                              &answer.message));
    return answer;
}

static norkv_v1_StatisticsResponse statistics(struct nkv_rig *rig,
                                              uint32_t store, bool more)
{
    norkv_v1_StatisticsRequest request = {.store = store, .more = more};
    norkv_v1_StatisticsResponse response =
        norkv_v1_StatisticsResponse_init_zero;
    struct nkv_packet reply =
        call(rig, NKV_SERVICE_MAINTENANCE, NKV_METHOD_MAINTENANCE_STATISTICS,
             norkv_v1_StatisticsRequest_fields, &request);

    assert_int_equal(reply.status, NKV_OK);
    assert_true(nkv_pb_decode(reply.payload, norkv_v1_StatisticsResponse_fields,
                              &response));
    return response;
}

norkv_v1_StatisticsResponse nkv_rig_statistics(struct nkv_rig *rig,
                                               uint32_t store)
{
    return statistics(rig, store, false);
}

norkv_v1_StatisticsResponse nkv_rig_more_statistics(struct nkv_rig *rig,
                                                    uint32_t store)
{
    return statistics(rig, store, true);
}

void nkv_rig_put(struct nkv_rig *rig, const char *key, const char *value)
{
    struct nkv_test_write write = {
        .key = nkv_text(key),
        .value = nkv_text(value),
    };

    assert_int_equal(nkv_rig_write(rig, &write).status, NKV_OK);
}

void nkv_rig_delete(struct nkv_rig *rig, const char *key)
{
    struct nkv_test_write write = {.key = nkv_text(key), .is_delete = true};

    assert_int_equal(nkv_rig_write(rig, &write).status, NKV_OK);
}

void nkv_rig_send_restore(struct nkv_rig *rig, uint32_t call_id,
                          norkv_v1_RestoreRequest request,
                          struct nkv_span records)
{
    uint8_t bytes[PAYLOAD_MAX];
    struct nkv_packet packet = {
        .type = NKV_PACKET_CLIENT_STREAM,
        .channel_id = 1,
        .service_id = NKV_SERVICE_STORE,
        .method_id = NKV_METHOD_STORE_RESTORE,
        .call_id = call_id,
    };

    nkv_pb_give(&request.records, &records);
    packet.payload = encode((struct nkv_buffer){bytes, sizeof bytes},
                            norkv_v1_RestoreRequest_fields, &request);
    nkv_rig_send_packet(rig, &packet);
}

void nkv_rig_expect(struct nkv_rig *rig, const char *key, const char *value)
{
    struct nkv_test_value got = nkv_rig_get(rig, 0, key, 0, 0);

    if (value == NULL) {
        assert_int_equal(got.status, NKV_NOT_FOUND);
        return;
    }
    assert_int_equal(got.status, NKV_OK);
    assert_true(nkv_span_is(got.value, value));
}
