#include <norkv/packet.h>
#include <string.h>

enum field {
    FIELD_TYPE = 1,
    FIELD_CHANNEL_ID = 2,
    FIELD_SERVICE_ID = 3,
    FIELD_METHOD_ID = 4,
    FIELD_PAYLOAD = 5,
    FIELD_STATUS = 6,
    FIELD_CALL_ID = 7
};

/* Protobuf's wire types; 3 and 4, groups, are retired and refused. */
enum wire_type { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

enum { VARINT32_SIZE_MAX = 5, VARINT64_SIZE_MAX = 10 };

struct field_value {
    uint32_t number;
    uint32_t wire_type;
    /* Of a varint or a fixed one its low 32 bits. */
    uint32_t integer;
    struct nkv_span bytes;
};

/* Takes the first size bytes off *from. */
static bool take(struct nkv_span *from, uint64_t size, struct nkv_span *taken)
{
    if (size > from->size) {
        return false;
    }
    taken->data = from->data;
    taken->size = (size_t)size;
    if (size > 0) {
        from->data += size;
        from->size -= (size_t)size;
    }
    return true;
}

/* Any number of bytes up to size_max, also more than the value needs. */
static bool take_varint(struct nkv_span *from, size_t size_max, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < from->size && i < size_max; i++) {
        const uint8_t byte = from->data[i];
        *value |= (uint64_t)(byte & 0x7F) << (7 * i);
        if ((byte & 0x80) == 0) {
            struct nkv_span taken;
            return take(from, i + 1, &taken);
        }
    }
    return false;
}

static bool take_key(struct nkv_span *from, struct field_value *field)
{
    uint64_t key = 0;
    if (!take_varint(from, VARINT32_SIZE_MAX, &key) || key > UINT32_MAX) {
        return false;
    }
    field->number = (uint32_t)key >> 3;
    field->wire_type = (uint32_t)key & 7;
    return field->number != 0;
}

static bool take_field(struct nkv_span *from, struct field_value *field)
{
    uint64_t value = 0;
    field->integer = 0;
    if (!take_key(from, field)) {
        return false;
    }
    switch (field->wire_type) {
    case VARINT:
        if (!take_varint(from, VARINT64_SIZE_MAX, &value)) {
            return false;
        }
        field->integer = (uint32_t)value;
        return true;
    case FIXED64:
        return take(from, 8, &field->bytes);
    case BYTES:
        return take_varint(from, VARINT64_SIZE_MAX, &value) &&
               take(from, value, &field->bytes);
    case FIXED32:
        if (!take(from, 4, &field->bytes)) {
            return false;
        }
        field->integer = nkv_load_le32(field->bytes.data);
        return true;
    default:
        return false;
    }
}

/* A known number under another wire type is an unknown field. */
static void keep_varint(const struct field_value *field,
                        struct nkv_packet *packet)
{
    switch (field->number) {
    case FIELD_TYPE:
        packet->type = field->integer;
        break;
    case FIELD_CHANNEL_ID:
        packet->channel_id = field->integer;
        break;
    case FIELD_STATUS:
        packet->status = field->integer;
        break;
    case FIELD_CALL_ID:
        packet->call_id = field->integer;
        break;
    default:
        break;
    }
}

static void keep_field(const struct field_value *field,
                       struct nkv_packet *packet)
{
    if (field->wire_type == VARINT) {
        keep_varint(field, packet);
    } else if (field->wire_type == FIXED32 &&
               field->number == FIELD_SERVICE_ID) {
        packet->service_id = field->integer;
    } else if (field->wire_type == FIXED32 &&
               field->number == FIELD_METHOD_ID) {
        packet->method_id = field->integer;
    } else if (field->wire_type == BYTES && field->number == FIELD_PAYLOAD) {
        packet->payload = field->bytes;
    }
}

enum nkv_status nkv_packet_decode(struct nkv_span bytes,
                                  struct nkv_packet *packet)
{
    *packet = (struct nkv_packet){.type = NKV_PACKET_REQUEST};
    while (bytes.size > 0) {
        struct field_value field;
        if (!take_field(&bytes, &field)) {
            return NKV_DATA_LOSS;
        }
        keep_field(&field, packet);
    }
    return NKV_OK;
}

/* Room that is being filled; full once something did not fit. */
struct writer {
    struct nkv_buffer to;
    size_t size;
    bool full;
};

static void put_byte(struct writer *writer, uint8_t byte)
{
    if (writer->size == writer->to.capacity) {
        writer->full = true;
        return;
    }
    writer->to.data[writer->size++] = byte;
}

static void put_key(struct writer *writer, enum field field,
                    enum wire_type wire_type)
{
    put_byte(writer, (uint8_t)((uint32_t)field << 3 | (uint32_t)wire_type));
}

static void put_varint(struct writer *writer, uint64_t value)
{
    while (value > 0x7F) {
        put_byte(writer, (uint8_t)(value | 0x80));
        value >>= 7;
    }
    put_byte(writer, (uint8_t)value);
}

static void put_integer(struct writer *writer, enum field field, uint32_t value)
{
    if (value == 0) {
        return;
    }
    put_key(writer, field, VARINT);
    put_varint(writer, value);
}

static void put_id(struct writer *writer, enum field field, uint32_t id)
{
    if (id == 0) {
        return;
    }
    put_key(writer, field, FIXED32);
    for (unsigned shift = 0; shift < 32; shift += 8) {
        put_byte(writer, (uint8_t)(id >> shift));
    }
}

enum nkv_status nkv_packet_encode_head(const struct nkv_packet *packet,
                                       struct nkv_buffer to, size_t *size)
{
    struct writer writer = {.to = to};
    put_integer(&writer, FIELD_TYPE, packet->type);
    put_integer(&writer, FIELD_CHANNEL_ID, packet->channel_id);
    put_id(&writer, FIELD_SERVICE_ID, packet->service_id);
    put_id(&writer, FIELD_METHOD_ID, packet->method_id);
    put_integer(&writer, FIELD_STATUS, packet->status);
    put_integer(&writer, FIELD_CALL_ID, packet->call_id);
    if (packet->payload.size > 0) {
        put_key(&writer, FIELD_PAYLOAD, BYTES);
        put_varint(&writer, packet->payload.size);
    }
    if (writer.full) {
        return NKV_RESOURCE_EXHAUSTED;
    }
    *size = writer.size;
    return NKV_OK;
}

enum nkv_status nkv_packet_encode(const struct nkv_packet *packet,
                                  struct nkv_buffer to, size_t *size)
{
    size_t head_size = 0;
    const enum nkv_status status =
        nkv_packet_encode_head(packet, to, &head_size);
    if (status != NKV_OK) {
        return status;
    }
    const struct nkv_span payload = packet->payload;
    if (payload.size > to.capacity - head_size) {
        return NKV_RESOURCE_EXHAUSTED;
    }
    if (payload.size > 0) {
        memcpy(to.data + head_size, payload.data, payload.size);
    }
    *size = head_size + payload.size;
    return NKV_OK;
}
