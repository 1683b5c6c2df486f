/* The HDLC codec against what pw_hdlc's own code gives. */
#include "cmocka_all.h"
#include "collect.h"
#include "vectors.h"
#include <norkv/crc32.h>
#include <norkv/hdlc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Compares one thing that a decoder reported with the recorded one. */
static void check_event(enum nkv_status status,
                        const struct nkv_hdlc_frame *frame,
                        const json_t *expected)
{
    if (!json_is_true(nkv_vectors_get(expected, "ok"))) {
        assert_string_equal(
            nkv_status_name(status),
            json_string_value(nkv_vectors_get(expected, "status")));
        return;
    }
    assert_int_equal(status, NKV_OK);
    assert_true(frame->address == nkv_vectors_number(expected, "address"));
    struct nkv_buffer control = nkv_vectors_bytes(expected, "control");
    struct nkv_buffer data = nkv_vectors_bytes(expected, "data");
    assert_int_equal(control.capacity, 1);
    assert_int_equal(frame->control, control.data[0]);
    assert_int_equal(frame->payload.size, data.capacity);
    assert_memory_equal(frame->payload.data, data.data, data.capacity);
    free(control.data);
    free(data.data);
}

static void check_decode(const json_t *item, size_t capacity)
{
    print_message("%s\n", json_string_value(nkv_vectors_get(item, "name")));
    const json_t *expected = nkv_vectors_get(item, "cpp");
    struct nkv_buffer input = nkv_vectors_bytes(item, "input");
    const struct nkv_buffer room = {malloc(capacity), capacity};
    struct nkv_hdlc_decoder decoder;
    nkv_hdlc_decoder_init(&decoder, room);

    size_t events = 0;
    for (size_t i = 0; i < input.capacity; i++) {
        struct nkv_hdlc_frame frame;
        const enum nkv_status status =
            nkv_hdlc_decode(&decoder, input.data[i], &frame);
        if (status != NKV_UNAVAILABLE) {
            assert_true(events < json_array_size(expected));
            check_event(status, &frame, json_array_get(expected, events));
            events++;
        }
    }
    assert_int_equal(events, json_array_size(expected));
    free(room.data);
    free(input.data);
}

static void every_recorded_stream_decodes_as_in_the_reference(void **state)
{
    (void)state;
    json_t *root = nkv_vectors_load("hdlc.json");
    const json_t *list =
        nkv_vectors_get(nkv_vectors_get(root, "hdlc"), "decode");
    assert_true(json_array_size(list) >= 75);
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        check_decode(item, 1024);
    }
    json_decref(root);
}

static void small_buffers_decode_as_in_the_reference(void **state)
{
    (void)state;
    json_t *root = nkv_vectors_load("hdlc.json");
    const json_t *list =
        nkv_vectors_get(nkv_vectors_get(root, "hdlc"), "decode_buffer");
    assert_true(json_array_size(list) >= 7);
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        check_decode(item, (size_t)nkv_vectors_number(item, "buffer_size"));
    }
    json_decref(root);
}

static void check_encode(const json_t *item)
{
    struct nkv_buffer payload = nkv_vectors_bytes(item, "payload");
    struct nkv_buffer frame = nkv_vectors_bytes(item, "frame");
    const uint64_t address = nkv_vectors_number(item, "address");
    struct nkv_collected out;
    nkv_collect_init(&out);

    nkv_collect_frame(&out, address, nkv_span_of(payload));
    assert_int_equal(out.size, frame.capacity);
    assert_memory_equal(out.data, frame.data, out.size);
    assert_true(out.size <= nkv_hdlc_encoded_size_max(payload.capacity));
    free(payload.data);
    free(frame.data);
}

static void every_recorded_frame_is_encoded_to_the_byte(void **state)
{
    (void)state;
    json_t *root = nkv_vectors_load("hdlc.json");
    const json_t *list =
        nkv_vectors_get(nkv_vectors_get(root, "hdlc"), "encode");
    assert_true(json_array_size(list) >= 23);
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        check_encode(item);
    }
    json_decref(root);
}

static void feed_escaped(struct nkv_collected *stream, uint8_t byte)
{
    const bool special = byte == 0x7E || byte == 0x7D;
    const uint8_t pair[] = {0x7D, byte ^ 0x20};
    const struct nkv_span escaped = {pair, 2};
    const struct nkv_span plain = {&byte, 1};
    nkv_collect_bytes(stream, special ? escaped : plain);
}

/*
 * A stream with this content as its only frame. Its last four bytes are
 * replaced by its CRC: the cases are of a parser that does not check it.
 */
