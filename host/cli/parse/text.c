#include "text.h"

#include "hex.h"

#include <string.h>

/* What UTF-8 says of a lead byte. */
struct lead {
    uint8_t mask;
    uint8_t pattern;
    uint8_t more;
    uint32_t smallest;
};

static const struct lead leads[] = {
    {0x80, 0x00, 0, 0},
    {0xe0, 0xc0, 1, 0x80},
    {0xf0, 0xe0, 2, 0x800},
    {0xf8, 0xf0, 3, 0x10000},
};

/* Reads one character. Returns its bytes, 0 if it is malformed. */
static size_t read_character(struct nkv_span bytes, uint32_t *character)
{
    const struct lead *lead = leads;
    size_t kinds = sizeof leads / sizeof leads[0];

    while (kinds > 0 && (bytes.data[0] & lead->mask) != lead->pattern) {
        lead++;
        kinds--;
    }
    if (kinds == 0 || bytes.size <= lead->more) {
        return 0;
    }
    *character = bytes.data[0] & (uint8_t)~lead->mask;
    for (size_t i = 1; i <= lead->more; i++) {
        if ((bytes.data[i] & 0xc0) != 0x80) {
            return 0;
        }
        *character = *character << 6 | (bytes.data[i] & 0x3f);
    }
    if (*character < lead->smallest || *character > 0x10ffff ||
        (*character >= 0xd800 && *character <= 0xdfff)) {
        return 0;
    }
    return lead->more + 1u;
}

static bool anything(uint32_t character)
{
    (void)character;
    return true;
}

static bool shows(uint32_t character)
{
    bool control = character < 0x20 || (character >= 0x7f && character < 0xa0);
    bool separator = character == 0x2028 || character == 0x2029;
    bool direction = (character >= 0x202a && character <= 0x202e) ||
                     (character >= 0x2066 && character <= 0x2069);

    return !control && !separator && !direction;
}

static bool all(struct nkv_span bytes, bool (*accept)(uint32_t))
{
    while (bytes.size > 0) {
        uint32_t character = 0;
        size_t size = read_character(bytes, &character);

        if (size == 0 || !accept(character)) {
            return false;
        }
        bytes.data += size;
        bytes.size -= size;
    }
    return true;
}

bool nkv_is_utf8(struct nkv_span bytes)
{
    return all(bytes, anything);
}

bool nkv_is_printable(struct nkv_span bytes)
{
    return all(bytes, shows);
}

static bool is_marked(struct nkv_span bytes)
{
    return bytes.size >= 4 && memcmp(bytes.data, "hex:", 4) == 0;
}

const char *nkv_show(struct nkv_span bytes, char *to)
{
    if (nkv_is_printable(bytes) && !is_marked(bytes)) {
        if (bytes.size > 0) {
            memcpy(to, bytes.data, bytes.size);
        }
        to[bytes.size] = '\0';
        return to;
    }
    memcpy(to, "hex:", 4);
    nkv_hex_encode(bytes, to + 4);
    return to;
}

const char *nkv_shown_hint(struct nkv_span key)
{
    return is_marked(key) ? "; a key shown as hex:... is given with --key-hex, "
                            "without hex:"
                          : "";
}

const char *nkv_show_short(struct nkv_span bytes, char to[NKV_SHOW_SHORT_SIZE])
{
    static const char dots[] = "...";
    enum { ROOM = (NKV_SHOW_SHORT_SIZE - 5 - (int)sizeof dots) / 2 };
    struct nkv_span start = bytes;

    if (bytes.size > ROOM) {
        start.size = ROOM;
        /* Not in the middle of a character. */
        while (nkv_is_utf8(bytes) && !nkv_is_utf8(start)) {
            start.size--;
        }
    }
    nkv_show(start, to);
    if (start.size < bytes.size) {
        memcpy(to + strlen(to), dots, sizeof dots);
    }
    return to;
}

/* Adds \xNN for each byte. Returns the end. */
static char *add_escapes(struct nkv_span bytes, char *to)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < bytes.size; i++) {
        *to++ = '\\';
        *to++ = 'x';
        *to++ = digits[bytes.data[i] >> 4];
        *to++ = digits[bytes.data[i] & 0x0f];
    }
    return to;
}

const char *nkv_escape(struct nkv_span bytes, char *to)
{
    char *at = to;

    while (bytes.size > 0) {
        uint32_t character = 0;
        size_t size = read_character(bytes, &character);
        bool as_it_is = size > 0 && (shows(character) || character == '\t');
        struct nkv_span piece = {bytes.data, size == 0 ? 1 : size};

        if (as_it_is) {
            memcpy(at, piece.data, piece.size);
            at += piece.size;
        } else {
            at = add_escapes(piece, at);
        }
        bytes.data += piece.size;
        bytes.size -= piece.size;
    }
    *at = '\0';
    return to;
}
