#include "trace.h"

#include "method.h"
#include <norkv/hdlc.h>
#include <norkv/ids.h>
#include <string.h>

/* Bytes of a key, value or text that are shown. */
enum { SHOWN_BYTES = 64, DEPTH_MAX = 3 };

static const char *type_name(uint32_t type)
{
    switch (type) {
    case NKV_PACKET_REQUEST:
        return "REQUEST";
    case NKV_PACKET_RESPONSE:
        return "RESPONSE";
    case NKV_PACKET_CLIENT_STREAM:
        return "CLIENT_STREAM";
    case NKV_PACKET_CLIENT_ERROR:
        return "CLIENT_ERROR";
    case NKV_PACKET_SERVER_ERROR:
        return "SERVER_ERROR";
    case NKV_PACKET_SERVER_STREAM:
        return "SERVER_STREAM";
    case NKV_PACKET_CLIENT_REQUEST_COMPLETION:
        return "CLIENT_REQUEST_COMPLETION";
    default:
        return "packet of unknown type";
    }
}

static void add_message(const ProtobufCMessage *message, unsigned depth,
                        struct nkv_text *meaning);

static void add_enum(const ProtobufCFieldDescriptor *field, int32_t number,
                     struct nkv_text *meaning)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(field->descriptor, number);
    if (value != NULL)
        nkv_text_add(meaning, "%s", value->name);
    else
        nkv_text_add(meaning, "%ld", (long)number);
}

/* Adds one value, which lies at from, if it is not its type's zero. */
static void add_value(const ProtobufCFieldDescriptor *field, const void *from,
                      unsigned depth, struct nkv_text *meaning)
{
    union {
        uint32_t number;
        int32_t integer;
        protobuf_c_boolean boolean;
        const char *text;
        ProtobufCBinaryData bytes;
        const ProtobufCMessage *message;
    } value;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        memcpy(&value.text, from, sizeof(value.text));
        struct nkv_span text = {(const uint8_t *)value.text,
                                strlen(value.text)};
        nkv_text_add_bytes(meaning, text, SHOWN_BYTES);
        break;
    case PROTOBUF_C_TYPE_BYTES:
        memcpy(&value.bytes, from, sizeof(value.bytes));
        nkv_text_add_bytes(meaning, nkv_message_span(value.bytes), SHOWN_BYTES);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        memcpy(&value.message, from, sizeof(value.message));
        nkv_text_add(meaning, "{");
        add_message(value.message, depth + 1, meaning);
        nkv_text_add(meaning, " }");
        break;
    case PROTOBUF_C_TYPE_ENUM:
        memcpy(&value.integer, from, sizeof(value.integer));
        add_enum(field, value.integer, meaning);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        nkv_text_add(meaning, "yes");
        break;
    case PROTOBUF_C_TYPE_FIXED32:
        memcpy(&value.number, from, sizeof(value.number));
        nkv_text_add(meaning, "%08lx", (unsigned long)value.number);
        break;
    default:
        memcpy(&value.number, from, sizeof(value.number));
        nkv_text_add(meaning, "%lu", (unsigned long)value.number);
        break;
    }
}

/* Whether a field that is there once has its type's zero, which is not sent. */
static bool is_zero(const ProtobufCFieldDescriptor *field, const uint8_t *from)
{
    uint32_t number;
    const void *pointer;
    ProtobufCBinaryData bytes;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        memcpy(&pointer, from, sizeof(pointer));
        return pointer == NULL || *(const char *)pointer == '\0';
    case PROTOBUF_C_TYPE_MESSAGE:
        memcpy(&pointer, from, sizeof(pointer));
        return pointer == NULL;
    case PROTOBUF_C_TYPE_BYTES:
        memcpy(&bytes, from, sizeof(bytes));
        return bytes.len == 0;
    default:
        memcpy(&number, from, sizeof(number));
        return number == 0;
    }
}

/* Repeated fields are messages in this protocol. */
static void add_repeated(const ProtobufCFieldDescriptor *field,
                         const uint8_t *message, unsigned depth,
                         struct nkv_text *meaning)
{
    size_t count;
    const uint8_t *list;
    memcpy(&count, message + field->quantifier_offset, sizeof(count));
    memcpy(&list, message + field->offset, sizeof(list));
    for (size_t i = 0; i < count; i++) {
        nkv_text_add(meaning, " %s=", field->name);
        add_value(field, list + i * sizeof(void *), depth, meaning);
    }
}

static void add_message(const ProtobufCMessage *message, unsigned depth,
                        struct nkv_text *meaning)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    const uint8_t *base = (const uint8_t *)message;
    if (depth > DEPTH_MAX)
        return;
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            add_repeated(field, base, depth, meaning);
        } else if (!is_zero(field, base + field->offset)) {
            nkv_text_add(meaning, " %s=", field->name);
            add_value(field, base + field->offset, depth, meaning);
        }
    }
}

static void add_payload(const struct nkv_packet *packet,
                        const struct nkv_method *method,
                        struct nkv_text *meaning)
{
    bool to_server = packet->type % 2 == 0;
    if (packet->payload.size == 0)
        return;
    ProtobufCMessage *message = NULL;
    if (method != NULL)
        message = protobuf_c_message_unpack(
            to_server ? method->request : method->answer, NULL,
            packet->payload.size, packet->payload.data);
    if (message == NULL) {
        nkv_text_add(meaning, ", a payload of %zu bytes that does not decode",
                     packet->payload.size);
        return;
    }
    nkv_text_add(meaning, ":");
    add_message(message, 0, meaning);
    protobuf_c_message_free_unpacked(message, NULL);
}

void nkv_trace_packet(const struct nkv_packet *packet, struct nkv_text *meaning)
{
    const char *name = nkv_method_name(packet->service_id, packet->method_id);
    nkv_text_add(meaning, "%s ", type_name(packet->type));
    if (name != NULL)
        nkv_text_add(meaning, "%s", name);
    else
        nkv_text_add(meaning, "%08lx/%08lx", (unsigned long)packet->service_id,
                     (unsigned long)packet->method_id);
    nkv_text_add(meaning, " call %lu", (unsigned long)packet->call_id);
    if (packet->status != 0)
        nkv_text_add(meaning, " %s",
                     nkv_status_name(nkv_wire_status(packet->status)));
    add_payload(packet, nkv_method_find(packet->service_id, packet->method_id),
                meaning);
}

void nkv_trace_frame(uint64_t address, struct nkv_span payload,
                     struct nkv_text *meaning)
{
    struct nkv_packet packet;
    if (address == NKV_HDLC_ADDRESS_LOG) {
        nkv_text_add(meaning, "log: ");
        nkv_text_add_bytes(meaning, payload, NKV_TEXT_SIZE / 2);
    } else if (address != NKV_HDLC_ADDRESS_RPC) {
        nkv_text_add(meaning, "a frame for address %llu",
                     (unsigned long long)address);
    } else if (nkv_packet_decode(payload, &packet) != NKV_OK) {
        nkv_text_add(meaning, "a frame that holds no packet");
    } else {
        nkv_trace_packet(&packet, meaning);
    }
}
