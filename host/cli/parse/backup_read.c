/* Reading the file of a backup: nothing in it is taken on trust. */
#include "backup_memory.h"
#include "hex.h"
#include "text.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What a member of the head must be. */
enum kind { KIND_TEXT, KIND_COUNT, KIND_BOOLEAN, KIND_LIST };

struct member {
    const char *name;
    enum kind kind;
};

static const struct member head_members[] = {
    {"format", KIND_TEXT},        {"version", KIND_COUNT},
    {"product", KIND_TEXT},       {"unit_id", KIND_TEXT},
    {"firmware", KIND_TEXT},      {"store", KIND_COUNT},
    {"store_name", KIND_TEXT},    {"prefix_hex", KIND_TEXT},
    {"time", KIND_TEXT},          {"changed", KIND_BOOLEAN},
    {"partial", KIND_BOOLEAN},    {"damaged", KIND_COUNT},
    {"record_count", KIND_COUNT}, {"bytes", KIND_COUNT},
    {"digest", KIND_TEXT},        {"records", KIND_LIST},
};
enum { HEAD_MEMBERS = sizeof head_members / sizeof head_members[0] };

static const char *const record_members[] = {"key", "key_hex", "text",
                                             "value_hex"};
enum { RECORD_MEMBERS = sizeof record_members / sizeof record_members[0] };

struct reading {
    struct nkv_backup *backup;
    struct nkv_parse_error *error;
    json_t *root;
    /* The record at hand, from 1. */
    size_t number;
};

/* Text that a user sees of what was found in the file. */
static const char *show(const char *text, size_t size,
                        char to[NKV_SHOW_SHORT_SIZE])
{
    return nkv_show_short((struct nkv_span){(const uint8_t *)text, size}, to);
}

/* ---- The head ---------------------------------------------------------- */

static bool is_of_kind(const json_t *value, enum kind kind)
{
    switch (kind) {
    case KIND_TEXT:
        return json_is_string(value) &&
               strlen(json_string_value(value)) == json_string_length(value);
    case KIND_COUNT:
        return json_is_integer(value) && json_integer_value(value) >= 0;
    case KIND_BOOLEAN:
        return json_is_boolean(value);
    default:
        return json_is_array(value);
    }
}

static bool check_format(const struct reading *reading)
{
    const json_t *format = json_object_get(reading->root, "format");
    const json_t *version = json_object_get(reading->root, "version");

    if (!json_is_string(format) ||
        strcmp(json_string_value(format), "norkv-backup") != 0) {
        nkv_parse_error(reading->error, 0,
                        "not a backup: its member format is not "
                        "\"norkv-backup\"; give a file of norkv backup");
        return false;
    }
    if (json_is_integer(version) &&
        json_integer_value(version) != NKV_BACKUP_VERSION) {
        nkv_parse_error(reading->error, 0,
                        "a backup of version %lld, and this norkv reads "
                        "version %d: use one that is newer",
                        (long long)json_integer_value(version),
                        NKV_BACKUP_VERSION);
        return false;
    }
    return true;
}

static bool check_head_members(const struct reading *reading)
{
    for (size_t i = 0; i < HEAD_MEMBERS; i++) {
        const struct member *it = &head_members[i];
        const json_t *value = json_object_get(reading->root, it->name);

        if (value == NULL || !is_of_kind(value, it->kind)) {
            nkv_parse_error(reading->error, 0, "member %s is %s", it->name,
                            value == NULL ? "missing" : "not what it must be");
            return false;
        }
    }
    return true;
}

