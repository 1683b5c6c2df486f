/*
 * The frame decoder: the first byte chooses its room, the rest is the line.
 * Good frames come back when they are encoded again. The same bytes as a
 * payload arrive as they were sent.
 */
#include "fuzz.h"
#include <norkv/hdlc.h>
#include <stdlib.h>
#include <string.h>

struct line {
    uint8_t *data;
    size_t capacity;
    size_t size;
};

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static enum nkv_status write_line(void *context, const uint8_t *data,
                                  size_t size)
{
    struct line *line = context;
    check(size <= line->capacity - line->size);
    memcpy(line->data + line->size, data, size);
    line->size += size;
    return NKV_OK;
}

/* Sends a payload through encoder and decoder. */
static void check_round_trip(uint64_t address, struct nkv_span payload)
{
    const size_t line_size = nkv_hdlc_encoded_size_max(payload.size);
    const size_t content = nkv_hdlc_content_size(address, payload.size);
    struct line line = {malloc(line_size), line_size, 0};
    const struct nkv_buffer room = {malloc(content), content};
    check(line.data != NULL && room.data != NULL);
    const struct nkv_hdlc_sink sink = {write_line, &line};
    check(nkv_hdlc_encode(&sink, address, payload) == NKV_OK);

    struct nkv_hdlc_decoder decoder;
    struct nkv_hdlc_frame frame;
    nkv_hdlc_decoder_init(&decoder, room);
    enum nkv_status status = NKV_UNAVAILABLE;
    for (size_t i = 0; i < line.size; i++) {
        check(status == NKV_UNAVAILABLE);
        status = nkv_hdlc_decode(&decoder, line.data[i], &frame);
    }
    check(status == NKV_OK && frame.address == address);
    check(frame.payload.size == payload.size);
    check(payload.size == 0 ||
          memcmp(frame.payload.data, payload.data, payload.size) == 0);
    free(line.data);
    free(room.data);
}

static void check_frame(const struct nkv_hdlc_frame *frame,
                        struct nkv_buffer room)
{
    check(frame->payload.data >= room.data &&
          frame->payload.data <= room.data + room.capacity);
    check(frame->payload.size <=
          (size_t)(room.data + room.capacity - frame->payload.data));
    check_round_trip(frame->address, frame->payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const size_t capacity = NKV_HDLC_CONTENT_MIN + (size_t)data[0];
    const struct nkv_buffer room = {malloc(capacity), capacity};
    check(room.data != NULL);
    struct nkv_hdlc_decoder decoder;
    nkv_hdlc_decoder_init(&decoder, room);
    for (size_t i = 1; i < size; i++) {
        struct nkv_hdlc_frame frame;
        const enum nkv_status status =
            nkv_hdlc_decode(&decoder, data[i], &frame);
        check(data[i] == 0x7E || status == NKV_UNAVAILABLE);
        if (status == NKV_OK) {
            check_frame(&frame, room);
        }
    }
    free(room.data);
    check_round_trip(data[0], (struct nkv_span){data + 1, size - 1});
    return 0;
}
