/*
 * The settings of a unit in a file: a CSV file with columns key, encoding and
 * value, found by the names in the header row, or a JSON file with an array of
 * objects. Other columns and members are notes.
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
    /* Where its row begins, or which element it is, from 1. */
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
    /* What line counts: "line" or "element". */
    const char *place;
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

/*
 * Reads a whole JSON file: an array of objects, each with "key" and one of
 * "text", "hex" and "file".
 *
 * As nkv_settings_parse; refused are also what is no JSON or goes on behind its
 * end, an element that is no object, has a member twice, or not exactly one
 * value. error's line is 0 where the text names the element itself.
 */
bool nkv_settings_parse_json(struct nkv_span json, bool keys_are_hex,
                             struct nkv_settings *settings,
                             struct nkv_parse_error *error);

/* Frees what the list owns and leaves it empty. */
void nkv_settings_free(struct nkv_settings *settings);

#endif
