#include "packet_frame.h"

#include <stdlib.h>

enum nkv_status nkv_packet_frame_send(const struct nkv_hdlc_sink *sink,
                                      const struct nkv_packet *packet)
{
    const size_t capacity = packet->payload.size + NKV_PACKET_OVERHEAD_MAX;
    const struct nkv_buffer room = {malloc(capacity), capacity};
    enum nkv_status status = NKV_RESOURCE_EXHAUSTED;
    size_t size = 0;

    if (room.data != NULL) {
        status = nkv_packet_encode(packet, room, &size);
    }
    if (status == NKV_OK) {
        status = nkv_hdlc_encode(sink, NKV_HDLC_ADDRESS_RPC,
                                 (struct nkv_span){room.data, size});
    }
    free(room.data);
    return status;
}

enum nkv_status nkv_packet_frame_take(struct nkv_hdlc_decoder *decoder,
                                      uint8_t byte, struct nkv_packet *packet)
{
    struct nkv_hdlc_frame frame;
    const enum nkv_status status = nkv_hdlc_decode(decoder, byte, &frame);

    return status == NKV_OK ? nkv_packet_decode(frame.payload, packet) : status;
}

enum nkv_status nkv_packet_frame_last(struct nkv_span bytes,
                                      struct nkv_buffer room,
                                      struct nkv_packet *packet)
{
    struct nkv_hdlc_decoder decoder;
    enum nkv_status found = NKV_NOT_FOUND;

    nkv_hdlc_decoder_init(&decoder, room);
    for (size_t i = 0; i < bytes.size; i++) {
        const enum nkv_status status =
            nkv_packet_frame_take(&decoder, bytes.data[i], packet);

        if (status != NKV_OK && status != NKV_UNAVAILABLE) {
            return status;
        }
        if (status == NKV_OK) {
            found = NKV_OK;
        }
    }
    return found;
}
