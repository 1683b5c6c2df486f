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

static enum nkv_status collect(void *context, const uint8_t *data, size_t size)
{
    struct writer *writer = context;

    while (size > 0) {
        size_t room = sizeof writer->bytes - writer->size;
        size_t piece = size < room ? size : room;

        memcpy(writer->bytes + writer->size, data, piece);
        writer->size += piece;
        data += piece;
        size -= piece;
        if (writer->size == sizeof writer->bytes) {
            enum nkv_status status = flush(writer);

            if (status != NKV_OK) {
                return status;
            }
        }
    }
    return NKV_OK;
}

enum nkv_status nkv_write_frame(const struct nkv_byte_stream *stream,
                                uint64_t address, struct nkv_span payload)
{
    struct writer writer = {.stream = stream};
    struct nkv_hdlc_sink sink = {.write = collect, .context = &writer};
    enum nkv_status status = nkv_hdlc_encode(&sink, address, payload);

    return status == NKV_OK ? flush(&writer) : status;
}
