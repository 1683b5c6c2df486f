/* The one way out: all that the device sends is a frame written here, so that
 * text and answers never mix. */
#ifndef NKV_FRAME_WRITER_H
#define NKV_FRAME_WRITER_H

#include <norkv/server.h>

/* Writes a frame to the stream. Statuses: the stream's. */
NKV_MUST_USE enum nkv_status
nkv_write_frame(const struct nkv_byte_stream *stream, uint64_t address,
                struct nkv_span payload);

#endif
