/*
 * Backups: the records of a store with where they came from, in memory and as a
 * file (docs/backup.md).
 */
#ifndef NORKV_CLI_BACKUP_FILE_H
#define NORKV_CLI_BACKUP_FILE_H

#include "parse_error.h"

#include <norkv/bytes.h>
#include <norkv/record.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NKV_BACKUP_VERSION = 1,
    /* "2026-11-26T07:00:00Z" and a NUL. */
    NKV_BACKUP_TIME_SIZE = 21
};

/* Memory that a backup's pieces lie in. */
struct nkv_backup_block;

/* All zero: no records, and nothing to free. */
struct nkv_backup {
    /* What the device said of itself. NULL is "". Borrowed; those of a backup
     * that was read are its own. */
    const char *product;
    const char *unit_id;
    const char *firmware;
    uint32_t store;
    const char *store_name;
    /* Only keys that begin with this; empty: all. Borrowed likewise. */
    struct nkv_span prefix;
    /* When it was made, UTC. */
    char time[NKV_BACKUP_TIME_SIZE];
    /* The store did not mount whole: there may be more on its flash. */
    bool partial;
    /* Entries that the device could not read: they are missing. */
    uint32_t damaged;
    /* The store was written meanwhile: records are not all of one moment. */
    bool changed;
    /* They lie in memory of the backup's, and stay where they are. */
    struct nkv_record *records;
    size_t count;
    /* Of the records. */
    struct nkv_digest digest;
    /* Private. */
    size_t room;
    struct nkv_backup_block *blocks;
};

/*
 * Adds a copy of a record, and adds it to the digest. key has 1 to
 * NKV_RECORD_KEY_MAX bytes, value NKV_RECORD_VALUE_MAX at most; whether the key
 * is there already is not looked at.
 *
 * False: no memory; the backup is as before.
 */
bool nkv_backup_add(struct nkv_backup *backup, struct nkv_span key,
                    struct nkv_span value);

/* How two keys sort: by their bytes, the shorter one first. As qsort's. */
int nkv_backup_compare_keys(struct nkv_span a, struct nkv_span b);

/* Sorts the records by key. Returns one whose key comes twice, or NULL. */
const struct nkv_record *nkv_backup_sort(struct nkv_backup *backup);

/* Goes over two sorted backups at once. All zero but left and right: begin. */
struct nkv_backup_pairs {
    const struct nkv_backup *left;
    const struct nkv_backup *right;
    /* What the two have under the next key of either; NULL: one has it not. */
    const struct nkv_record *in_left;
    const struct nkv_record *in_right;
    /* Private. */
    size_t left_at;
    size_t right_at;
};

/* False: there is no key left. */
bool nkv_backup_next_pair(struct nkv_backup_pairs *pairs);

/* Whether two records have the same value. */
bool nkv_record_has_value_of(const struct nkv_record *a,
                             const struct nkv_record *b);

/* Frees the records and what the backup owns, and makes it all zero. */
void nkv_backup_free(struct nkv_backup *backup);

/*
 * Writes a backup as a file: its records in their order, which is to be that of
 * nkv_backup_sort. The same backup gives the same bytes.
 *
 * Returns the text, *size bytes and a NUL, to be freed by the caller; NULL: no
 * memory.
 */
char *nkv_backup_write(const struct nkv_backup *backup, size_t *size);

/*
 * Reads the file of a backup, however its JSON is laid out. The records come
 * sorted by key, each key once.
 *
 * All of it is good or all is refused: what is no JSON or ends early, another
 * format or version, a member that is missing, unknown, of another type or
 * twice there, hex digits that are none, a key of 0 or more than 63 bytes or
 * without the prefix, a value that is too large, a key that comes twice, text
 * that is not what its hex digits say, a count, a size or a digest that is not
 * that of the records.
 *
 * True: free backup with nkv_backup_free. False: error says why; its line is
 * that behind which there is no JSON, otherwise 0; backup is all zero.
 */
bool nkv_backup_read(struct nkv_span file, struct nkv_backup *backup,
                     struct nkv_parse_error *error);

#endif
