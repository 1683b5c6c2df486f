/* The methods that the library calls, and the messages that they take. */
#ifndef NORKV_HOST_METHOD_H
#define NORKV_HOST_METHOD_H

#include <norkv/bytes.h>
#include <norkv/client.h>
#include <protobuf-c/protobuf-c.h>

struct nkv_method {
    uint32_t service_id;
    uint32_t method_id;
    const ProtobufCMessageDescriptor *request;
    const ProtobufCMessageDescriptor *answer;
    /* Bytes to expect on the line for an answer; 0: as much as a packet. */
    uint32_t answer_size;
};

enum nkv_method_number {
    NKV_METHOD_OPEN,
    NKV_METHOD_ECHO,
    NKV_METHOD_GET,
    NKV_METHOD_DESCRIBE,
    NKV_METHOD_PUT,
    NKV_METHOD_DELETE,
    NKV_METHOD_SCAN,
    NKV_METHOD_BACKUP,
    NKV_METHOD_DIGEST,
    NKV_METHOD_RESTORE,
    NKV_METHOD_STATISTICS,
    NKV_METHOD_SECTORS,
    NKV_METHOD_CHECK,
    NKV_METHOD_COLLECT,
    NKV_METHOD_ERASE_ALL,
    NKV_METHOD_COUNT
};

const struct nkv_method *nkv_method(enum nkv_method_number number);

/* The method with these ids, or NULL. */
const struct nkv_method *nkv_method_find(uint32_t service_id,
                                         uint32_t method_id);

/* The value of a field of message named "reason"; NKV_REASON_NONE without. */
enum nkv_reason nkv_message_reason(const ProtobufCMessage *message);

/* The value of a field of message named "index": the number of a stream's
 * chunk. 0 without. */
uint32_t nkv_message_index(const ProtobufCMessage *message);

/* Bytes to put into a message, which will only read them. */
ProtobufCBinaryData nkv_message_bytes(struct nkv_span span);

/* Bytes of a message. */
struct nkv_span nkv_message_span(ProtobufCBinaryData data);

/* Packs a message into allocated memory; NULL: none left. Never NULL for an
 * empty message. */
uint8_t *nkv_message_pack(const ProtobufCMessage *message, size_t *size);

/* A status that came over the wire; a number that is none is NKV_UNKNOWN. */
enum nkv_status nkv_wire_status(uint32_t number);

#endif
