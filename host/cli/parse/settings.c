#include "settings.h"

#include "csv_rows.h"
#include "setting_make.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMN_KEY, COLUMN_ENCODING, COLUMN_VALUE, COLUMN_COUNT };

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

static bool take_row(void *context, const struct nkv_csv_row *row,
                     struct nkv_parse_error *error)
{
    struct table *table = context;
    const struct nkv_span *fields = row->fields;
    struct nkv_setting *setting;

    if (!table->has_header) {
        return take_header(table, row, error);
    }
    setting = nkv_setting_add(table->settings);
    if (setting == NULL) {
        nkv_parse_error(error, row->line, "out of memory");
        return false;
    }
    setting->line = row->line;
    return take_encoding(fields[table->columns[COLUMN_ENCODING]], setting,
                         error) &&
           nkv_setting_take_key(setting, fields[table->columns[COLUMN_KEY]],
                                table->keys_are_hex, error) &&
           nkv_setting_take_value(setting, fields[table->columns[COLUMN_VALUE]],
                                  error);
}

static bool check_all(const struct table *table, struct nkv_parse_error *error)
{
    if (table->settings->count > 0) {
        return nkv_settings_keys_differ(table->settings, error);
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

    *settings = (struct nkv_settings){.place = "line"};
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
