#include "vectors.h"
#include "cmocka_all.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *nkv_vectors_load(const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", NORKV_VECTORS, name);
    json_error_t error;
    json_t *root = json_load_file(path, JSON_ALLOW_NUL, &error);
    if (root == NULL) {
        fail_msg("%s:%d: %s", path, error.line, error.text);
    }
    return root;
}

json_t *nkv_vectors_get(const json_t *object, const char *key)
{
    json_t *member = json_object_get(object, key);
    if (member == NULL) {
        fail_msg("there is no member \"%s\"", key);
    }
    return member;
}

static uint8_t hex_digit(char digit)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = strchr(digits, digit);
    assert_true(at != NULL && digit != '\0');
    return (uint8_t)(at - digits);
}

struct nkv_buffer nkv_unhex(const char *text)
{
    const size_t length = strlen(text);
    assert_int_equal(length % 2, 0);
    const struct nkv_buffer bytes = {malloc(length / 2), length / 2};
    for (size_t i = 0; i < bytes.capacity; i++) {
        bytes.data[i] =
            (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
    }
    return bytes;
}

struct nkv_buffer nkv_vectors_bytes(const json_t *object, const char *key)
{
    const char *text = json_string_value(nkv_vectors_get(object, key));
    assert_non_null(text);
    return nkv_unhex(text);
}

uint64_t nkv_vectors_number(const json_t *object, const char *key)
{
    const json_t *member = nkv_vectors_get(object, key);
    if (json_is_integer(member)) {
        return (uint64_t)json_integer_value(member);
    }
    assert_true(json_is_string(member));
    char *end = NULL;
    const char *text = json_string_value(member);
    const uint64_t number = strtoull(text, &end, 0);
    assert_true(*end == '\0' && end != text);
    return number;
}
