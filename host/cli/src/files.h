/* Whole files, read and replaced. */
#ifndef NORKV_CLI_FILES_H
#define NORKV_CLI_FILES_H

#include "report.h"

#include <norkv/bytes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of our own: freed with nkv_blob_free. */
struct nkv_blob {
    uint8_t *data;
    size_t size;
};

static inline struct nkv_span nkv_blob_span(const struct nkv_blob *blob)
{
    return (struct nkv_span){blob->data, blob->size};
}

void nkv_blob_free(struct nkv_blob *blob);

/*
 * Reads all of a file, or of standard input if path is "-"; more than limit
 * bytes are an error. A NUL follows the bytes.
 *
 * NKV_EXIT_DONE: free blob. Otherwise the error was reported and blob is empty.
 */
enum nkv_exit nkv_read_file(const char *path, size_t limit,
                            struct nkv_blob *blob);

enum { NKV_FILE_WHY_SIZE = 1024 };

/* The same, but for the report: where it returns false, why says what is wrong
 * and what to do. */
bool nkv_load_file(const char *path, size_t limit, struct nkv_blob *blob,
                   char why[NKV_FILE_WHY_SIZE]);

/*
 * Replaces a file by one with these bytes, or creates it: whole or not at all,
 * whatever happens meanwhile. Keeps the mode of an older file, and links to it.
 * What is no plain file (a pipe, a device, a descriptor of ours like
 * /dev/stdout) is written to as it is.
 * Errors are reported.
 */
enum nkv_exit nkv_write_file(const char *path, struct nkv_span bytes);

#endif