static bool is_head_member(const char *name)
{
    for (size_t i = 0; i < HEAD_MEMBERS; i++) {
        if (strcmp(name, head_members[i].name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_record_member(const char *name)
{
    for (size_t i = 0; i < RECORD_MEMBERS; i++) {
        if (strcmp(name, record_members[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The name of a member that is not known, or NULL. */
static const char *find_unknown(json_t *object,
                                bool (*is_known)(const char *name))
{
    const char *name;
    json_t *value;

    json_object_foreach(object, name, value)
    {
        if (!is_known(name)) {
            return name;
        }
    }
    return NULL;
}

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static json_int_t count_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static bool is_time(const char *text)
{
    static const char form[] = "dddd-dd-ddTdd:dd:ddZ";
    size_t i = 0;

    for (; form[i] != '\0' && text[i] != '\0'; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';

        if (form[i] == 'd' ? !digit : text[i] != form[i]) {
            return false;
        }
    }
    return form[i] == text[i];
}

static bool out_of_memory(const struct reading *reading)
{
    nkv_parse_error(reading->error, 0,
                    "out of memory: close other programs and try again");
    return false;
}

/* Hex digits into memory of the backup's. NULL: they are none, or no memory. */
static const uint8_t *keep_hex(struct nkv_backup *backup, const json_t *digits)
{
    size_t size = json_string_length(digits);
    uint8_t *bytes = nkv_backup_room(backup, size / 2 + 1);

    return bytes != NULL &&
                   nkv_hex_decode(json_string_value(digits), size, bytes)
               ? bytes
               : NULL;
}

static bool keep_text(const struct reading *reading, const char *name,
                      const char **kept)
{
    const char *text = text_of(reading->root, name);
    size_t size = strlen(text) + 1;
    uint8_t *room = nkv_backup_room(reading->backup, size);

    if (room == NULL) {
        return out_of_memory(reading);
    }
    memcpy(room, text, size);
    *kept = (const char *)room;
    return true;
}

static bool keep_texts(const struct reading *reading)
{
    struct nkv_backup *backup = reading->backup;

    return keep_text(reading, "product", &backup->product) &&
           keep_text(reading, "unit_id", &backup->unit_id) &&
           keep_text(reading, "firmware", &backup->firmware) &&
           keep_text(reading, "store_name", &backup->store_name);
}

static bool take_prefix(const struct reading *reading)
{
    const json_t *digits = json_object_get(reading->root, "prefix_hex");
    struct nkv_span *prefix = &reading->backup->prefix;

    prefix->size = json_string_length(digits) / 2;
    prefix->data = keep_hex(reading->backup, digits);
    if (prefix->data == NULL || prefix->size > NKV_RECORD_KEY_MAX) {
        nkv_parse_error(reading->error, 0,
                        "member prefix_hex is not the hex digits of 0 to %d "
                        "bytes",
                        NKV_RECORD_KEY_MAX);
        return false;
    }
    return true;
}

static bool take_numbers(const struct reading *reading)
{
    struct nkv_backup *backup = reading->backup;
    json_int_t store = count_of(reading->root, "store");
    json_int_t damaged = count_of(reading->root, "damaged");
    const char *time = text_of(reading->root, "time");

    if (store > UINT32_MAX || damaged > UINT32_MAX || !is_time(time)) {
        nkv_parse_error(reading->error, 0,
                        "member store, damaged or time is not what it must be");
        return false;
    }
    backup->store = (uint32_t)store;
    backup->damaged = (uint32_t)damaged;
    backup->changed = json_is_true(json_object_get(reading->root, "changed"));
    backup->partial = json_is_true(json_object_get(reading->root, "partial"));
    memcpy(backup->time, time, NKV_BACKUP_TIME_SIZE);
    return true;
}

static bool take_head(const struct reading *reading)
{
    const char *unknown;
    char shown[NKV_SHOW_SHORT_SIZE];

    if (!check_format(reading) || !check_head_members(reading)) {
        return false;
    }
    unknown = find_unknown(reading->root, is_head_member);
    if (unknown != NULL) {
        nkv_parse_error(reading->error, 0, "member %s is not known",
                        show(unknown, strlen(unknown), shown));
        return false;
    }
    return keep_texts(reading) && take_prefix(reading) && take_numbers(reading);
}

/* ---- Records ----------------------------------------------------------- */

/* Says what is wrong with the record at hand. */
static bool refuse(const struct reading *reading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool refuse(const struct reading *reading, const char *format, ...)
{
    char what[NKV_PARSE_ERROR_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    nkv_parse_error(reading->error, 0, "record %zu: %s", reading->number, what);
    return false;
}

/* Takes the bytes of hex member hex_name; the member of the text, where there
 * is one, must say the same. */
static bool take_bytes(const struct reading *reading, const json_t *object,
                       const char *hex_name, const char *text_name,
                       struct nkv_span *bytes)
{
    const json_t *digits = json_object_get(object, hex_name);
    const json_t *text = json_object_get(object, text_name);

    if (!json_is_string(digits)) {
        return refuse(reading, "%s is missing, or no text", hex_name);
    }
    bytes->size = json_string_length(digits) / 2;
    bytes->data = keep_hex(reading->backup, digits);
    if (bytes->data == NULL) {
        return refuse(reading, "%s is not hex, two digits a byte", hex_name);
    }
    if (text != NULL &&
        (!json_is_string(text) || json_string_length(text) != bytes->size ||
         memcmp(json_string_value(text), bytes->data, bytes->size) != 0)) {
        return refuse(reading, "%s and %s differ", text_name, hex_name);
    }
    return true;
}

static bool check_sizes(const struct reading *reading,
                        const struct nkv_record *record)
{
    struct nkv_span prefix = reading->backup->prefix;

    if (record->key.size == 0 || record->key.size > NKV_RECORD_KEY_MAX) {
        return refuse(reading, "the key has %zu bytes: a key has 1 to %d",
                      record->key.size, NKV_RECORD_KEY_MAX);
    }
    if (record->value.size > NKV_RECORD_VALUE_MAX) {
        return refuse(reading,
                      "the value has %zu bytes: a value has %d at most",
                      record->value.size, NKV_RECORD_VALUE_MAX);
    }
    if (record->key.size < prefix.size ||
        memcmp(record->key.data, prefix.data, prefix.size) != 0) {
        return refuse(reading, "the key does not begin with the prefix");
    }
    return true;
}

static bool take_record(const struct reading *reading, json_t *object)
{
    char shown[NKV_SHOW_SHORT_SIZE];
    struct nkv_record record = {{NULL, 0}, {NULL, 0}};
    const char *unknown;

    if (!json_is_object(object)) {
        return refuse(reading, "it is no object");
    }
    unknown = find_unknown(object, is_record_member);
    if (unknown != NULL) {
        return refuse(reading, "member %s is not known",
                      show(unknown, strlen(unknown), shown));
    }
    if (!take_bytes(reading, object, "key_hex", "key", &record.key) ||
        !take_bytes(reading, object, "value_hex", "text", &record.value) ||
        !check_sizes(reading, &record)) {
        return false;
    }
    return nkv_backup_keep(reading->backup, record) || out_of_memory(reading);
}

static bool take_records(struct reading *reading)
{
    const json_t *records = json_object_get(reading->root, "records");

    for (size_t i = 0; i < json_array_size(records); i++) {
        reading->number = i + 1;
        if (!take_record(reading, json_array_get(records, i))) {
            return false;
        }
    }
    return true;
}

static bool no_key_comes_twice(const struct reading *reading)
{
    const struct nkv_record *twice = nkv_backup_sort(reading->backup);
    char shown[NKV_SHOW_SHORT_SIZE];

    if (twice != NULL) {
        nkv_parse_error(reading->error, 0, "key '%s' comes twice",
                        nkv_show_short(twice->key, shown));
    }
    return twice == NULL;
}

/* Whether the records are those that were written. */
static bool sums_agree(const struct reading *reading)
{
    const struct nkv_backup *backup = reading->backup;
    const char *digits = text_of(reading->root, "digest");
    uint8_t bytes[8];
    uint64_t sum = 0;

    if ((uint64_t)count_of(reading->root, "record_count") != backup->count) {
        nkv_parse_error(reading->error, 0,
                        "record_count does not agree: %zu records are here",
                        backup->count);
        return false;
    }
    if (strlen(digits) != 16 || !nkv_hex_decode(digits, 16, bytes)) {
        nkv_parse_error(reading->error, 0,
                        "member digest is not 16 hex digits");
        return false;
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        sum = sum << 8 | bytes[i];
    }
    if ((uint64_t)count_of(reading->root, "bytes") != backup->digest.bytes ||
        sum != backup->digest.sum) {
        nkv_parse_error(reading->error, 0,
                        "the records are not those that were written: bytes or "
                        "digest do not agree");
        return false;
    }
    return true;
}

/* ---- The whole --------------------------------------------------------- */

static json_t *load(struct nkv_span file, struct nkv_parse_error *error)
{
    json_error_t found;
    json_t *root =
        json_loadb(file.size > 0 ? (const char *)file.data : "", file.size,
                   JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &found);
    unsigned long line =
        root == NULL && found.line > 0 ? (unsigned long)found.line : 1;

    if (root != NULL) {
        return root;
    }
    switch (json_error_code(&found)) {
    case json_error_out_of_memory:
        nkv_parse_error(error, line,
                        "out of memory: close other programs and "
                        "try again");
        break;
    case json_error_premature_end_of_input:
        nkv_parse_error(error, line, "the file ends early: it was cut");
        break;
    case json_error_duplicate_key:
        nkv_parse_error(error, line, "a member comes twice");
        break;
    default:
        nkv_parse_error(error, line,
                        "no JSON from here on: not a backup, or "
                        "damaged");
    }
    return NULL;
}

bool nkv_backup_read(struct nkv_span file, struct nkv_backup *backup,
                     struct nkv_parse_error *error)
{
    struct reading reading = {.backup = backup, .error = error};
    json_t *root = load(file, error);
    bool good;

    *backup = (struct nkv_backup){0};
    if (root == NULL) {
        return false;
    }
    reading.root = root;
    good = take_head(&reading) && take_records(&reading) &&
           no_key_comes_twice(&reading) && sums_agree(&reading);
    json_decref(root);
    if (!good) {
        nkv_backup_free(backup);
    }
    return good;
}
