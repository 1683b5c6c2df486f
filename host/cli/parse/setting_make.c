#include "setting_make.h"

#include "hex.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_SIZE_MAX = 63 };

/* Copies a field, and a NUL. NULL, and an error, when memory runs out. */
static uint8_t *copy(struct nkv_span field, unsigned long line,
                     struct nkv_parse_error *error)
{
    uint8_t *to = malloc(field.size + 1);

    if (to == NULL) {
        nkv_parse_error(error, line, "out of memory");
        return NULL;
    }
    if (field.size > 0) {
        memcpy(to, field.data, field.size);
    }
    to[field.size] = '\0';
    return to;
}

/* Turns hex digits into bytes, in place. */
static bool decode_hex(uint8_t *bytes, size_t *size, unsigned long line,
                       struct nkv_parse_error *error)
{
    char digits[NKV_SHOW_SHORT_SIZE];

    nkv_show_short((struct nkv_span){bytes, *size}, digits);
    if (!nkv_hex_decode((const char *)bytes, *size, bytes)) {
        nkv_parse_error(error, line, "'%s' is not hex: write two digits a byte",
                        digits);
        return false;
    }
    *size /= 2;
    bytes[*size] = '\0';
    return true;
}

bool nkv_setting_take_key(struct nkv_setting *setting, struct nkv_span field,
                          bool is_hex, struct nkv_parse_error *error)
{
    setting->key = copy(field, setting->line, error);
    setting->key_size = field.size;
    if (setting->key == NULL ||
        (is_hex &&
         !decode_hex(setting->key, &setting->key_size, setting->line, error))) {
        return false;
    }
    if (setting->key_size == 0 || setting->key_size > KEY_SIZE_MAX) {
        nkv_parse_error(error, setting->line,
                        "the key has %zu bytes: a key has 1 to %d",
                        setting->key_size, KEY_SIZE_MAX);
        return false;
    }
    return true;
}

bool nkv_setting_take_value(struct nkv_setting *setting, struct nkv_span field,
                            struct nkv_parse_error *error)
{
    setting->value = copy(field, setting->line, error);
    setting->value_size = field.size;
    if (setting->value == NULL) {
        return false;
    }
    if (setting->encoding == NKV_ENCODING_HEX) {
        return decode_hex(setting->value, &setting->value_size, setting->line,
                          error);
    }
    if (setting->encoding == NKV_ENCODING_FILE &&
        (field.size == 0 || strlen((char *)setting->value) != field.size)) {
        nkv_parse_error(error, setting->line,
                        "encoding file needs a path as its value");
        return false;
    }
    return true;
}

struct nkv_setting *nkv_setting_add(struct nkv_settings *settings)
{
    struct nkv_setting *items = settings->items;

    /* Room doubles, at each power of two. */
    if ((settings->count & (settings->count - 1)) == 0) {
        size_t room = settings->count > 0 ? 2 * settings->count : 1;

        items = realloc(items, room * sizeof *items);
        if (items == NULL) {
            return NULL;
        }
        settings->items = items;
    }
    items[settings->count] = (struct nkv_setting){0};
    return &items[settings->count++];
}

/* What is sorted to find keys that come twice. */
struct entry {
    const struct nkv_setting *setting;
};

static int compare_keys(const void *left, const void *right)
{
    const struct nkv_setting *a = ((const struct entry *)left)->setting;
    const struct nkv_setting *b = ((const struct entry *)right)->setting;
    size_t common = a->key_size < b->key_size ? a->key_size : b->key_size;
    int order = memcmp(a->key, b->key, common);

    if (order == 0) {
        order = (a->key_size > b->key_size) - (a->key_size < b->key_size);
    }
    return order != 0 ? order : (a->line > b->line) - (a->line < b->line);
}

static bool keys_differ(const char *place, const struct nkv_setting *first,
                        const struct nkv_setting *second,
                        struct nkv_parse_error *error)
{
    char shown[NKV_SHOW_SHORT_SIZE];

    if (first->key_size != second->key_size ||
        memcmp(first->key, second->key, first->key_size) != 0) {
        return true;
    }
    nkv_show_short((struct nkv_span){first->key, first->key_size}, shown);
    nkv_parse_error(error, second->line,
                    "key '%s' is in %s %lu already: leave one", shown, place,
                    first->line);
    return false;
}

bool nkv_settings_keys_differ(const struct nkv_settings *settings,
                              struct nkv_parse_error *error)
{
    struct entry *sorted = malloc(settings->count * sizeof *sorted);
    bool differ = true;

    if (sorted == NULL) {
        nkv_parse_error(error, 1, "out of memory");
        return false;
    }
    for (size_t i = 0; i < settings->count; i++) {
        sorted[i].setting = &settings->items[i];
    }
    qsort(sorted, settings->count, sizeof *sorted, compare_keys);
    for (size_t i = 1; i < settings->count && differ; i++) {
        differ = keys_differ(settings->place, sorted[i - 1].setting,
                             sorted[i].setting, error);
    }
    free(sorted);
    return differ;
}
