#include "frame_writer.h"

#include <string.h>

/* The encoder gives bytes in small pieces; a write costs a driver call. */
struct writer {
    const struct nkv_byte_stream *stream;
    size_t size;
    uint8_t bytes[64];
};

static enum nkv_status flush(struct writer *writer)
{
    size_t size = writer->size;

    writer->size = 0;
    if (size == 0) {
        return NKV_OK;
    }
    return writer->stream->write(writer->stream->context, writer->bytes, size);
}

/* Takes what there is room for; returns how much that was. */
static size_t fill(struct writer *writer, const uint8_t *data, size_t size)
{
    size_t room = sizeof writer->bytes - writer->size;
    size_t piece = size < room ? size : room;

    memcpy(writer->bytes + writer->size, data, piece);
    writer->size += piece;
    return piece;
}

static enum nkv_status collect(void *context, const uint8_t *data, size_t size)
{
    struct writer *writer = context;
    enum nkv_status status = NKV_OK;

    while (size > 0 && status == NKV_OK) {
        size_t piece = fill(writer, data, size);

        data += piece;
        size -= piece;
        if (writer->size == sizeof writer->bytes) {
            status = flush(writer);
        }
    }
    return status;
}

enum nkv_status nkv_write_frame(const struct nkv_byte_stream *stream,
                                uint64_t address, struct nkv_span payload)
{
    struct writer writer = {.stream = stream};
    struct nkv_hdlc_sink sink = {.write = collect, .context = &writer};
    enum nkv_status status = nkv_hdlc_encode(&sink, address, payload);

    return status == NKV_OK ? flush(&writer) : status;
}
