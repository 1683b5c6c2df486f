/* A line of commands as words, by the rules of a POSIX shell's simple words. */
#ifndef NORKV_CLI_WORDS_H
#define NORKV_CLI_WORDS_H

#include <stdbool.h>
#include <stddef.h>

struct nkv_words {
    /* count words, and NULL behind them. */
    char **list;
    size_t count;
    /* What list points into. */
    char *text;
};

/*
 * Splits a line at blanks. Between '...' all stands for itself; between "..."
 * too, but \ before " \ $ or ` takes that as it is; elsewhere \ does so for any
 * character. # at the start of a word begins a comment. Nothing is expanded.
 *
 * NULL: free words. Otherwise what is wrong with the line, in static storage,
 * and words are empty.
 */
const char *nkv_words_split(const char *line, struct nkv_words *words);

void nkv_words_free(struct nkv_words *words);

#endif
