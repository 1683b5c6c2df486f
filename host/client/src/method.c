#include "method.h"

#include "echo.pb-c.h"
#include "norkv.pb-c.h"
#include <norkv/ids.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(NKV_REASON_STORE_FULL ==
                       (int)NORKV__V1__REASON__REASON_STORE_FULL &&
                   NKV_REASON_SEQ_REUSED ==
                       (int)NORKV__V1__REASON__REASON_SEQ_REUSED &&
                   NKV_REASON_NO_SUCH_STORE ==
                       (int)NORKV__V1__REASON__REASON_NO_SUCH_STORE,
               "reasons travel as they are");
_Static_assert(
    NKV_COLLECT_PARTIAL == (int)NORKV__V1__COLLECT_KIND__COLLECT_PARTIAL &&
        NKV_COLLECT_FULL == (int)NORKV__V1__COLLECT_KIND__COLLECT_FULL &&
        NKV_COLLECT_HEAVY == (int)NORKV__V1__COLLECT_KIND__COLLECT_HEAVY,
    "kinds of collection travel as they are");

/* Frame, packet and a WriteResponse or the like. */
enum { SMALL_ANSWER = 64 };

static const struct nkv_method methods[NKV_METHOD_COUNT] = {
    [NKV_METHOD_OPEN] = {NKV_SERVICE_DEVICE, NKV_METHOD_DEVICE_OPEN,
                         &norkv__v1__open_request__descriptor,
                         &norkv__v1__open_response__descriptor, 512},
    [NKV_METHOD_ECHO] = {NKV_SERVICE_ECHO_SERVICE, NKV_METHOD_ECHO_SERVICE_ECHO,
                         &pw__rpc__echo_message__descriptor,
                         &pw__rpc__echo_message__descriptor, 0},
    [NKV_METHOD_GET] = {NKV_SERVICE_STORE, NKV_METHOD_STORE_GET,
                        &norkv__v1__get_request__descriptor,
                        &norkv__v1__get_response__descriptor, 0},
    [NKV_METHOD_DESCRIBE] = {NKV_SERVICE_STORE, NKV_METHOD_STORE_DESCRIBE,
                             &norkv__v1__describe_request__descriptor,
                             &norkv__v1__describe_response__descriptor,
                             SMALL_ANSWER},
    [NKV_METHOD_PUT] = {NKV_SERVICE_STORE, NKV_METHOD_STORE_PUT,
                        &norkv__v1__put_request__descriptor,
                        &norkv__v1__write_response__descriptor, SMALL_ANSWER},
    [NKV_METHOD_DELETE] = {NKV_SERVICE_STORE, NKV_METHOD_STORE_DELETE,
                           &norkv__v1__delete_request__descriptor,
                           &norkv__v1__write_response__descriptor,
                           SMALL_ANSWER},
    [NKV_METHOD_SCAN] = {NKV_SERVICE_STORE, NKV_METHOD_STORE_SCAN,
                         &norkv__v1__scan_request__descriptor,
                         &norkv__v1__scan_response__descriptor, 0},
    [NKV_METHOD_BACKUP] = {NKV_SERVICE_STORE, NKV_METHOD_STORE_BACKUP,
                           &norkv__v1__backup_request__descriptor,
                           &norkv__v1__backup_response__descriptor, 0},
    [NKV_METHOD_DIGEST] = {NKV_SERVICE_STORE, NKV_METHOD_STORE_DIGEST,
                           &norkv__v1__digest_request__descriptor,
                           &norkv__v1__digest_response__descriptor,
                           SMALL_ANSWER},
    [NKV_METHOD_RESTORE] = {NKV_SERVICE_STORE, NKV_METHOD_STORE_RESTORE,
                            &norkv__v1__restore_request__descriptor,
                            &norkv__v1__restore_response__descriptor,
                            SMALL_ANSWER},
    [NKV_METHOD_STATISTICS] = {NKV_SERVICE_MAINTENANCE,
                               NKV_METHOD_MAINTENANCE_STATISTICS,
                               &norkv__v1__statistics_request__descriptor,
                               &norkv__v1__statistics_response__descriptor,
                               512},
    [NKV_METHOD_SECTORS] = {NKV_SERVICE_MAINTENANCE,
                            NKV_METHOD_MAINTENANCE_SECTORS,
                            &norkv__v1__sectors_request__descriptor,
                            &norkv__v1__sectors_response__descriptor, 0},
    [NKV_METHOD_CHECK] = {NKV_SERVICE_MAINTENANCE, NKV_METHOD_MAINTENANCE_CHECK,
                          &norkv__v1__check_request__descriptor,
                          &norkv__v1__check_response__descriptor, 256},
    [NKV_METHOD_COLLECT] = {NKV_SERVICE_MAINTENANCE,
                            NKV_METHOD_MAINTENANCE_COLLECT,
                            &norkv__v1__collect_request__descriptor,
                            &norkv__v1__progress__descriptor, SMALL_ANSWER},
    [NKV_METHOD_ERASE_ALL] = {NKV_SERVICE_MAINTENANCE,
                              NKV_METHOD_MAINTENANCE_ERASE_ALL,
                              &norkv__v1__erase_all_request__descriptor,
                              &norkv__v1__progress__descriptor, SMALL_ANSWER},
};

const struct nkv_method *nkv_method(enum nkv_method_number number)
{
    return &methods[number];
}

const struct nkv_method *nkv_method_find(uint32_t service_id,
                                         uint32_t method_id)
{
    for (size_t i = 0; i < NKV_METHOD_COUNT; i++) {
        if (methods[i].service_id == service_id &&
            methods[i].method_id == method_id)
            return &methods[i];
    }
    return NULL;
}

/* A member of a message that is stored in 4 bytes; 0 without. */
static uint32_t member(const ProtobufCMessage *message, const char *name,
                       ProtobufCType type)
{
    uint32_t number = 0;
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(message->descriptor,
                                                        name);
    if (field != NULL && field->type == type)
        memcpy(&number, (const uint8_t *)message + field->offset,
               sizeof(number));
    return number;
}

enum nkv_reason nkv_message_reason(const ProtobufCMessage *message)
{
    return message == NULL ? NKV_REASON_NONE
                           : (enum nkv_reason)member(message, "reason",
                                                     PROTOBUF_C_TYPE_ENUM);
}

uint32_t nkv_message_index(const ProtobufCMessage *message)
{
    return member(message, "index", PROTOBUF_C_TYPE_UINT32);
}

ProtobufCBinaryData nkv_message_bytes(struct nkv_span span)
{
    /* The message type has no const, but packing only reads. */
    return (ProtobufCBinaryData){span.size, (uint8_t *)(uintptr_t)span.data};
}

struct nkv_span nkv_message_span(ProtobufCBinaryData data)
{
    return (struct nkv_span){data.data, data.len};
}

uint8_t *nkv_message_pack(const ProtobufCMessage *message, size_t *size)
{
    *size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = malloc(*size + 1);
    if (bytes != NULL)
        (void)protobuf_c_message_pack(message, bytes);
    return bytes;
}

enum nkv_status nkv_wire_status(uint32_t number)
{
    return number <= NKV_UNAUTHENTICATED ? (enum nkv_status)number
                                         : NKV_UNKNOWN;
}
