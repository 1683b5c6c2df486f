/* What get gives to its user: from a device and from an image. */
#ifndef NORKV_CLI_SHOW_VALUE_H
#define NORKV_CLI_SHOW_VALUE_H

#include "options.h"
#include "report.h"

#include <norkv/bytes.h>

struct nkv_shown_value {
    struct nkv_span key;
    struct nkv_span value;
    uint32_t version;
};

/* Writes the value to standard output or to --output; with --json an object
 * goes to standard output, without the value where --output has it. */
enum nkv_exit nkv_show_value(const struct nkv_options *options,
                             const struct nkv_shown_value *shown);

/* What put and del print with --json; nothing without. size is the value's,
 * or -1. */
enum nkv_exit nkv_show_write(const struct nkv_options *options,
                             struct nkv_span key, uint32_t version,
                             int64_t size);

#endif
