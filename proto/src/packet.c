#include <norkv/fields.h>
#include <norkv/packet.h>
#include <string.h>

#define FIELD(number, wire_type, kind, member)                                 \
    {                                                                          \
        NKV_FIELD_KEY(number, wire_type), (kind),                              \
            offsetof(struct nkv_packet, member)                                \
    }

/* In the order in which they are written: the payload is last. */
static const struct nkv_field fields[] = {
    FIELD(1, NKV_WIRE_VARINT, NKV_FIELD_UINT32, type),
    FIELD(2, NKV_WIRE_VARINT, NKV_FIELD_UINT32, channel_id),
    FIELD(3, NKV_WIRE_FIXED32, NKV_FIELD_FIXED32, service_id),
    FIELD(4, NKV_WIRE_FIXED32, NKV_FIELD_FIXED32, method_id),
    FIELD(6, NKV_WIRE_VARINT, NKV_FIELD_UINT32, status),
    FIELD(7, NKV_WIRE_VARINT, NKV_FIELD_UINT32, call_id),
    FIELD(5, NKV_WIRE_BYTES, NKV_FIELD_BYTES_BEHIND, payload),
    {0, NKV_FIELD_END, 0}};

enum nkv_status nkv_packet_decode(struct nkv_span bytes,
                                  struct nkv_packet *packet)
{
    *packet = (struct nkv_packet){.type = NKV_PACKET_REQUEST};
    return nkv_fields_decode(bytes, fields, false, packet) ? NKV_OK
                                                           : NKV_DATA_LOSS;
}

enum nkv_status nkv_packet_encode_head(const struct nkv_packet *packet,
                                       struct nkv_buffer to, size_t *size)
{
    const size_t capacity = to.capacity;
    if (!nkv_fields_prepend(&to, 0, fields, packet)) {
        return NKV_RESOURCE_EXHAUSTED;
    }
    *size = capacity - to.capacity;
    return NKV_OK;
}

enum nkv_status nkv_packet_encode(const struct nkv_packet *packet,
                                  struct nkv_buffer to, size_t *size)
{
    const struct nkv_span payload = packet->payload;
    size_t head_size = 0;
    if (nkv_packet_encode_head(packet, to, &head_size) != NKV_OK ||
        payload.size > to.capacity - head_size) {
        return NKV_RESOURCE_EXHAUSTED;
    }
    memmove(to.data, to.data + to.capacity - head_size, head_size);
    if (payload.size > 0) {
        memcpy(to.data + head_size, payload.data, payload.size);
    }
    *size = head_size + payload.size;
    return NKV_OK;
}
