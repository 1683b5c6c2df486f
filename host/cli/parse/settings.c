#include "settings.h"

#include "csv_rows.h"
#include "hex.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMN_KEY, COLUMN_ENCODING, COLUMN_VALUE, COLUMN_COUNT };
enum { KEY_SIZE_MAX = 63 };

static const char *const column_names[COLUMN_COUNT] = {"key", "encoding",
                                                       "value"};
static const char *const encoding_names[] = {"text", "hex", "file"};

struct table {
    struct nkv_settings *settings;
    bool keys_are_hex;
    bool has_header;
    size_t columns[COLUMN_COUNT];
};

static bool is(struct nkv_span field, const char *text)
{
    return field.size == strlen(text) &&
           (field.size == 0 || memcmp(field.data, text, field.size) == 0);
}

/* Finds one column by its name in the header row. */
static bool find_column(const struct nkv_csv_row *row, size_t column,
                        size_t *index, struct nkv_parse_error *error)
{
    size_t found = 0;

    for (size_t i = 0; i < row->field_count; i++) {
        if (is(row->fields[i], column_names[column])) {
            *index = i;
            found++;
        }
    }
    if (found == 0) {
        nkv_parse_error(error, row->line,
                        "no column '%s': the first line must name the columns "
                        "key, encoding and value",
                        column_names[column]);
    } else if (found > 1) {
        nkv_parse_error(error, row->line,
                        "column '%s' is there %zu times: leave one",
                        column_names[column], found);
    }
    return found == 1;
}

static bool take_header(struct table *table, const struct nkv_csv_row *row,
                        struct nkv_parse_error *error)
{
    table->has_header = true;
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        if (!find_column(row, i, &table->columns[i], error)) {
            return false;
        }
    }
    return true;
}

static bool take_encoding(struct nkv_span field, struct nkv_setting *setting,
                          struct nkv_parse_error *error)
{
    char shown[NKV_SHOW_SHORT_SIZE];

    for (size_t i = 0; i <= NKV_ENCODING_FILE; i++) {
        if (is(field, encoding_names[i])) {
            setting->encoding = (enum nkv_encoding)i;
            return true;
        }
    }
    nkv_parse_error(error, setting->line,
                    "unknown encoding '%s': write text, hex or file",
                    nkv_show_short(field, shown));
    return false;
}

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

static bool take_key(const struct table *table, struct nkv_span field,
                     struct nkv_setting *setting, struct nkv_parse_error *error)
{
    setting->key = copy(field, setting->line, error);
    setting->key_size = field.size;
    if (setting->key == NULL ||
        (table->keys_are_hex &&
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

static bool take_value(struct nkv_span field, struct nkv_setting *setting,
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

static struct nkv_setting *add_setting(struct nkv_settings *settings)
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

static bool take_row(void *context, const struct nkv_csv_row *row,
                     struct nkv_parse_error *error)
{
    struct table *table = context;
    const struct nkv_span *fields = row->fields;
    struct nkv_setting *setting;

    if (!table->has_header) {
        return take_header(table, row, error);
    }
    setting = add_setting(table->settings);
    if (setting == NULL) {
        nkv_parse_error(error, row->line, "out of memory");
        return false;
    }
    setting->line = row->line;
    return take_encoding(fields[table->columns[COLUMN_ENCODING]], setting,
                         error) &&
           take_key(table, fields[table->columns[COLUMN_KEY]], setting,
                    error) &&
           take_value(fields[table->columns[COLUMN_VALUE]], setting, error);
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

static bool keys_differ(const struct nkv_setting *first,
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
                    "key '%s' is in line %lu already: leave one", shown,
                    first->line);
    return false;
}

static bool all_keys_differ(const struct nkv_settings *settings,
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
        differ = keys_differ(sorted[i - 1].setting, sorted[i].setting, error);
    }
    free(sorted);
    return differ;
}

static bool check_all(const struct table *table, struct nkv_parse_error *error)
{
    if (table->settings->count > 0) {
        return all_keys_differ(table->settings, error);
    }
    nkv_parse_error(error, 1,
                    table->has_header
                        ? "no settings follow the header line"
                        : "the file is empty: the first line must name the "
                          "columns key, encoding and value");
    return false;
}

bool nkv_settings_parse(struct nkv_span csv, bool keys_are_hex,
                        struct nkv_settings *settings,
                        struct nkv_parse_error *error)
{
    struct table table = {.settings = settings, .keys_are_hex = keys_are_hex};
    bool good;

    *settings = (struct nkv_settings){0};
    good =
        nkv_csv_read(csv, take_row, &table, error) && check_all(&table, error);
    if (!good) {
        nkv_settings_free(settings);
    }
    return good;
}

void nkv_settings_free(struct nkv_settings *settings)
{
    for (size_t i = 0; i < settings->count; i++) {
        free(settings->items[i].key);
        free(settings->items[i].value);
    }
    free(settings->items);
    *settings = (struct nkv_settings){0};
}
