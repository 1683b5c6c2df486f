/*
 * Protobuf messages from and to structs, by tables of their fields. A table
 * takes three bytes a field; nothing is copied but numbers, and what is written
 * is made from its end to its start, so that no size is computed in advance.
 *
 * Fields that are 0, false or empty are left out, as proto3 has it.
 */
#ifndef NORKV_FIELDS_H
#define NORKV_FIELDS_H

#include <norkv/bytes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a member of the struct is. */
enum nkv_field_kind {
    /* No field: the table ends here. */
    NKV_FIELD_END,
    /* A message within the message: the member is the bool that says whether it
     * is there. Its fields follow, with offsets from the start of the whole
     * struct, up to the next NKV_FIELD_PART_END, which has that of the bool
     * again. There is none within it. */
    NKV_FIELD_PART,
    NKV_FIELD_PART_END,
    /* bool: a varint. */
    NKV_FIELD_BOOL,
    /* An enum of one byte, of four, or a uint32_t: a varint. */
    NKV_FIELD_UINT8,
    NKV_FIELD_UINT32,
    /* uint32_t and uint64_t. */
    NKV_FIELD_FIXED32,
    NKV_FIELD_FIXED64,
    /* struct nkv_span: bytes or a string, borrowed. */
    NKV_FIELD_BYTES,
    /* The same, but only what stands in front of the bytes is written: they are
     * where they belong, behind the message. The last of its table. */
    NKV_FIELD_BYTES_BEHIND,
    /* struct nkv_span: written as it is; whole fields, made before. Not
     * read. */
    NKV_FIELD_MADE
};

/* One field of a message. */
struct nkv_field {
    /* The number, 1 to 15, and in the low three bits its wire type; 0 where
     * there is no field. */
    uint8_t key;
    /* An enum nkv_field_kind. */
    uint8_t kind;
    /* Of the member in the struct. */
    uint8_t offset;
};

/* Protobuf's wire types; 3 and 4, groups, are retired and refused. */
enum nkv_wire_type {
    NKV_WIRE_VARINT = 0,
    NKV_WIRE_FIXED64 = 1,
    NKV_WIRE_BYTES = 2,
    NKV_WIRE_FIXED32 = 5
};

#define NKV_FIELD_KEY(number, wire_type) ((number) << 3 | (wire_type))

/*
 * Takes a message apart into a struct of zeros. Fields come in any order, the
 * last of a kind wins, unknown ones are skipped. When strict, what is known
 * must have the wire type and the range of its member; else a field of another
 * wire type is an unknown one, and of a number the low bits count.
 *
 * False: these bytes are no such message; the struct has some of it.
 */
bool nkv_fields_decode(struct nkv_span bytes, const struct nkv_field *fields,
                       bool strict, void *to);

/*
 * Writes a message at the end of room, and takes its bytes off the room's
 * capacity; with a number (1 to 15; else 0) as that field of another message.
 * Bytes may lie in the room, before where they will be and as much as all that
 * follows them takes.
 *
 * False: it does not fit; the room is as before, but not what is in it.
 */
bool nkv_fields_prepend(struct nkv_buffer *room, uint8_t number,
                        const struct nkv_field *fields, const void *from);

/* Writes a message at the end of room; *encoded is where it is. False: it does
 * not fit. */
bool nkv_fields_encode(struct nkv_buffer room, const struct nkv_field *fields,
                       const void *from, struct nkv_span *encoded);

#endif
