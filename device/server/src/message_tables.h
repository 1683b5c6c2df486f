/*
 * Messages as the server has them: structs that nanopb's generator makes of the
 * schema (messages.options), and tables of their fields (norkv/fields.h), made
 * here of the lists that the generator gives out besides.
 */
#ifndef NKV_MESSAGE_TABLES_H
#define NKV_MESSAGE_TABLES_H

#include "norkv.pb.h"

#include <norkv/fields.h>

/*
 * Defines the table of a message's fields, as a static constant:
 * NKV_MESSAGE(get_request, norkv_v1_GetRequest);
 */
#define NKV_MESSAGE(name, type)                                                \
    _Static_assert(sizeof(type) <= UINT8_MAX, "offsets are a byte");           \
    static const struct nkv_field name[] = {                                   \
        type##_FIELDLIST(NKV_FIELD, type){0, NKV_FIELD_END, 0}}

/* A field of the message itself: what it is made of depends on its type. */
#define NKV_FIELD(type, store, rule, kind, member, number)                     \
    NKV_FIELD_##store##_##rule##_##kind(type, member, number)

#define NKV_FIELD_STATIC_SINGULAR_BOOL(type, member, number)                   \
    NKV_ENTRY(type, member, number, NKV_WIRE_VARINT, NKV_FIELD_BOOL)
#define NKV_FIELD_STATIC_SINGULAR_UENUM(type, member, number)                  \
    NKV_ENTRY(type, member, number, NKV_WIRE_VARINT,                           \
              sizeof(((type *)0)->member) == 1 ? NKV_FIELD_UINT8               \
                                               : NKV_FIELD_UINT32)
#define NKV_FIELD_STATIC_SINGULAR_UINT32(type, member, number)                 \
    NKV_ENTRY(type, member, number, NKV_WIRE_VARINT, NKV_FIELD_UINT32)
#define NKV_FIELD_STATIC_SINGULAR_FIXED32(type, member, number)                \
    NKV_ENTRY(type, member, number, NKV_WIRE_FIXED32, NKV_FIELD_FIXED32)
#define NKV_FIELD_STATIC_SINGULAR_FIXED64(type, member, number)                \
    NKV_ENTRY(type, member, number, NKV_WIRE_FIXED64, NKV_FIELD_FIXED64)
#define NKV_FIELD_CALLBACK_SINGULAR_BYTES(type, member, number)                \
    NKV_ENTRY(type, member, number, NKV_WIRE_BYTES, NKV_FIELD_BYTES)
#define NKV_FIELD_CALLBACK_SINGULAR_STRING(type, member, number)               \
    NKV_ENTRY(type, member, number, NKV_WIRE_BYTES, NKV_FIELD_BYTES)
#define NKV_FIELD_CALLBACK_REPEATED_MESSAGE(type, member, number)              \
    NKV_ENTRY(type, member, number, NKV_WIRE_BYTES, NKV_FIELD_MADE)

/* A message within it, with its own fields. */
#define NKV_FIELD_STATIC_OPTIONAL_MESSAGE(type, member, number)                \
    NKV_ENTRY(type, has_##member, number, NKV_WIRE_BYTES, NKV_FIELD_PART)      \
    NKV_PARTS(type##_##member##_MSGTYPE, (type, member)){                      \
        0, NKV_FIELD_PART_END, offsetof(type, has_##member)},

/* The fields of a part. A list has one argument for all of them: here the type
 * and the member in brackets, which are taken off on the way. */
#define NKV_PARTS(type, of) NKV_PARTS_OF(type, of)
#define NKV_PARTS_OF(type, of) type##_FIELDLIST(NKV_PART, of)
#define NKV_PART(of, ...) NKV_PART_OF(NKV_NO_BRACKETS of, __VA_ARGS__)
#define NKV_NO_BRACKETS(...) __VA_ARGS__
#define NKV_PART_OF(...) NKV_PART_FIELD(__VA_ARGS__)
/* A path of members takes no brackets. */
/* NOLINTBEGIN(bugprone-macro-parentheses) */
#define NKV_PART_FIELD(type, part, store, rule, kind, member, number)          \
    NKV_FIELD_##store##_##rule##_##kind(type, part.member, number)
/* NOLINTEND(bugprone-macro-parentheses) */

#define NKV_ENTRY(type, member, number, wire_type, kind)                       \
    {NKV_FIELD_KEY(number, wire_type), kind, offsetof(type, member)},

#endif
