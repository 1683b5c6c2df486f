/* The lines of sh, in a file of the user's alone. */
#ifndef NORKV_CLI_HISTORY_H
#define NORKV_CLI_HISTORY_H

/*
 * Calls line for each of the newest lines of the file, oldest first. The file
 * is $XDG_STATE_HOME/norkv/history (~/.local/state where that is not set). It
 * need not be there.
 */
void nkv_history_load(void (*line)(void *context, const char *line),
                      void *context);

/* Adds a line to the file, which is created for its user alone. Where that is
 * not possible the line is forgotten. */
void nkv_history_add(const char *line);

#endif
