#include "dispatch.h"

#include "command.h"

#include <norkv/client.h>
#include <stdio.h>

struct call {
    struct nkv_options options;
    const struct nkv_options *defaults;
    const struct nkv_command *command;
    int count;
    char **operands;
};

/* Finds the command that the operands begin with, and cuts it off them. */
static enum nkv_exit find_command(struct call *call)
{
    const struct nkv_command *table = nkv_commands;

    call->command = nkv_find_command(table, call->operands[0]);
    if (call->command != NULL && call->command->run == NULL &&
        call->count > 1) {
        table = nkv_image_commands;
        call->operands++;
        call->count--;
        call->command = nkv_find_command(table, call->operands[0]);
    }
    if (call->command == NULL) {
        return nkv_fail_unknown_command(table, call->operands[0]);
    }
    call->operands++;
    call->count--;
    return NKV_EXIT_DONE;
}

static enum nkv_exit check_operands(const struct call *call)
{
    const struct nkv_command *command = call->command;

    if (command->run == NULL) {
        return nkv_fail(NKV_EXIT_USAGE,
                        "image needs a command: 'norkv help image' lists them");
    }
    if (call->count < command->operands_min ||
        call->count > command->operands_max) {
        return nkv_fail(NKV_EXIT_USAGE, "too %s arguments: norkv %s%s%s",
                        call->count < command->operands_min ? "few" : "many",
                        command->name, command->usage[0] != '\0' ? " " : "",
                        command->usage);
    }
    return nkv_options_check(&call->options, command->options, command->name);
}

/* What a shell was given is for each command that takes it. */
static enum nkv_exit take_defaults(struct call *call)
{
    if (call->defaults == NULL) {
        return NKV_EXIT_DONE;
    }
    if ((call->options.given & NKV_TAKES_PORT) != 0 ||
        call->command->run == nkv_run_sh) {
        return nkv_fail(NKV_EXIT_USAGE,
                        "the shell has its port: leave it to use another");
    }
    nkv_options_inherit(&call->options, call->defaults, call->command->options);
    return NKV_EXIT_DONE;
}

static enum nkv_exit run_command(struct call *call)
{
    enum nkv_exit code = find_command(call);

    if (code == NKV_EXIT_DONE) {
        code = take_defaults(call);
    }
    if (code != NKV_EXIT_DONE) {
        return code;
    }
    if (nkv_given(&call->options, NKV_OPTION_HELP)) {
        nkv_print_command_help(call->command);
        return NKV_EXIT_DONE;
    }
    code = check_operands(call);
    if (code != NKV_EXIT_DONE) {
        return code;
    }
    return call->command->run(&call->options, call->count, call->operands);
}

enum nkv_exit nkv_dispatch(int argc, char **argv,
                           const struct nkv_options *defaults)
{
    struct call call = {.defaults = defaults};
    int first = 0;
    enum nkv_exit code = nkv_options_parse(argc, argv, &call.options, &first);

    if (code != NKV_EXIT_DONE) {
        return code;
    }
    if (nkv_given(&call.options, NKV_OPTION_VERSION)) {
        printf("norkv %s\n", nkv_client_version());
        return NKV_EXIT_DONE;
    }
    call.count = argc - first;
    call.operands = argv + first;
    if (call.count > 0) {
        return run_command(&call);
    }
    if (nkv_given(&call.options, NKV_OPTION_HELP)) {
        nkv_print_help();
        return NKV_EXIT_DONE;
    }
    return nkv_fail(NKV_EXIT_USAGE, "no command: 'norkv help' lists them");
}
