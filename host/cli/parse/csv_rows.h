/* The rows of a CSV file (RFC 4180), read strictly. */
#ifndef NORKV_CLI_CSV_ROWS_H
#define NORKV_CLI_CSV_ROWS_H

#include "parse_error.h"

#include <norkv/bytes.h>
#include <stdbool.h>
#include <stddef.h>

enum { NKV_CSV_FIELDS_MAX = 64 };

struct nkv_csv_row {
    /* Where it begins, from 1: quoted fields may hold newlines. */
    unsigned long line;
    size_t field_count;
    /* Borrowed until the callback returns. */
    struct nkv_span fields[NKV_CSV_FIELDS_MAX];
};

/*
 * Gives one row after the other to take, the header first, until it returns
 * false, having filled in error. Empty lines are skipped.
 *
 * False, and error says why, when a row has more or fewer fields than the
 * first, a quote is not closed or out of place, the last line lacks its
 * newline (all signs of a file that was cut), or memory runs out.
 */
bool nkv_csv_read(struct nkv_span csv,
                  bool (*take)(void *context, const struct nkv_csv_row *row,
                               struct nkv_parse_error *error),
                  void *context, struct nkv_parse_error *error);

#endif
