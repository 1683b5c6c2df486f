/*
 * HDLC frames as pw_hdlc makes them (docs/protocol.md, Frames):
 *
 *   7E | esc(address) | esc(control) | esc(payload) | esc(CRC-32) | 7E
 *
 * The decoder is fed one byte at a time and keeps the content (address to CRC,
 * unescaped) in the caller's buffer. The encoder hands bytes to a function.
 */
#ifndef NORKV_HDLC_H
#define NORKV_HDLC_H

#include <norkv/bytes.h>
#include <norkv/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /* Ends a frame, and begins the next. */
    NKV_HDLC_FLAG = 0x7E,
    /* Stands for the byte behind it with NKV_HDLC_ESCAPE_XOR undone. */
    NKV_HDLC_ESCAPE = 0x7D,
    NKV_HDLC_ESCAPE_XOR = 0x20,
    /* RPC packets travel under 'R', text logs under 1. */
    NKV_HDLC_ADDRESS_RPC = 'R',
    NKV_HDLC_ADDRESS_LOG = 1,
    /* Unnumbered information: the only control byte ever sent. */
    NKV_HDLC_CONTROL = 0x03,
    /* Address, control and CRC at their smallest, bytes. */
    NKV_HDLC_CONTENT_MIN = 6,
    NKV_HDLC_ADDRESS_SIZE_MAX = 10
};

struct nkv_hdlc_frame {
    uint64_t address;
    uint8_t control;
    /* Points into the decoder's buffer: valid until the next byte is fed. */
    struct nkv_span payload;
};

/* A decoder. Members are private. */
struct nkv_hdlc_decoder {
    uint8_t *buffer;
    size_t capacity;
    size_t size;
    uint32_t crc;
    uint8_t state;
};

/*
 * Prepares a decoder that accepts frames of up to buffer.capacity content bytes
 * (at least NKV_HDLC_CONTENT_MIN). The buffer is borrowed.
 */
void nkv_hdlc_decoder_init(struct nkv_hdlc_decoder *decoder,
                           struct nkv_buffer buffer);

/*
 * Takes one byte.
 *
 * - NKV_OK: this byte ended a good frame, which is in *frame.
 * - NKV_UNAVAILABLE: nothing ended yet.
 * - NKV_DATA_LOSS: this byte ended something that is no good frame: too short,
 *   a bad CRC, a bad escape, or bytes between frames.
 * - NKV_RESOURCE_EXHAUSTED: a good frame that is larger than the buffer.
 */
NKV_MUST_USE enum nkv_status nkv_hdlc_decode(struct nkv_hdlc_decoder *decoder,
                                             uint8_t byte,
                                             struct nkv_hdlc_frame *frame);

/* Where encoded bytes go. Returns NKV_OK or a status that ends the frame. */
struct nkv_hdlc_sink {
    enum nkv_status (*write)(void *context, const uint8_t *data, size_t size);
    void *context;
};

/* Writes one whole frame. Statuses: the sink's. */
NKV_MUST_USE enum nkv_status nkv_hdlc_encode(const struct nkv_hdlc_sink *sink,
                                             uint64_t address,
                                             struct nkv_span payload);

/* Content bytes (what max_frame and rx_window count) of a frame. */
size_t nkv_hdlc_content_size(uint64_t address, size_t payload_size);

/* The most bytes that a frame with this much payload takes on the wire, any
 * address: 31 + 2 * payload_size (pw_hdlc's MaxEncodedFrameSize). */
size_t nkv_hdlc_encoded_size_max(size_t payload_size);

#endif
