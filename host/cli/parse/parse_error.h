/* Why a text that a user wrote was refused. */
#ifndef NORKV_CLI_PARSE_ERROR_H
#define NORKV_CLI_PARSE_ERROR_H

enum { NKV_PARSE_ERROR_SIZE = 200 };

struct nkv_parse_error {
    /* From 1. */
    unsigned long line;
    /* What is wrong and what to do, without the line. */
    char text[NKV_PARSE_ERROR_SIZE];
};

/* Fills in an error, printf-like. A text too long is cut. */
void nkv_parse_error(struct nkv_parse_error *error, unsigned long line,
                     const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
