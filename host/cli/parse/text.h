/* How bytes that may or may not be text are shown to people. */
#ifndef NORKV_CLI_TEXT_H
#define NORKV_CLI_TEXT_H

#include <norkv/bytes.h>
#include <stdbool.h>
#include <stddef.h>

/* Is it valid UTF-8? Nothing at all is. */
bool nkv_is_utf8(struct nkv_span bytes);

/*
 * Is it valid UTF-8 that a terminal shows on one line: without control
 * characters, line separators and marks that turn the direction of writing?
 * Nothing at all is.
 */
bool nkv_is_printable(struct nkv_span bytes);

/* Room for nkv_show of size bytes, the NUL included. */
#define NKV_SHOW_SIZE(size) (2 * (size) + 5)

/*
 * Writes the bytes as they are if they are printable, otherwise as "hex:" and
 * hex digits; so too if they are text that begins with "hex:", which keeps
 * the two apart. Ends with a NUL. Returns to.
 */
const char *nkv_show(struct nkv_span bytes, char *to);

/*
 * What to add to a message that a key is not there: something when it is the
 * text that nkv_show makes of another, which somebody has copied.
 */
const char *nkv_shown_hint(struct nkv_span key);

/* Room for nkv_escape of size bytes, the NUL included. */
#define NKV_ESCAPE_SIZE(size) (4 * (size) + 1)

/*
 * Writes the bytes as they are where a terminal shows them on one line, and
 * tabs; any others as \xNN, so that a terminal does nothing that they say. Ends
 * with a NUL. Returns to.
 */
const char *nkv_escape(struct nkv_span bytes, char *to);

/* Room for nkv_show_short, the NUL included. */
enum { NKV_SHOW_SHORT_SIZE = 64 };

/* As nkv_show, cut to what fits NKV_SHOW_SHORT_SIZE: for messages. */
const char *nkv_show_short(struct nkv_span bytes, char to[NKV_SHOW_SHORT_SIZE]);

#endif
