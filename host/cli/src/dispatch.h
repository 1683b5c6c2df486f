/* From words to a command: of the command line, and of each line of sh. */
#ifndef NORKV_CLI_DISPATCH_H
#define NORKV_CLI_DISPATCH_H

#include "options.h"
#include "report.h"

/*
 * Runs the command that argv names; argv[0] is not looked at. defaults, which
 * may be NULL, are the options of a shell: its port is everybody's, and what
 * else it was given is for each command that takes it.
 */
enum nkv_exit nkv_dispatch(int argc, char **argv,
                           const struct nkv_options *defaults);

#endif
