#include "json_set.h"

#include "hex.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

void nkv_json_set_hex(json_t *object, const char *name, struct nkv_span bytes)
{
    char *digits = malloc(2 * bytes.size + 1);

    if (digits != NULL) {
        nkv_hex_encode(bytes, digits);
        json_object_set_new(object, name, json_string(digits));
        free(digits);
    }
}

void nkv_json_set_key(json_t *object, struct nkv_span key)
{
    if (nkv_is_printable(key)) {
        json_object_set_new(object, "key",
                            json_stringn((const char *)key.data, key.size));
    }
    nkv_json_set_hex(object, "key_hex", key);
}

void nkv_json_set_value(json_t *object, struct nkv_span value)
{
    const char *text = value.size > 0 ? (const char *)value.data : "";

    nkv_json_set_hex(object, "value_hex", value);
    if (nkv_is_utf8(value)) {
        json_object_set_new(object, "text", json_stringn(text, value.size));
    }
}

void nkv_json_set_integer(json_t *object, const char *name, json_int_t value)
{
    json_object_set_new(object, name, json_integer(value));
}

void nkv_json_set_text(json_t *object, const char *name, const char *text)
{
    size_t size = strlen(text);
    struct nkv_span bytes = {(const uint8_t *)text, size};
    char *shown;

    if (nkv_is_utf8(bytes)) {
        json_object_set_new(object, name, json_stringn(text, size));
        return;
    }
    shown = malloc(NKV_SHOW_SIZE(size));
    if (shown != NULL) {
        json_object_set_new(object, name, json_string(nkv_show(bytes, shown)));
        free(shown);
    }
}
