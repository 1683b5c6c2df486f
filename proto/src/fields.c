#include <norkv/fields.h>

#include "varint.h"

#include <string.h>

enum { VARINT32_SIZE_MAX = 5 };

/* ---- Reading ---------------------------------------------------------- */

/* A field as it came. */
struct wire_field {
    uint32_t key;
    /* Of a varint or a fixed one its low 32 bits. */
    uint32_t integer;
    /* A varint has others too. */
    bool is_wide;
    /* Of all but varints. */
    struct nkv_span bytes;
};

/* Takes the first size bytes off *from. */
static bool take(struct nkv_span *from, size_t size, struct nkv_span *taken)
{
    if (size > from->size) {
        return false;
    }
    taken->data = from->data;
    taken->size = size;
    if (size > 0) {
        from->data += size;
        from->size -= size;
    }
    return true;
}

/* Any number of bytes up to size_max, also more than the value needs. */
static bool take_varint(struct nkv_span *from, size_t size_max,
                        struct wire_field *field)
{
    field->integer = 0;
    field->is_wide = false;
    for (size_t i = 0; i < from->size && i < size_max; i++) {
        uint32_t byte = from->data[i];
        uint32_t bits = byte & 0x7F;

        if (i < VARINT32_SIZE_MAX) {
            field->integer |= bits << (7 * i);
            bits = i == VARINT32_SIZE_MAX - 1 ? bits >> 4 : 0;
        }
        field->is_wide = field->is_wide || bits != 0;
        if (byte == (byte & 0x7F)) {
            return take(from, i + 1, &field->bytes);
        }
    }
    return false;
}

static bool take_bytes(struct nkv_span *from, struct wire_field *field)
{
    return take_varint(from, NKV_VARINT64_SIZE_MAX, field) && !field->is_wide &&
           take(from, field->integer, &field->bytes);
}

static bool take_fixed32(struct nkv_span *from, struct wire_field *field)
{
    if (!take(from, 4, &field->bytes)) {
        return false;
    }
    field->integer = nkv_load_le32(field->bytes.data);
    return true;
}

static bool take_field(struct nkv_span *from, struct wire_field *field)
{
    if (!take_varint(from, VARINT32_SIZE_MAX, field) || field->is_wide ||
        field->integer < NKV_FIELD_KEY(1, 0)) {
        return false;
    }
    field->key = field->integer;
    switch (field->key & 7) {
    case NKV_WIRE_VARINT:
        return take_varint(from, NKV_VARINT64_SIZE_MAX, field);
    case NKV_WIRE_FIXED64:
        return take(from, 8, &field->bytes);
    case NKV_WIRE_BYTES:
        return take_bytes(from, field);
    case NKV_WIRE_FIXED32:
        return take_fixed32(from, field);
    default:
        return false;
    }
}

/* The field behind this one; a part's fields are behind it too. */
static const struct nkv_field *next_field(const struct nkv_field *field)
{
    if (field->kind == NKV_FIELD_PART) {
        while (field->kind != NKV_FIELD_PART_END) {
            field++;
        }
    }
    return field + 1;
}

/* The field with the number of a key, or what ends the table. */
static const struct nkv_field *find_field(const struct nkv_field *field,
                                          uint32_t key)
{
    while (field->key != 0 && field->key >> 3 != key >> 3) {
        field = next_field(field);
    }
    return field;
}

/* False: the number is out of the member's range. */
static bool keep(const struct nkv_field *field, const struct wire_field *from,
                 void *at)
{
    bool fits = true;

    switch (field->kind) {
    case NKV_FIELD_PART:
        *(bool *)at = true;
        break;
    case NKV_FIELD_BOOL:
        *(bool *)at = from->integer != 0 || from->is_wide;
        break;
    case NKV_FIELD_UINT8:
        *(uint8_t *)at = (uint8_t)from->integer;
        fits = from->integer <= UINT8_MAX && !from->is_wide;
        break;
    case NKV_FIELD_UINT32:
        fits = !from->is_wide;
        *(uint32_t *)at = from->integer;
        break;
    case NKV_FIELD_FIXED32:
        *(uint32_t *)at = from->integer;
        break;
    case NKV_FIELD_BYTES:
    case NKV_FIELD_BYTES_BEHIND:
        *(struct nkv_span *)at = from->bytes;
        break;
    default:
        break;
    }
    return fits;
}

