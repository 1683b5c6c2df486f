#include "settings.h"

#include "setting_make.h"

#include <jansson.h>
#include <string.h>

/* The members that hold a value, by encoding. */
static const char *const value_names[] = {
    [NKV_ENCODING_TEXT] = "text",
    [NKV_ENCODING_HEX] = "hex",
    [NKV_ENCODING_FILE] = "file",
};
enum { VALUE_NAMES = sizeof value_names / sizeof value_names[0] };

static struct nkv_span bytes_of(const json_t *string)
{
    return (struct nkv_span){(const uint8_t *)json_string_value(string),
                             json_string_length(string)};
}

/* A member of text; a missing one is no error yet, and gives NULL. */
static bool get_text(const json_t *element, const char *name,
                     unsigned long number, const json_t **text,
                     struct nkv_parse_error *error)
{
    *text = json_object_get(element, name);
    if (*text == NULL || json_is_string(*text)) {
        return true;
    }
    nkv_parse_error(error, number, "'%s' is no string: write it in quotes",
                    name);
    return false;
}

/* Finds the one value that an element has. */
static bool find_value(const json_t *element, struct nkv_setting *setting,
                       const json_t **value, struct nkv_parse_error *error)
{
    size_t count = 0;

    for (size_t i = 0; i < VALUE_NAMES; i++) {
        const json_t *found;

        if (!get_text(element, value_names[i], setting->line, &found, error)) {
            return false;
        }
        if (found != NULL) {
            setting->encoding = (enum nkv_encoding)i;
            *value = found;
            count++;
        }
    }
    if (count != 1) {
        nkv_parse_error(error, setting->line,
                        "%zu of text, hex and file are there: give one", count);
    }
    return count == 1;
}

static bool take_element(const json_t *element, bool keys_are_hex,
                         struct nkv_setting *setting,
                         struct nkv_parse_error *error)
{
    const json_t *value = NULL;
    const json_t *key;

    if (!json_is_object(element)) {
        nkv_parse_error(error, setting->line,
                        "no object: write {\"key\": ..., \"text\": ...}");
        return false;
    }
    if (!get_text(element, "key", setting->line, &key, error)) {
        return false;
    }
    if (key == NULL) {
        nkv_parse_error(error, setting->line, "no key: give one");
        return false;
    }
    return find_value(element, setting, &value, error) &&
           nkv_setting_take_key(setting, bytes_of(key), keys_are_hex, error) &&
           nkv_setting_take_value(setting, bytes_of(value), error);
}

static bool take_elements(const json_t *root, bool keys_are_hex,
                          struct nkv_settings *settings,
                          struct nkv_parse_error *error)
{
    for (size_t i = 0; i < json_array_size(root); i++) {
        struct nkv_setting *setting = nkv_setting_add(settings);

        if (setting == NULL) {
            nkv_parse_error(error, i + 1, "out of memory");
            return false;
        }
        setting->line = i + 1;
        if (!take_element(json_array_get(root, i), keys_are_hex, setting,
                          error)) {
            return false;
        }
    }
    return nkv_settings_keys_differ(settings, error);
}

/* What has a number that counts elements says so itself. */
static void name_element(struct nkv_parse_error *error)
{
    char text[NKV_PARSE_ERROR_SIZE];

    memcpy(text, error->text, sizeof text);
    text[sizeof text - 1] = '\0';
    nkv_parse_error(error, 0, "element %lu: %.160s", error->line, text);
}

static bool take_root(const json_t *root, bool keys_are_hex,
                      struct nkv_settings *settings,
                      struct nkv_parse_error *error)
{
    bool good;

    if (!json_is_array(root)) {
        nkv_parse_error(error, 1,
                        "no array: write [{\"key\": ..., \"text\": ...}, ...]");
        return false;
    }
    if (json_array_size(root) == 0) {
        nkv_parse_error(error, 1, "the array is empty: there are no settings");
        return false;
    }
    good = take_elements(root, keys_are_hex, settings, error);
    if (!good) {
        name_element(error);
    }
    return good;
}

bool nkv_settings_parse_json(struct nkv_span json, bool keys_are_hex,
                             struct nkv_settings *settings,
                             struct nkv_parse_error *error)
{
    const char *text = json.size > 0 ? (const char *)json.data : "";
    json_error_t what;
    json_t *root = json_loadb(text, json.size,
                              JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &what);
    bool good;

    *settings = (struct nkv_settings){.place = "element"};
    if (root == NULL) {
        unsigned long line = what.line > 0 ? (unsigned long)what.line : 1;

        nkv_parse_error(error, line, "no JSON: %.150s", what.text);
        return false;
    }
    good = take_root(root, keys_are_hex, settings, error);
    json_decref(root);
    if (!good) {
        nkv_settings_free(settings);
    }
    return good;
}
