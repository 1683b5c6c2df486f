/* Ctrl-C, for commands that end with a summary. */
#ifndef NORKV_CLI_INTERRUPT_H
#define NORKV_CLI_INTERRUPT_H

#include <stdbool.h>

/* From here on the first SIGINT or SIGTERM ends nothing but a sleep: an answer
 * is waited for up to its deadline. One more does what it did before. */
void nkv_catch_interrupts(void);

/* From here on they do what they did before. */
void nkv_release_interrupts(void);

/* Has one come since nkv_catch_interrupts? */
bool nkv_interrupted(void);

#endif
