#include "records.h"

#include "output.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64 };

bool nkv_records_add(struct nkv_records *records,
                     const struct nkv_listed *record)
{
    if (records->count == records->room) {
        size_t room = records->room > 0 ? 2 * records->room : FIRST_ROOM;
        struct nkv_listed *items =
            realloc(records->items, room * sizeof *items);

        if (items == NULL) {
            return false;
        }
        records->items = items;
        records->room = room;
    }
    records->items[records->count++] = *record;
    return true;
}

static int compare_keys(const struct nkv_listed *a, const struct nkv_listed *b)
{
    size_t common = a->key_size < b->key_size ? a->key_size : b->key_size;
    int order = memcmp(a->key, b->key, common);

    return order != 0 ? order : a->key_size - b->key_size;
}

static int compare(const void *left, const void *right)
{
    const struct nkv_listed *a = left;
    const struct nkv_listed *b = right;
    int order = compare_keys(a, b);

    return order != 0 ? order
                      : (a->version > b->version) - (a->version < b->version);
}

void nkv_records_sort(struct nkv_records *records)
{
    struct nkv_listed *items = records->items;
    size_t kept = 0;

    if (records->count == 0) {
        return;
    }
    qsort(items, records->count, sizeof *items, compare);
    for (size_t i = 1; i < records->count; i++) {
        kept += compare_keys(&items[kept], &items[i]) != 0 ? 1 : 0;
        items[kept] = items[i];
    }
    records->count = kept + 1;
}

void nkv_records_free(struct nkv_records *records)
{
    free(records->items);
    *records = (struct nkv_records){0};
}

static enum nkv_exit print_json(const struct nkv_listed *record)
{
    json_t *object = json_object();

    nkv_json_set_key(object, nkv_listed_key(record));
    nkv_json_set_integer(object, "version", record->version);
    nkv_json_set_integer(object, "size", record->value_size);
    if (record->status != NKV_OK) {
        nkv_json_set_text(object, "status", nkv_status_name(record->status));
    }
    return nkv_print_json(object);
}

static void print_line(const struct nkv_listed *record, bool is_long)
{
    if (is_long) {
        printf("%10" PRIu32 " %6" PRIu32 " ", record->version,
               record->value_size);
    }
    nkv_print_shown(nkv_listed_key(record));
    if (is_long && record->status != NKV_OK) {
        printf("  (%s)", nkv_status_name(record->status));
    }
    putchar('\n');
}

enum nkv_exit nkv_records_print(const struct nkv_records *records, bool is_long,
                                bool as_json)
{
    enum nkv_exit code = NKV_EXIT_DONE;

    for (size_t i = 0; i < records->count && nkv_output_works(); i++) {
        if (as_json) {
            code = print_json(&records->items[i]);
        } else {
            print_line(&records->items[i], is_long);
        }
        if (code != NKV_EXIT_DONE) {
            break;
        }
    }
    return code;
}
