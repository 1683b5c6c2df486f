/*
 * The settings of a unit in a CSV file: columns key, encoding and value, found
 * by the names in the header row; other columns are notes.
 */
#ifndef NORKV_CLI_SETTINGS_H
#define NORKV_CLI_SETTINGS_H

#include "parse_error.h"

#include <norkv/bytes.h>
#include <stdbool.h>
#include <stddef.h>

enum nkv_encoding {
    /* The value is the field's bytes. */
    NKV_ENCODING_TEXT,
    /* The field is hex digits. */
    NKV_ENCODING_HEX,
    /* The field is the path of a file that holds the value. */
    NKV_ENCODING_FILE
};

struct nkv_setting {
    /* Where its row begins, from 1. */
    unsigned long line;
    enum nkv_encoding encoding;
    /* Owned by the list, as value is. */
    uint8_t *key;
    size_t key_size;
    /* The value. With NKV_ENCODING_FILE the path, until the value was loaded.
     * A NUL follows. */
    uint8_t *value;
    size_t value_size;
};

struct nkv_settings {
    struct nkv_setting *items;
    size_t count;
};

/*
 * Reads a whole CSV file. Keys are text, or hex digits with keys_are_hex.
 *
 * All of it is good or all is refused: a row with more or fewer fields than the
 * header, a quote that is not closed, a last line without its newline (all
 * signs of a file that was cut), an unknown encoding, bad hex digits, a key of
 * 0 or more than 63 bytes, a key that comes twice, a file without settings.
 *
 * True: free settings with nkv_settings_free. False: error says why; settings
 * are empty.
 */
bool nkv_settings_parse(struct nkv_span csv, bool keys_are_hex,
                        struct nkv_settings *settings,
                        struct nkv_parse_error *error);

/* Frees what the list owns and leaves it empty. */
void nkv_settings_free(struct nkv_settings *settings);

#endif
