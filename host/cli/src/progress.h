/*
 * Shows how far a long command has come, on standard error: on a terminal a
 * line that is redrawn, with --json an object a line, in a pipe nothing.
 *
 *     struct nkv_progress progress;
 *
 *     nkv_progress_begin(&progress, options, "restore", NKV_PROGRESS_RECORDS);
 *     nkv_progress_set_total(&progress, count);
 *     ... nkv_progress_update(&progress, done) as often as one likes ...
 *     nkv_progress_end(&progress);
 *     ... only now nkv_fail or output ...
 */
#ifndef NORKV_CLI_PROGRESS_H
#define NORKV_CLI_PROGRESS_H

#include "options.h"
#include "progress_text.h"

#include <norkv/client.h>
#include <stdbool.h>

enum nkv_progress_style {
    NKV_PROGRESS_SILENT,
    NKV_PROGRESS_BAR,
    NKV_PROGRESS_JSON
};

/* Members are private. */
struct nkv_progress {
    enum nkv_progress_style style;
    struct nkv_progress_state state;
    uint64_t began_ms;
    uint64_t shown_ms;
    bool shown;
    /* The line of the terminal is in use. */
    bool is_drawn;
};

/*
 * Begins with nothing done and a total that is not known. what is the
 * command's name, borrowed. Frames that --verbose shows would run into a bar,
 * so that there is none then.
 */
void nkv_progress_begin(struct nkv_progress *progress,
                        const struct nkv_options *options, const char *what,
                        enum nkv_progress_unit unit);

/* 0: not known. */
void nkv_progress_set_total(struct nkv_progress *progress, uint64_t total);

/*
 * Says how much is done by now. Shown at most ten times a second on a terminal
 * and twice a second as JSON; the rest of the calls cost no more than a look at
 * the clock.
 */
void nkv_progress_update(struct nkv_progress *progress, uint64_t done);

/* For a call of the client that tells its progress: shows it. */
struct nkv_client_progress nkv_progress_follow(struct nkv_progress *progress);

/* Clears the line of a terminal, so that something else can be written in the
 * middle. */
void nkv_progress_hide(struct nkv_progress *progress);

/* Clears the line of a terminal, or writes a last object; nothing where nothing
 * was updated. Must come before anything else is written. Harmless when
 * repeated. */
void nkv_progress_end(struct nkv_progress *progress);

#endif
