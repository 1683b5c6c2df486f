/* norkv erase-all: an empty store. */
#include "command.h"
#include "device.h"
#include "output.h"
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static enum nkv_exit print(const struct nkv_options *options, uint32_t store)
{
    json_t *object;

    if (!nkv_given(options, NKV_OPTION_JSON)) {
        printf("erased store %" PRIu32 " of unit ", store);
        nkv_print_shown((struct nkv_span){(const uint8_t *)options->unit_id,
                                          strlen(options->unit_id)});
        putchar('\n');
        return NKV_EXIT_DONE;
    }
    object = json_object();
    nkv_json_set_integer(object, "store", store);
    nkv_json_set_text(object, "unit_id", options->unit_id);
    json_object_set_new(object, "erased", json_true());
    return nkv_print_json(object);
}

static enum nkv_exit erase(const struct nkv_options *options,
                           struct nkv_client *client)
{
    struct nkv_call_options call = nkv_call_of(options, NKV_TIMEOUT_LONG);
    struct nkv_progress progress;
    const struct nkv_client_progress follow = nkv_progress_follow(&progress);
    enum nkv_status status;

    nkv_progress_begin(&progress, options, "erase-all", NKV_PROGRESS_STEPS);
    status = nkv_client_erase_all(client, &call, options->unit_id, &follow);
    nkv_progress_end(&progress);
    return status == NKV_OK ? print(options, nkv_client_store(client))
                            : nkv_fail_call(client, status);
}

enum nkv_exit nkv_run_erase_all(const struct nkv_options *options, int count,
                                char **operands)
{
    struct nkv_client *client;
    enum nkv_exit code;

    (void)count;
    (void)operands;
    if (options->unit_id == NULL) {
        return nkv_fail(NKV_EXIT_USAGE,
                        "erase-all removes every key: confirm with --unit-id "
                        "ID, the one that 'norkv info' shows");
    }
    code = nkv_connect(options, NKV_TIMEOUT_LONG, &client);
    if (code == NKV_EXIT_DONE) {
        code = erase(options, client);
        nkv_client_free(&client);
    }
    return code;
}
