/*
 * What calls cost on the line: bytes for a 12-byte key and a 32-byte value
 * that need no escapes, with a call id, seq and version of two bytes each.
 */
#include "cmocka_all.h"
#include "collect.h"
#include <norkv.pb-c.h>
#include <norkv/ids.h>
#include <norkv/packet.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_SIZE = 12, VALUE_SIZE = 32, NUMBER = 300, FLAGS = 2 };

static uint8_t key_bytes[KEY_SIZE] = "serial/board";
static uint8_t value_bytes[VALUE_SIZE];

static const ProtobufCBinaryData key = {KEY_SIZE, key_bytes};
static const ProtobufCBinaryData value = {VALUE_SIZE, value_bytes};

/* Bytes on the line of a message in a packet in a frame. */
static size_t cost(struct nkv_packet packet, const ProtobufCMessage *message)
{
    uint8_t payload[256];
    uint8_t bytes[512];
    const size_t payload_size = protobuf_c_message_get_packed_size(message);
    assert_true(payload_size <= sizeof payload);
    protobuf_c_message_pack(message, payload);
    packet.payload = (struct nkv_span){payload, payload_size};
    size_t size = 0;
    assert_int_equal(nkv_packet_encode(&packet,
                                       (struct nkv_buffer){bytes, sizeof bytes},
                                       &size),
                     NKV_OK);
    struct nkv_collected stream;
    nkv_collect_init(&stream);
    nkv_collect_frame(&stream, NKV_HDLC_ADDRESS_RPC,
                      (struct nkv_span){bytes, size});
    const size_t content = nkv_hdlc_content_size(NKV_HDLC_ADDRESS_RPC, size);
    /* No more than a few bytes of CRC happen to need an escape. */
    assert_in_range(stream.size, content + FLAGS, content + FLAGS + 4);
    return content + FLAGS;
}

static size_t request_cost(uint32_t method, const ProtobufCMessage *message)
{
    const struct nkv_packet packet = {.type = NKV_PACKET_REQUEST,
                                      .channel_id = 1,
                                      .service_id = NKV_SERVICE_STORE,
                                      .method_id = method,
                                      .call_id = NUMBER};
    return cost(packet, message);
}

static size_t response_cost(uint32_t method, const ProtobufCMessage *message)
{
    const struct nkv_packet packet = {.type = NKV_PACKET_RESPONSE,
                                      .channel_id = 1,
                                      .service_id = NKV_SERVICE_STORE,
                                      .method_id = method,
                                      .call_id = NUMBER};
    return cost(packet, message);
}

static void a_packet_costs_16_to_20_bytes(void **state)
{
    (void)state;
    uint8_t bytes[64];
    size_t size = 0;
    const struct nkv_buffer room = {bytes, sizeof bytes};
    struct nkv_packet packet = {.channel_id = 1,
                                .service_id = NKV_SERVICE_STORE,
                                .method_id = NKV_METHOD_STORE_PUT,
                                .call_id = 1,
                                .payload = {NULL, 100}};
    assert_int_equal(nkv_packet_encode_head(&packet, room, &size), NKV_OK);
    assert_int_equal(size, 16);
    packet.type = NKV_PACKET_SERVER_STREAM;
    packet.call_id = NUMBER;
    packet.payload.size = 500;
    assert_int_equal(nkv_packet_encode_head(&packet, room, &size), NKV_OK);
    assert_int_equal(size, 20);
}

static void a_frame_adds_8_bytes(void **state)
{
    (void)state;
    assert_int_equal(nkv_hdlc_content_size(NKV_HDLC_ADDRESS_RPC, 100) + FLAGS,
                     108);
}

static void a_put_costs_73_bytes_and_its_answer_30(void **state)
{
    (void)state;
    Norkv__V1__PutRequest request = NORKV__V1__PUT_REQUEST__INIT;
    request.key = key;
    request.value = value;
    assert_int_equal(request_cost(NKV_METHOD_STORE_PUT, &request.base), 73);

    Norkv__V1__WriteResponse response = NORKV__V1__WRITE_RESPONSE__INIT;
    response.version = NUMBER;
    assert_int_equal(response_cost(NKV_METHOD_STORE_PUT, &response.base), 30);
}

static void a_put_that_happens_once_costs_83_bytes(void **state)
{
    (void)state;
    Norkv__V1__Op op = NORKV__V1__OP__INIT;
    op.session = 0x12345678;
    op.seq = NUMBER;
    Norkv__V1__PutRequest request = NORKV__V1__PUT_REQUEST__INIT;
    request.key = key;
    request.value = value;
    request.op = &op;
    assert_int_equal(request_cost(NKV_METHOD_STORE_PUT, &request.base), 83);
    request.crc32 = 0x12345678;
    assert_int_equal(request_cost(NKV_METHOD_STORE_PUT, &request.base), 88);
}

static void a_get_costs_39_bytes_and_its_answer_64_or_69(void **state)
{
    (void)state;
    Norkv__V1__GetRequest request = NORKV__V1__GET_REQUEST__INIT;
    request.key = key;
    assert_int_equal(request_cost(NKV_METHOD_STORE_GET, &request.base), 39);

    Norkv__V1__GetResponse response = NORKV__V1__GET_RESPONSE__INIT;
    response.value = value;
    response.version = NUMBER;
    assert_int_equal(response_cost(NKV_METHOD_STORE_GET, &response.base), 64);
    response.crc32 = 0x12345678;
    assert_int_equal(response_cost(NKV_METHOD_STORE_GET, &response.base), 69);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_costs_16_to_20_bytes),
        cmocka_unit_test(a_frame_adds_8_bytes),
        cmocka_unit_test(a_put_costs_73_bytes_and_its_answer_30),
        cmocka_unit_test(a_put_that_happens_once_costs_83_bytes),
        cmocka_unit_test(a_get_costs_39_bytes_and_its_answer_64_or_69),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
