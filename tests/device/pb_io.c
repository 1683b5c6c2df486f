#include "pb_io.h"

#include <pb_decode.h>
#include <pb_encode.h>
#include <string.h>

/* Where a stream over memory has come to; substreams share it. */
struct cursor {
    const uint8_t *at;
};

/* nanopb has checked that count bytes are left. */
static bool read_bytes(pb_istream_t *stream, pb_byte_t *to, size_t count)
{
    struct cursor *cursor = stream->state;

    if (to != NULL) {
        memcpy(to, cursor->at, count);
    }
    cursor->at += count;
    return true;
}

static bool take(pb_istream_t *stream, const pb_field_t *field, void **arg)
{
    struct nkv_span *to = *arg;
    const struct cursor *cursor = stream->state;

    (void)field;
    /* For a field of another wire type nanopb makes a stream of its own, over
     * a buffer that is gone soon. */
    if (stream->callback != read_bytes) {
        return false;
    }
    to->data = cursor->at;
    to->size = stream->bytes_left;
    return pb_read(stream, NULL, stream->bytes_left);
}

void nkv_pb_take(pb_callback_t *field, struct nkv_span *to)
{
    *to = (struct nkv_span){NULL, 0};
    field->funcs.decode = take;
    field->arg = to;
}

bool nkv_pb_decode(struct nkv_span bytes, const pb_msgdesc_t *fields,
                   void *message)
{
    struct cursor cursor = {bytes.data};
    pb_istream_t stream = {
        .callback = read_bytes,
        .state = &cursor,
        .bytes_left = bytes.size,
    };

    return pb_decode(&stream, fields, message);
}

static bool give(pb_ostream_t *stream, const pb_field_t *field,
                 void *const *arg)
{
    const struct nkv_span *from = *arg;

    if (from->size == 0) {
        return true;
    }
    return pb_encode_tag_for_field(stream, field) &&
           pb_encode_string(stream, from->data, from->size);
}

/* nanopb's argument pointer serves both directions, so it has no const. */
static void *argument(const struct nkv_span *from)
{
    union {
        const void *given;
        void *taken;
    } pointer = {.given = from};

    return pointer.taken;
}

void nkv_pb_give(pb_callback_t *field, const struct nkv_span *from)
{
    field->funcs.encode = give;
    field->arg = argument(from);
}

bool nkv_pb_encode(struct nkv_buffer room, const pb_msgdesc_t *fields,
                   const void *message, struct nkv_span *encoded)
{
    pb_ostream_t stream = pb_ostream_from_buffer(room.data, room.capacity);

    if (!pb_encode(&stream, fields, message)) {
        return false;
    }
    *encoded = (struct nkv_span){room.data, stream.bytes_written};
    return true;
}
