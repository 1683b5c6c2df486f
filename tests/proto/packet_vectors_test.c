/* Packets that Pigweed's implementations sent, and what they mean. */
#include "cmocka_all.h"
#include "packet_check.h"
#include "vectors.h"
#include <norkv/packet.h>
#include <stdlib.h>
#include <string.h>

static uint32_t optional_number(const json_t *fields, const char *key)
{
    return json_object_get(fields, key) == NULL
               ? 0
               : (uint32_t)nkv_vectors_number(fields, key);
}

static uint32_t type_number(const json_t *root, const json_t *fields)
{
    const char *name = json_string_value(nkv_vectors_get(fields, "type"));
    return (uint32_t)nkv_vectors_number(nkv_vectors_get(root, "packet_types"),
                                        name);
}

/* The caller frees the payload. */
static struct nkv_packet expected_packet(const json_t *root,
                                         const json_t *fields,
                                         struct nkv_buffer *payload)
{
    struct nkv_packet packet = {
        .type = type_number(root, fields),
        .channel_id = optional_number(fields, "channel_id"),
        .service_id = optional_number(fields, "service_id"),
        .method_id = optional_number(fields, "method_id"),
        .call_id = optional_number(fields, "call_id"),
        .status = optional_number(fields, "status")};
    *payload = json_object_get(fields, "payload") == NULL
                   ? nkv_unhex("")
                   : nkv_vectors_bytes(fields, "payload");
    packet.payload = nkv_span_of(*payload);
    return packet;
}

/* What is written means the same as what came, and is no longer. */
static void check_encode(const struct nkv_packet *packet, size_t recorded_size)
{
    uint8_t bytes[128];
    size_t size = 0;
    assert_int_equal(nkv_packet_encode(packet,
                                       (struct nkv_buffer){bytes, sizeof bytes},
                                       &size),
                     NKV_OK);
    assert_true(size <= recorded_size);
    nkv_check_decodes_to((struct nkv_span){bytes, size}, packet);
}

static void check_packet(const json_t *root, const json_t *item)
{
    print_message("%s\n", json_string_value(nkv_vectors_get(item, "name")));
    struct nkv_buffer bytes = nkv_vectors_bytes(item, "hex");
    const json_t *fields = json_object_get(item, "fields");
    if (fields == NULL) {
        const char *error = json_string_value(nkv_vectors_get(item, "error"));
        assert_string_equal(error, "DATA_LOSS");
        nkv_check_decodes_to(nkv_span_of(bytes), NULL);
    } else {
        struct nkv_buffer payload;
        const struct nkv_packet expected =
            expected_packet(root, fields, &payload);
        nkv_check_decodes_to(nkv_span_of(bytes), &expected);
        check_encode(&expected, bytes.capacity);
        free(payload.data);
    }
    free(bytes.data);
}

static void every_recorded_packet_is_understood_and_written(void **state)
{
    (void)state;
    json_t *root = nkv_vectors_load("rpc.json");
    const json_t *list = nkv_vectors_get(root, "packets");
    assert_true(json_array_size(list) >= 16);
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        check_packet(root, item);
    }
    json_decref(root);
}

static void check_reply(const json_t *root, const json_t *reply,
                        const char *recorded)
{
    struct nkv_buffer bytes = nkv_unhex(recorded);
    struct nkv_buffer payload;
    const struct nkv_packet expected = expected_packet(root, reply, &payload);
    nkv_check_decodes_to(nkv_span_of(bytes), &expected);
    free(payload.data);
    free(bytes.data);
}

static size_t check_step(const json_t *root, const json_t *step)
{
    const json_t *replies = nkv_vectors_get(step, "replies");
    const json_t *recorded = json_object_get(step, "replies_hex_cpp");
    size_t i;
    json_t *reply;
    json_array_foreach(replies, i, reply)
    {
        const char *hex = json_string_value(json_array_get(recorded, i));
        assert_non_null(hex);
        check_reply(root, reply, hex);
    }
    return json_array_size(replies);
}

static void every_answer_of_the_recorded_server_is_understood(void **state)
{
    (void)state;
    json_t *root = nkv_vectors_load("rpc.json");
    const json_t *list =
        nkv_vectors_get(nkv_vectors_get(root, "conversations"), "list");
    size_t count = 0;
    size_t i;
    json_t *conversation;
    json_array_foreach(list, i, conversation)
    {
        size_t k;
        json_t *step;
        json_array_foreach(nkv_vectors_get(conversation, "steps"), k, step)
        {
            count += check_step(root, step);
        }
    }
    assert_true(count > 20);
    json_decref(root);
}

static void types_and_statuses_have_the_numbers_of_the_reference(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum nkv_packet_type type;
    } types[] = {
        {"REQUEST", NKV_PACKET_REQUEST},
        {"RESPONSE", NKV_PACKET_RESPONSE},
        {"CLIENT_STREAM", NKV_PACKET_CLIENT_STREAM},
        {"CLIENT_ERROR", NKV_PACKET_CLIENT_ERROR},
        {"SERVER_ERROR", NKV_PACKET_SERVER_ERROR},
        {"SERVER_STREAM", NKV_PACKET_SERVER_STREAM},
        {"CLIENT_REQUEST_COMPLETION", NKV_PACKET_CLIENT_REQUEST_COMPLETION}};
    json_t *root = nkv_vectors_load("rpc.json");
    const json_t *numbers = nkv_vectors_get(root, "packet_types");
    assert_int_equal(json_object_size(numbers), sizeof types / sizeof types[0]);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        assert_int_equal(nkv_vectors_number(numbers, types[i].name),
                         types[i].type);
    }
    json_t *codes = nkv_vectors_get(root, "status_codes");
    assert_int_equal(json_object_size(codes), 17);
    const char *name;
    json_t *code;
    json_object_foreach(codes, name, code)
    {
        const enum nkv_status status =
            (enum nkv_status)json_integer_value(code);
        assert_string_equal(nkv_status_name(status), name);
    }
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_recorded_packet_is_understood_and_written),
        cmocka_unit_test(every_answer_of_the_recorded_server_is_understood),
        cmocka_unit_test(types_and_statuses_have_the_numbers_of_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
