/* The file of a backup: a line of what it is, then a line a record. */
#include "backup_file.h"
#include "json_set.h"
#include "text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A text that grows. */
struct text {
    char *bytes;
    size_t size;
    size_t room;
};

/* As json_dump_callback wants it: 0, or -1 when memory runs out. */
static int append(const char *bytes, size_t size, void *context)
{
    struct text *text = context;

    if (size >= text->room - text->size) {
        size_t room = 2 * text->room + size + 1;
        char *grown = realloc(text->bytes, room);

        if (grown == NULL) {
            return -1;
        }
        text->bytes = grown;
        text->room = room;
    }
    memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
    text->bytes[text->size] = '\0';
    return 0;
}

static bool append_text(struct text *text, const char *bytes)
{
    return append(bytes, strlen(bytes), text) == 0;
}

/* Appends an object, and frees it. One that lacks a member, because memory ran
 * out, is refused. */
static bool append_object(struct text *text, json_t *object, size_t members)
{
    bool good = json_object_size(object) == members &&
                json_dump_callback(object, append, text, JSON_COMPACT) == 0;

    json_decref(object);
    return good;
}

static void set_text(json_t *object, const char *name, const char *text)
{
    nkv_json_set_text(object, name, text != NULL ? text : "");
}

static bool append_head(struct text *text, const struct nkv_backup *backup)
{
    json_t *head = json_object();
    char digest[17];

    snprintf(digest, sizeof digest, "%016" PRIx64, backup->digest.sum);
    nkv_json_set_text(head, "format", "norkv-backup");
    nkv_json_set_integer(head, "version", NKV_BACKUP_VERSION);
    set_text(head, "product", backup->product);
    set_text(head, "unit_id", backup->unit_id);
    set_text(head, "firmware", backup->firmware);
    nkv_json_set_integer(head, "store", backup->store);
    set_text(head, "store_name", backup->store_name);
    nkv_json_set_hex(head, "prefix_hex", backup->prefix);
    set_text(head, "time", backup->time);
    json_object_set_new(head, "changed", json_boolean(backup->changed));
    json_object_set_new(head, "partial", json_boolean(backup->partial));
    nkv_json_set_integer(head, "damaged", backup->damaged);
    nkv_json_set_integer(head, "record_count", (json_int_t)backup->count);
    nkv_json_set_integer(head, "bytes", (json_int_t)backup->digest.bytes);
    nkv_json_set_text(head, "digest", digest);
    return append_object(text, head, 15);
}

static bool append_record(struct text *text, const struct nkv_record *record)
{
    json_t *object = json_object();
    size_t members = 2;

    members += nkv_is_printable(record->key) ? 1 : 0;
    members += nkv_is_utf8(record->value) ? 1 : 0;
    nkv_json_set_key(object, record->key);
    nkv_json_set_value(object, record->value);
    return append_object(text, object, members);
}

/* The records go into the head's object, as its last member. */
static bool append_all(struct text *text, const struct nkv_backup *backup)
{
    if (!append_head(text, backup)) {
        return false;
    }
    text->size--;
    if (!append_text(text, ",\"records\":[\n")) {
        return false;
    }
    for (size_t i = 0; i < backup->count; i++) {
        const char *end = i + 1 < backup->count ? ",\n" : "\n";

        if (!append_record(text, &backup->records[i]) ||
            !append_text(text, end)) {
            return false;
        }
    }
    return append_text(text, "]}\n");
}

char *nkv_backup_write(const struct nkv_backup *backup, size_t *size)
{
    struct text text = {0};

    if (!append_all(&text, backup)) {
        free(text.bytes);
        return NULL;
    }
    *size = text.size;
    return text.bytes;
}
