/* Texts for people: bounded, on one line. */
#ifndef NORKV_HOST_TEXT_H
#define NORKV_HOST_TEXT_H

#include <norkv/bytes.h>
#include <stdarg.h>
#include <stddef.h>

enum {
    NKV_TEXT_SIZE = 768,
    /* "hex:" and two digits a byte of the longest key, and a NUL. */
    NKV_KEY_TEXT_SIZE = 4 + 2 * 63 + 4
};

/* A text that is cut, with "...", when it grows too long. All zero: empty. */
struct nkv_text {
    char text[NKV_TEXT_SIZE];
    size_t size;
};

/* Makes a text empty. */
void nkv_text_clear(struct nkv_text *text);

/* Adds to a text as printf would. */
__attribute__((format(printf, 2, 3))) void
nkv_text_add(struct nkv_text *text, const char *format, ...);
__attribute__((format(printf, 2, 0))) void
nkv_text_add_list(struct nkv_text *text, const char *format, va_list list);

/* Adds bytes: as they are where they are printable UTF-8, else hex:6e6b76; no
 * more than limit of them. */
void nkv_text_add_bytes(struct nkv_text *text, struct nkv_span bytes,
                        size_t limit);

/* Replaces what is not printable in a text that comes from outside. */
void nkv_text_make_safe(char *text);

#endif