bool nkv_fields_decode(struct nkv_span bytes, const struct nkv_field *fields,
                       bool strict, void *to)
{
    /* What follows the part that is being read, and that part's fields. */
    struct nkv_span behind = {NULL, 0};
    const struct nkv_field *known = fields;

    while (bytes.size > 0 || known != fields) {
        struct wire_field taken;
        const struct nkv_field *field;
        bool is_kept;

        if (bytes.size == 0) {
            bytes = behind;
            known = fields;
            continue;
        }
        if (!take_field(&bytes, &taken)) {
            return false;
        }
        field = find_field(known, taken.key);
        is_kept = field->key == taken.key &&
                  keep(field, &taken, (uint8_t *)to + field->offset);
        if (!is_kept && strict && field->key != 0) {
            return false;
        }
        if (is_kept && field->kind == NKV_FIELD_PART) {
            behind = bytes;
            bytes = taken.bytes;
            known = field + 1;
        }
    }
    return true;
}

/* ---- Writing ---------------------------------------------------------- */

/* Room that is being filled from its end. */
struct writer {
    uint8_t *data;
    size_t left;
    bool full;
};

static void put(struct writer *writer, const void *from, size_t size)
{
    if (size > writer->left) {
        writer->full = true;
        return;
    }
    writer->left -= size;
    memmove(writer->data + writer->left, from, size);
}

static void put_varint(struct writer *writer, size_t value)
{
    uint8_t bytes[NKV_VARINT64_SIZE_MAX];

    put(writer, bytes, nkv_varint_put(bytes, value));
}

/* The key and the length of size bytes that are there already. */
static void put_head(struct writer *writer, uint8_t key, size_t size)
{
    put_varint(writer, size);
    put(writer, &key, 1);
}

static void put_number(struct writer *writer, uint8_t key, uint32_t number)
{
    if (number != 0) {
        put_head(writer, key, number);
    }
}

static void put_fixed(struct writer *writer, uint8_t key, uint64_t number,
                      size_t size)
{
    uint8_t bytes[8];

    if (number == 0) {
        return;
    }
    nkv_store_le32(bytes, (uint32_t)number);
    nkv_store_le32(bytes + 4, (uint32_t)(number >> 32));
    put(writer, bytes, size);
    put(writer, &key, 1);
}

static void put_bytes(struct writer *writer, const struct nkv_field *field,
                      const struct nkv_span *bytes)
{
    if (bytes->size == 0) {
        return;
    }
    if (field->kind != NKV_FIELD_BYTES_BEHIND) {
        put(writer, bytes->data, bytes->size);
    }
    if (field->kind != NKV_FIELD_MADE) {
        put_head(writer, field->key, bytes->size);
    }
}

static void put_field(struct writer *writer, const struct nkv_field *field,
                      const void *at)
{
    switch (field->kind) {
    case NKV_FIELD_BOOL:
    case NKV_FIELD_UINT8:
        put_number(writer, field->key, *(const uint8_t *)at);
        break;
    case NKV_FIELD_UINT32:
        put_number(writer, field->key, *(const uint32_t *)at);
        break;
    case NKV_FIELD_FIXED32:
        put_fixed(writer, field->key, *(const uint32_t *)at, 4);
        break;
    case NKV_FIELD_FIXED64:
        put_fixed(writer, field->key, *(const uint64_t *)at, 8);
        break;
    default:
        put_bytes(writer, field, at);
        break;
    }
}

static const struct nkv_field *end_of(const struct nkv_field *fields)
{
    while (fields->kind != NKV_FIELD_END) {
        fields++;
    }
    return fields;
}

bool nkv_fields_prepend(struct nkv_buffer *room, uint8_t number,
                        const struct nkv_field *fields, const void *from)
{
    struct writer writer = {.data = room->data, .left = room->capacity};
    const struct nkv_field *field = end_of(fields);
    size_t end = 0;
    /* Not within a part that is left out. */
    bool is_there = true;

    while (field != fields) {
        const uint8_t *at = (const uint8_t *)from + (--field)->offset;

        if (field->kind == NKV_FIELD_PART_END) {
            end = writer.left;
            is_there = *(const bool *)at;
        } else if (!is_there) {
            is_there = field->kind == NKV_FIELD_PART;
        } else if (field->kind == NKV_FIELD_PART) {
            put_head(&writer, field->key, end - writer.left);
        } else {
            put_field(&writer, field, at);
        }
    }
    if (number != 0) {
        put_head(&writer, (uint8_t)NKV_FIELD_KEY(number, NKV_WIRE_BYTES),
                 room->capacity - writer.left);
    }
    if (writer.full) {
        return false;
    }
    room->capacity = writer.left;
    return true;
}

bool nkv_fields_encode(struct nkv_buffer room, const struct nkv_field *fields,
                       const void *from, struct nkv_span *encoded)
{
    size_t end = room.capacity;

    if (!nkv_fields_prepend(&room, 0, fields, from)) {
        return false;
    }
    *encoded =
        (struct nkv_span){room.data + room.capacity, end - room.capacity};
    return true;
}
