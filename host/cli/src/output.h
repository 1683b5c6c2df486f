/* What goes to standard output. */
#ifndef NORKV_CLI_OUTPUT_H
#define NORKV_CLI_OUTPUT_H

#include "json_set.h"
#include "report.h"

#include <jansson.h>
#include <norkv/bytes.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Makes standard input, output and error safe to use where the caller closed
 * one: no file that is opened later gets its number, and what is written to it
 * fails. Writing to a closed pipe is an error from now on, no signal.
 */
void nkv_prepare_streams(void);

/* Writes out what waits for standard output. False as nkv_output_works. */
bool nkv_flush_output(void);

/*
 * Sees to it that standard output took everything. Returns code, or says what
 * is wrong and returns NKV_EXIT_FAILED if code was NKV_EXIT_DONE.
 */
enum nkv_exit nkv_close_output(enum nkv_exit code);

/* Can standard output still be written? False ends long listings early. */
bool nkv_output_works(void);

/* Writes bytes as they are. */
void nkv_print_bytes(struct nkv_span bytes);

/* Writes bytes that may not be printable, as nkv_show has them. */
void nkv_print_shown(struct nkv_span bytes);

/* Writes an object as one line, and frees it. NULL says that memory ran out. */
enum nkv_exit nkv_print_json(json_t *object);

#endif
