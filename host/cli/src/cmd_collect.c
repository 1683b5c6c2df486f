/* norkv collect: garbage collection, now. */
#include "command.h"
#include "device.h"
#include "output.h"
#include "progress.h"

#include <stdio.h>
#include <string.h>

static const char *const kinds[] = {
    [NKV_COLLECT_PARTIAL] = "partial",
    [NKV_COLLECT_FULL] = "full",
    [NKV_COLLECT_HEAVY] = "heavy",
};

static bool find_kind(const char *name, enum nkv_collect_kind *kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(name, kinds[i]) == 0) {
            *kind = (enum nkv_collect_kind)i;
            return true;
        }
    }
    return false;
}

struct collection {
    struct nkv_progress progress;
    uint32_t steps;
};

static void keep_steps(void *context, uint32_t steps)
{
    struct collection *collection = context;

    collection->steps = steps;
    nkv_progress_update(&collection->progress, steps);
}

static enum nkv_exit print(const struct nkv_options *options,
                           enum nkv_collect_kind kind, uint32_t steps,
                           bool gained)
{
    json_t *object;

    if (!nkv_given(options, NKV_OPTION_JSON)) {
        if (gained) {
            printf("%s collection done\n", kinds[kind]);
        } else {
            printf("nothing to collect\n");
        }
        return NKV_EXIT_DONE;
    }
    object = json_object();
    nkv_json_set_text(object, "kind", kinds[kind]);
    nkv_json_set_integer(object, "steps", steps);
    json_object_set_new(object, "collected", json_boolean(gained));
    return nkv_print_json(object);
}

static enum nkv_exit collect(const struct nkv_options *options,
                             struct nkv_client *client,
                             enum nkv_collect_kind kind)
{
    struct nkv_call_options call = nkv_call_of(options, NKV_TIMEOUT_LONG);
    struct collection collection = {.steps = 0};
    struct nkv_client_progress progress = {keep_steps, &collection};
    enum nkv_status status;
    bool nothing;

    nkv_progress_begin(&collection.progress, options, "collect",
                       NKV_PROGRESS_STEPS);
    status = nkv_client_collect(client, &call, kind, &progress);
    nkv_progress_end(&collection.progress);
    nothing =
        status == NKV_NOT_FOUND && nkv_client_reason(client) == NKV_REASON_NONE;
    if (status != NKV_OK && !nothing) {
        return nkv_fail_call(client, status);
    }
    return print(options, kind, collection.steps, !nothing);
}

enum nkv_exit nkv_run_collect(const struct nkv_options *options, int count,
                              char **operands)
{
    enum nkv_collect_kind kind = NKV_COLLECT_PARTIAL;
    struct nkv_client *client;
    enum nkv_exit code;

    if (count > 0 && !find_kind(operands[0], &kind)) {
        return nkv_fail(NKV_EXIT_USAGE,
                        "collect '%s': give partial, full or heavy",
                        operands[0]);
    }
    code = nkv_connect(options, NKV_TIMEOUT_LONG, &client);
    if (code == NKV_EXIT_DONE) {
        code = collect(options, client, kind);
        nkv_client_free(&client);
    }
    return code;
}
