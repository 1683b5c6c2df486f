/* What the word at the end of a line of sh can become. */
#ifndef NORKV_CLI_COMPLETE_H
#define NORKV_CLI_COMPLETE_H

#include "options.h"

#include <stddef.h>

enum { NKV_COMPLETIONS_MAX = 200 };

struct nkv_completions {
    char *list[NKV_COMPLETIONS_MAX];
    size_t count;
    /* Bytes of the word so far, and of what all in the list begin with. */
    size_t word_size;
    size_t common_size;
};

/*
 * Completes the last word of text: a command, an option of the command, or a
 * key of the device that options (a shell's) name. Keys that would need quotes
 * are not offered. Free completions.
 */
void nkv_complete(const struct nkv_options *options, const char *text,
                  struct nkv_completions *completions);

void nkv_completions_free(struct nkv_completions *completions);

#endif
