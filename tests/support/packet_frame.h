/* RPC packets on a line, each in a frame of its own. */
#ifndef NORKV_TESTS_PACKET_FRAME_H
#define NORKV_TESTS_PACKET_FRAME_H

#include <norkv/hdlc.h>
#include <norkv/packet.h>

/* Writes a packet in a frame. Statuses: the sink's, and
 * NKV_RESOURCE_EXHAUSTED: no memory. */
NKV_MUST_USE enum nkv_status
nkv_packet_frame_send(const struct nkv_hdlc_sink *sink,
                      const struct nkv_packet *packet);

/*
 * Takes one byte. The packet's payload lies in the decoder's buffer.
 *
 * - NKV_OK: this byte ended a good frame with a packet, which is in *packet.
 * - NKV_UNAVAILABLE: nothing ended yet.
 * - What else nkv_hdlc_decode and nkv_packet_decode return.
 */
NKV_MUST_USE enum nkv_status
nkv_packet_frame_take(struct nkv_hdlc_decoder *decoder, uint8_t byte,
                      struct nkv_packet *packet);

/*
 * The last packet among these bytes, in *packet. Its payload lies in room,
 * which holds one frame's content, unless more of a frame comes behind it.
 *
 * - NKV_NOT_FOUND: there is none; *packet is as it was.
 * - NKV_DATA_LOSS, NKV_RESOURCE_EXHAUSTED: something that ends there is no
 *   packet, or larger than room.
 */
NKV_MUST_USE enum nkv_status nkv_packet_frame_last(struct nkv_span bytes,
                                                   struct nkv_buffer room,
                                                   struct nkv_packet *packet);

#endif
