/* Members of JSON objects, as all of norkv's have them. Where memory runs out,
 * a member is missing. */
#ifndef NORKV_CLI_JSON_SET_H
#define NORKV_CLI_JSON_SET_H

#include <jansson.h>
#include <norkv/bytes.h>

/* Sets member name to the bytes as hex digits. */
void nkv_json_set_hex(json_t *object, const char *name, struct nkv_span bytes);

/* Sets "key", if it is printable, and "key_hex". */
void nkv_json_set_key(json_t *object, struct nkv_span key);

/* Sets "text", if the value is UTF-8, and "value_hex". */
void nkv_json_set_value(json_t *object, struct nkv_span value);

/* Sets an integer member. */
void nkv_json_set_integer(json_t *object, const char *name, json_int_t value);

/* Sets a text member; text that is no UTF-8 goes as nkv_show has it. */
void nkv_json_set_text(json_t *object, const char *name, const char *text);

#endif
