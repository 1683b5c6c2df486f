/* The dispatcher against the conversations recorded from a reference server. */
#include "demo_service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static json_t *load_vectors(void)
{
    json_error_t error;
    json_t *root = json_load_file(NORKV_VECTORS "/rpc.json", 0, &error);

    if (root == NULL) {
        fail_msg("rpc.json:%d: %s", error.line, error.text);
    }
    return root;
}

static size_t from_hex(const char *hex, uint8_t *to, size_t capacity)
{
    size_t size = strlen(hex) / 2;

    assert_true(size <= capacity);
    for (size_t i = 0; i < size; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        char *end = NULL;

        to[i] = (uint8_t)strtoul(digits, &end, 16);
        assert_true(*end == '\0');
    }
    return size;
}

static const char *string_member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    if (text == NULL) {
        fail_msg("no member %s", name);
    }
    return text;
}

static uint32_t type_number(const char *name)
{
    if (strcmp(name, "RESPONSE") == 0) {
        return NKV_PACKET_RESPONSE;
    }
    if (strcmp(name, "SERVER_ERROR") == 0) {
        return NKV_PACKET_SERVER_ERROR;
    }
    assert_string_equal(name, "SERVER_STREAM");
    return NKV_PACKET_SERVER_STREAM;
}

static uint32_t hex_member(const json_t *object, const char *name)
{
    return (uint32_t)strtoul(string_member(object, name), NULL, 16);
}

static uint32_t int_member(const json_t *object, const char *name)
{
    return (uint32_t)json_integer_value(json_object_get(object, name));
}

static void compare_reply(const json_t *expected, struct nkv_span bytes)
{
    struct nkv_packet reply;
    uint8_t payload[NKV_DEMO_PACKET];
    size_t size =
        from_hex(string_member(expected, "payload"), payload, sizeof payload);

    assert_int_equal(nkv_packet_decode(bytes, &reply), NKV_OK);
    assert_int_equal(reply.type, type_number(string_member(expected, "type")));
    assert_int_equal(reply.channel_id, int_member(expected, "channel_id"));
    assert_int_equal(reply.service_id, hex_member(expected, "service_id"));
    assert_int_equal(reply.method_id, hex_member(expected, "method_id"));
    assert_int_equal(reply.call_id, int_member(expected, "call_id"));
    assert_int_equal(reply.status, int_member(expected, "status"));
    assert_int_equal(reply.payload.size, size);
    if (size > 0) {
        assert_memory_equal(reply.payload.data, payload, size);
    }
}

static void take_step(struct nkv_demo *demo, const json_t *step)
{
    const json_t *replies = json_object_get(step, "replies");
    uint8_t packet[NKV_DEMO_PACKET];
    size_t size = from_hex(string_member(step, "send"), packet, sizeof packet);
    enum nkv_status status;

    demo->reply_count = 0;
    status = nkv_rpc_process(&demo->rpc, (struct nkv_span){packet, size});
    assert_string_equal(nkv_status_name(status),
                        string_member(step, "process_status"));
    assert_true(json_is_array(replies));
    assert_int_equal(demo->reply_count, json_array_size(replies));
    for (size_t i = 0; i < demo->reply_count; i++) {
        compare_reply(
            json_array_get(replies, i),
            (struct nkv_span){demo->replies[i], demo->reply_sizes[i]});
    }
}

static void every_conversation_gets_the_recorded_replies(void **state)
{
    json_t *root = load_vectors();
    const json_t *list =
        json_object_get(json_object_get(root, "conversations"), "list");
    size_t steps = 0;

    (void)state;
    assert_true(json_array_size(list) >= 31);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *conversation = json_array_get(list, i);
        const json_t *sent = json_object_get(conversation, "steps");
        struct nkv_demo demo;

        print_message("conversation: %s\n",
                      string_member(conversation, "name"));
        nkv_demo_init(&demo);
        for (size_t j = 0; j < json_array_size(sent); j++) {
            take_step(&demo, json_array_get(sent, j));
            steps++;
        }
    }
    assert_true(steps >= 50);
    json_decref(root);
}

static void ids_of_the_demo_are_the_hashes_of_its_names(void **state)
{
    (void)state;
    assert_int_equal(nkv_name_id("demo.kv.Kv"), NKV_DEMO_SERVICE);
    assert_int_equal(nkv_name_id("Get"), NKV_DEMO_GET);
    assert_int_equal(nkv_name_id("Put"), NKV_DEMO_PUT);
    assert_int_equal(nkv_name_id("Scan"), NKV_DEMO_SCAN);
    assert_int_equal(nkv_name_id("Restore"), NKV_DEMO_RESTORE);
    assert_int_equal(nkv_name_id("Chat"), NKV_DEMO_CHAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_conversation_gets_the_recorded_replies),
        cmocka_unit_test(ids_of_the_demo_are_the_hashes_of_its_names),
    };

    return cmocka_run_group_tests_name("rpc conversations", tests, NULL, NULL);
}
