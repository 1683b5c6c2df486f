/* Keys with their values, gathered, sorted by the bytes of the keys, shown. */
#ifndef NORKV_CLI_RECORDS_H
#define NORKV_CLI_RECORDS_H

#include "report.h"

#include <norkv/bytes.h>
#include <norkv/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nkv_listed {
    uint8_t key[63];
    uint8_t key_size;
    uint32_t version;
    uint32_t value_size;
    /* Anything but NKV_OK: the entry cannot be read. */
    enum nkv_status status;
};

struct nkv_records {
    struct nkv_listed *items;
    size_t count;
    size_t room;
};

static inline struct nkv_span nkv_listed_key(const struct nkv_listed *record)
{
    return (struct nkv_span){record->key, record->key_size};
}

/* Adds a copy of record. False: no memory. */
bool nkv_records_add(struct nkv_records *records,
                     const struct nkv_listed *record);

/* Sorts by key, and leaves one of several with the same: the last version. */
void nkv_records_sort(struct nkv_records *records);

void nkv_records_free(struct nkv_records *records);

/*
 * Prints the list that ls gives: a key a line, with is_long its version, the
 * size of its value and whether it is damaged before it; as_json, an object.
 */
enum nkv_exit nkv_records_print(const struct nkv_records *records, bool is_long,
                                bool as_json);

#endif
