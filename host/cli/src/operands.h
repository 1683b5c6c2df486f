/* Keys and values as the operands and options of a command give them. */
#ifndef NORKV_CLI_OPERANDS_H
#define NORKV_CLI_OPERANDS_H

#include "files.h"
#include "options.h"
#include "report.h"

/* The key in text, which is hex with --key-hex. Free key when it is done. */
enum nkv_exit nkv_key_operand(const struct nkv_options *options,
                              const char *text, struct nkv_blob *key);

/* As nkv_key_operand, but of 0 bytes too. text may be NULL for those. */
enum nkv_exit nkv_prefix_operand(const struct nkv_options *options,
                                 const char *text, struct nkv_blob *prefix);

/*
 * The value: text, or standard input if text is "-", or --file or --hex; one
 * of them must be. text is NULL where there is no operand. Free value when it
 * is done.
 */
enum nkv_exit nkv_value_operand(const struct nkv_options *options,
                                const char *text, struct nkv_blob *value);

#endif
