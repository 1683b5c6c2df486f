#include "text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

void nkv_text_clear(struct nkv_text *text)
{
    text->size = 0;
    text->text[0] = '\0';
}

void nkv_text_add_list(struct nkv_text *text, const char *format, va_list list)
{
    static const char cut[] = "...";
    size_t room = sizeof(text->text) - text->size;
    int size = vsnprintf(text->text + text->size, room, format, list);
    if (size < 0)
        return;
    if ((size_t)size < room) {
        text->size += (size_t)size;
        return;
    }
    text->size = sizeof(text->text) - 1;
    memcpy(text->text + text->size - (sizeof(cut) - 1), cut, sizeof(cut));
}

void nkv_text_add(struct nkv_text *text, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    nkv_text_add_list(text, format, list);
    va_end(list);
}

/* Bytes of the UTF-8 character that text starts with; 0: it is none, or none
 * that can be shown. */
static size_t character_size(const uint8_t *text, size_t size)
{
    uint8_t first = text[0];
    if (first < 0x80)
        return first >= 0x20 && first != 0x7f ? 1 : 0;
    size_t need = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || need > size)
        return 0;
    for (size_t i = 1; i < need; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    }
    bool overlong =
        (first == 0xe0 && text[1] < 0xa0) || (first == 0xf0 && text[1] < 0x90);
    bool surrogate = first == 0xed && text[1] >= 0xa0;
    bool beyond = first == 0xf4 && text[1] >= 0x90;
    bool control = first == 0xc2 && text[1] < 0xa0;
    return overlong || surrogate || beyond || control ? 0 : need;
}

static bool is_printable(struct nkv_span bytes)
{
    for (size_t i = 0; i < bytes.size;) {
        size_t size = character_size(bytes.data + i, bytes.size - i);
        if (size == 0)
            return false;
        i += size;
    }
    return true;
}

void nkv_text_add_bytes(struct nkv_text *text, struct nkv_span bytes,
                        size_t limit)
{
    size_t size = bytes.size < limit ? bytes.size : limit;
    const char *end = size < bytes.size ? "..." : "";
    if (size > 0 && is_printable(bytes)) {
        nkv_text_add(text, "%.*s%s", (int)size, (const char *)bytes.data, end);
        return;
    }
    nkv_text_add(text, "hex:");
    for (size_t i = 0; i < size; i++)
        nkv_text_add(text, "%02x", (unsigned)bytes.data[i]);
    nkv_text_add(text, "%s", end);
}

void nkv_text_make_safe(char *text)
{
    size_t size = strlen(text);
    for (size_t i = 0; i < size;) {
        size_t step = character_size((const uint8_t *)text + i, size - i);
        if (step == 0) {
            text[i] = '?';
            step = 1;
        }
        i += step;
    }
}