static void make_stream(struct nkv_collected *stream, struct nkv_buffer content)
{
    const uint8_t flag = 0x7E;
    const size_t checked = content.capacity - 4;
    nkv_store_le32(content.data + checked, nkv_crc32(0, content.data, checked));
    nkv_collect_init(stream);
    nkv_collect_bytes(stream, (struct nkv_span){&flag, 1});
    for (size_t i = 0; i < content.capacity; i++) {
        feed_escaped(stream, content.data[i]);
    }
    nkv_collect_bytes(stream, (struct nkv_span){&flag, 1});
}

static void check_parse(const json_t *item)
{
    struct nkv_buffer content = nkv_vectors_bytes(item, "content");
    uint8_t room[64];
    struct nkv_hdlc_decoder decoder;
    nkv_hdlc_decoder_init(&decoder, (struct nkv_buffer){room, sizeof room});
    struct nkv_collected stream;
    make_stream(&stream, content);

    struct nkv_hdlc_frame frame;
    enum nkv_status status = NKV_UNAVAILABLE;
    for (size_t i = 0; i < stream.size; i++) {
        status = nkv_hdlc_decode(&decoder, stream.data[i], &frame);
    }
    if (json_object_get(item, "error") != NULL) {
        assert_int_equal(status, NKV_DATA_LOSS);
    } else {
        assert_int_equal(status, NKV_OK);
        struct nkv_buffer data = nkv_vectors_bytes(item, "data");
        assert_true(frame.address == nkv_vectors_number(item, "address"));
        assert_int_equal(frame.payload.size, data.capacity);
        assert_memory_equal(frame.payload.data, data.data, data.capacity);
        free(data.data);
    }
    free(content.data);
}

static void contents_come_apart_as_in_the_reference(void **state)
{
    (void)state;
    json_t *root = nkv_vectors_load("hdlc.json");
    const json_t *list =
        nkv_vectors_get(nkv_vectors_get(root, "hdlc"), "frame_parse");
    assert_true(json_array_size(list) >= 3);
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        check_parse(item);
    }
    json_decref(root);
}

static void sizes_are_those_of_the_reference(void **state)
{
    (void)state;
    json_t *root = nkv_vectors_load("hdlc.json");
    const json_t *sizes =
        nkv_vectors_get(nkv_vectors_get(root, "hdlc"), "sizes");
    json_t *safe = nkv_vectors_get(sizes, "max_safe_payload");
    assert_true(json_object_size(safe) > 0);
    const char *key;
    json_t *value;
    json_object_foreach(safe, key, value)
    {
        const size_t frame = strtoul(key, NULL, 10);
        const size_t payload = (size_t)json_integer_value(value);
        /* The largest payload that is sure to fit, if any is. */
        assert_true(payload == 0 ||
                    nkv_hdlc_encoded_size_max(payload) <= frame);
        assert_true(nkv_hdlc_encoded_size_max(payload + 1) > frame);
    }
    json_decref(root);
}

static void crc32_is_that_of_the_reference(void **state)
{
    (void)state;
    json_t *root = nkv_vectors_load("hdlc.json");
    const json_t *list = nkv_vectors_get(root, "crc32");
    assert_true(json_array_size(list) >= 3);
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        struct nkv_buffer data = nkv_vectors_bytes(item, "data");
        const json_t *crc = nkv_vectors_get(item, "crc");
        char text[9];
        snprintf(text, sizeof text, "%08x",
                 (unsigned)nkv_crc32(0, data.data, data.capacity));
        assert_string_equal(text, json_string_value(crc));
        free(data.data);
    }
    json_decref(root);
}

static void addresses_are_written_as_in_the_reference(void **state)
{
    (void)state;
    json_t *root = nkv_vectors_load("hdlc.json");
    const json_t *list = nkv_vectors_get(root, "address_varint");
    assert_true(json_array_size(list) >= 11);
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        const uint64_t address = nkv_vectors_number(item, "value");
        struct nkv_buffer bytes = nkv_vectors_bytes(item, "bytes");
        struct nkv_collected expected;
        nkv_collect_init(&expected);
        for (size_t k = 0; k < bytes.capacity; k++) {
            feed_escaped(&expected, bytes.data[k]);
        }
        struct nkv_collected out;
        nkv_collect_init(&out);
        nkv_collect_frame(&out, address, (struct nkv_span){NULL, 0});
        assert_memory_equal(out.data + 1, expected.data, expected.size);
        assert_int_equal(nkv_hdlc_content_size(address, 100),
                         bytes.capacity + 105);
        free(bytes.data);
    }
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_recorded_stream_decodes_as_in_the_reference),
        cmocka_unit_test(small_buffers_decode_as_in_the_reference),
        cmocka_unit_test(every_recorded_frame_is_encoded_to_the_byte),
        cmocka_unit_test(contents_come_apart_as_in_the_reference),
        cmocka_unit_test(sizes_are_those_of_the_reference),
        cmocka_unit_test(crc32_is_that_of_the_reference),
        cmocka_unit_test(addresses_are_written_as_in_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
