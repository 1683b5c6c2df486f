/* The commands: one file each, one table of all. */
#ifndef NORKV_CLI_COMMAND_H
#define NORKV_CLI_COMMAND_H

#include "options.h"
#include "report.h"

#include <stddef.h>
#include <stdint.h>

struct nkv_command {
    const char *name;
    /* One line for the list of commands. */
    const char *summary;
    /* Its operands and own options, as they stand behind its name. */
    const char *usage;
    /* What else there is to know: lines that end with a newline. */
    const char *details;
    int operands_min;
    int operands_max;
    /* The options it takes: NKV_TAKES(...) of each. */
    uint64_t options;
    enum nkv_exit (*run)(const struct nkv_options *options, int count,
                         char **operands);
};

/* All commands, in the order of the help; ends with one without a name. */
extern const struct nkv_command nkv_commands[];
/* Those that follow the word image. */
extern const struct nkv_command nkv_image_commands[];

/* The command of this name, or NULL. */
const struct nkv_command *nkv_find_command(const struct nkv_command *table,
                                           const char *name);

/* Reports that there is no such command, with the name of the nearest. */
enum nkv_exit nkv_fail_unknown_command(const struct nkv_command *table,
                                       const char *name);

/* One a command: run of the table. */
enum nkv_exit nkv_run_ports(const struct nkv_options *options, int count,
                            char **operands);
enum nkv_exit nkv_run_info(const struct nkv_options *options, int count,
                           char **operands);
enum nkv_exit nkv_run_get(const struct nkv_options *options, int count,
                          char **operands);
enum nkv_exit nkv_run_put(const struct nkv_options *options, int count,
                          char **operands);
enum nkv_exit nkv_run_del(const struct nkv_options *options, int count,
                          char **operands);
enum nkv_exit nkv_run_ls(const struct nkv_options *options, int count,
                         char **operands);
enum nkv_exit nkv_run_stats(const struct nkv_options *options, int count,
                            char **operands);
enum nkv_exit nkv_run_sectors(const struct nkv_options *options, int count,
                              char **operands);
enum nkv_exit nkv_run_verify(const struct nkv_options *options, int count,
                             char **operands);
enum nkv_exit nkv_run_collect(const struct nkv_options *options, int count,
                              char **operands);
enum nkv_exit nkv_run_erase_all(const struct nkv_options *options, int count,
                                char **operands);
enum nkv_exit nkv_run_restore(const struct nkv_options *options, int count,
                              char **operands);
enum nkv_exit nkv_run_apply(const struct nkv_options *options, int count,
                            char **operands);
enum nkv_exit nkv_run_backup(const struct nkv_options *options, int count,
                             char **operands);
enum nkv_exit nkv_run_diff(const struct nkv_options *options, int count,
                           char **operands);
enum nkv_exit nkv_run_log(const struct nkv_options *options, int count,
                          char **operands);
enum nkv_exit nkv_run_call(const struct nkv_options *options, int count,
                           char **operands);
enum nkv_exit nkv_run_echo(const struct nkv_options *options, int count,
                           char **operands);
enum nkv_exit nkv_run_sh(const struct nkv_options *options, int count,
                         char **operands);
enum nkv_exit nkv_run_help(const struct nkv_options *options, int count,
                           char **operands);
enum nkv_exit nkv_run_image_create(const struct nkv_options *options, int count,
                                   char **operands);
enum nkv_exit nkv_run_image_get(const struct nkv_options *options, int count,
                                char **operands);
enum nkv_exit nkv_run_image_put(const struct nkv_options *options, int count,
                                char **operands);
enum nkv_exit nkv_run_image_del(const struct nkv_options *options, int count,
                                char **operands);
enum nkv_exit nkv_run_image_ls(const struct nkv_options *options, int count,
                               char **operands);
enum nkv_exit nkv_run_image_dump(const struct nkv_options *options, int count,
                                 char **operands);
enum nkv_exit nkv_run_image_check(const struct nkv_options *options, int count,
                                  char **operands);
enum nkv_exit nkv_run_image_exec(const struct nkv_options *options, int count,
                                 char **operands);

/* Prints all of the help, or that of one command. */
void nkv_print_help(void);
void nkv_print_command_help(const struct nkv_command *command);

#endif
