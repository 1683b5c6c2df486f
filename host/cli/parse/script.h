/* The scripts of norkv image exec: one command a line. */
#ifndef NORKV_CLI_SCRIPT_H
#define NORKV_CLI_SCRIPT_H

#include "parse_error.h"

#include <norkv/bytes.h>
#include <stdbool.h>
#include <stddef.h>

enum nkv_script_verb {
    /* put KEYHEX VALUEHEX */
    NKV_SCRIPT_PUT,
    /* del KEYHEX */
    NKV_SCRIPT_DEL,
    /* get KEYHEX */
    NKV_SCRIPT_GET,
    NKV_SCRIPT_MAINTAIN_PARTIAL,
    NKV_SCRIPT_MAINTAIN_FULL,
    NKV_SCRIPT_MAINTAIN_HEAVY,
    NKV_SCRIPT_REMOUNT
};

struct nkv_script_command {
    enum nkv_script_verb verb;
    /* Empty where the command has none, or "-" is given. In script memory. */
    struct nkv_span key;
    struct nkv_span value;
};

struct nkv_script {
    struct nkv_script_command *commands;
    size_t count;
    /* The bytes of all keys and values. */
    uint8_t *bytes;
};

/*
 * Reads a whole script. Words stand apart by blanks; empty lines and lines that
 * begin with # are skipped; keys may have any size.
 *
 * True: free script with nkv_script_free. False: error names the first line
 * that is malformed; script is empty.
 */
bool nkv_script_parse(struct nkv_span text, struct nkv_script *script,
                      struct nkv_parse_error *error);

/* Frees what the script owns and leaves it empty. */
void nkv_script_free(struct nkv_script *script);

#endif
