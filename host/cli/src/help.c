/* norkv help, and --help everywhere. */
#include "command.h"

#include <stdio.h>
#include <string.h>

static void print_table(const struct nkv_command *table)
{
    for (; table->name != NULL; table++) {
        printf("  %-14s %s\n", table->name, table->summary);
    }
}

static void print_image_help(void)
{
    printf("norkv image COMMAND FILE [ARGUMENTS] [OPTIONS]\n\n"
           "Works on a flash file of norkv-sim, or on a dump of a device's "
           "flash.\n\nCommands:\n");
    print_table(nkv_image_commands);
    printf("\nOptions of all of them:\n");
    nkv_options_print(NKV_TAKES_GEOMETRY | NKV_TAKES(NKV_OPTION_JSON));
    printf("\nCommands that read never change the file; commands that write "
           "replace it whole.\n");
}

void nkv_print_help(void)
{
    printf("norkv COMMAND [ARGUMENTS] [OPTIONS]\n\n"
           "Reads and writes the key-value store in a device's flash over its "
           "serial line.\n\nCommands:\n");
    print_table(nkv_commands);
    printf("\nOptions of commands that talk to a device:\n");
    nkv_options_print(NKV_TAKES_DEVICE | NKV_TAKES(NKV_OPTION_KEY_HEX) |
                      NKV_TAKES_COMMON);
    printf("\n'norkv help COMMAND' explains a command.\n"
           "Exit codes: 0 done, 1 failed, 2 usage, 3 key not found.\n");
}

void nkv_print_command_help(const struct nkv_command *command)
{
    if (command->run == NULL) {
        print_image_help();
        return;
    }
    printf("norkv %s%s%s\n\n%c%s.\n\n%s\nOptions:\n", command->name,
           command->usage[0] != '\0' ? " " : "", command->usage,
           command->summary[0] - 'a' + 'A', command->summary + 1,
           command->details);
    nkv_options_print(command->options);
}

enum nkv_exit nkv_run_help(const struct nkv_options *options, int count,
                           char **operands)
{
    const struct nkv_command *table = nkv_commands;
    const struct nkv_command *command;
    const char *name;

    (void)options;
    if (count == 0) {
        nkv_print_help();
        return NKV_EXIT_DONE;
    }
    if (count == 2 && strcmp(operands[0], "image") != 0) {
        return nkv_fail(NKV_EXIT_USAGE,
                        "only image has commands of its own: see 'norkv help "
                        "%.80s'",
                        operands[0]);
    }
    if (count == 2) {
        table = nkv_image_commands;
    }
    name = operands[count - 1];
    command = nkv_find_command(table, name);
    if (command == NULL) {
        return nkv_fail_unknown_command(table, name);
    }
    nkv_print_command_help(command);
    return NKV_EXIT_DONE;
}
