/* Ctrl-C, for commands that end with a summary. */
#ifndef NORKV_CLI_INTERRUPT_H
#define NORKV_CLI_INTERRUPT_H

#include <stdbool.h>

/* From here on SIGINT and SIGTERM end nothing, and interrupt waiting. */
void nkv_catch_interrupts(void);

/* Has one come? */
bool nkv_interrupted(void);

#endif
