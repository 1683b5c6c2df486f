/* norkv verify: has the device read and verify everything on its flash. */
#include "command.h"
#include "damage.h"
#include "device.h"
#include "output.h"
#include "progress.h"
#include "show_fault.h"

#include <inttypes.h>
#include <stdio.h>

struct verification {
    bool as_json;
    struct nkv_progress progress;
    /* Places where something that was intact is gone, or is not ours. */
    uint32_t losses;
    /* What keeps the store from knowing all that is on its flash. */
    enum nkv_fault fault;
    uint32_t fault_detail;
};

/* The words of image check. */
static const char *const kinds[] = {
    [NKV_CLIENT_FINDING_TORN] = "torn",
    [NKV_CLIENT_FINDING_CORRUPT] = "corrupt",
    [NKV_CLIENT_FINDING_STALE_ERASE] = "stale_erase",
    [NKV_CLIENT_FINDING_FOREIGN] = "foreign",
    [NKV_CLIENT_FINDING_MISSING_COPY] = "missing_copy",
};

static bool take_finding(void *context,
                         const struct nkv_client_finding *finding)
{
    struct verification *verification = context;
    json_t *object = nkv_damage_object(finding->sector, finding->offset,
                                       kinds[finding->kind], finding->key);

    verification->losses += finding->kind == NKV_CLIENT_FINDING_FOREIGN ||
                            (finding->kind == NKV_CLIENT_FINDING_CORRUPT &&
                             !finding->intact_elsewhere);
    nkv_progress_hide(&verification->progress);
    if (verification->as_json) {
        return nkv_print_json(object) == NKV_EXIT_DONE && nkv_output_works();
    }
    nkv_print_damage(object);
    json_decref(object);
    return nkv_output_works();
}

static void take_progress(void *context, uint32_t sectors, uint32_t count)
{
    struct verification *verification = context;

    nkv_progress_set_total(&verification->progress, count);
    nkv_progress_update(&verification->progress, sectors);
}

static enum nkv_exit print(const struct verification *verification,
                           const struct nkv_client_check *check)
{
    json_t *object;

    if (!verification->as_json) {
        printf("checked %" PRIu32 " sectors: %" PRIu32
               " intact entries, %" PRIu32 " damaged places\n",
               check->sector_count, check->entries, check->findings);
        return NKV_EXIT_DONE;
    }
    object = json_object();
    nkv_json_set_integer(object, "sectors", check->sector_count);
    nkv_json_set_integer(object, "entries", check->entries);
    nkv_json_set_integer(object, "findings", check->findings);
    nkv_json_set_integer(object, "losses", verification->losses);
    nkv_json_set_fault(object, verification->fault, verification->fault_detail);
    return nkv_print_json(object);
}

/* Whether all is well. */
static enum nkv_exit judge(const struct nkv_client *client,
                           const struct verification *verification)
{
    char text[NKV_FAULT_TEXT_SIZE];

    if (verification->fault != NKV_FAULT_NONE) {
        nkv_client_explain_fault(verification->fault,
                                 verification->fault_detail, text);
        return nkv_fail(NKV_EXIT_FAILED,
                        "%s: this is not all: verified is what the store knows "
                        "of, and %s",
                        nkv_client_port(client), text);
    }
    if (verification->losses > 0) {
        return nkv_fail(NKV_EXIT_FAILED,
                        "%s: %" PRIu32 " places with lost or foreign data: put "
                        "the keys concerned again",
                        nkv_client_port(client), verification->losses);
    }
    return NKV_EXIT_DONE;
}

static enum nkv_status ask_fault(const struct nkv_options *options,
                                 struct nkv_client *client,
                                 const struct nkv_call_options *call,
                                 struct verification *verification)
{
    const struct nkv_device *device;
    const struct nkv_device_store *store;
    const enum nkv_status status = nkv_client_device(client, call, &device);

    if (status != NKV_OK) {
        return status;
    }
    store = nkv_chosen_store(options, device);
    if (store != NULL) {
        verification->fault = store->fault;
        verification->fault_detail = store->fault_detail;
    }
    return NKV_OK;
}

static enum nkv_exit verify(const struct nkv_options *options,
                            struct nkv_client *client)
{
    struct nkv_call_options call = nkv_call_of(options, NKV_TIMEOUT_LONG);
    struct verification verification = {
        .as_json = nkv_given(options, NKV_OPTION_JSON),
    };
    struct nkv_client_check check = {
        .finding = take_finding,
        .progress = take_progress,
        .context = &verification,
    };
    enum nkv_status status = ask_fault(options, client, &call, &verification);
    enum nkv_exit code;

    if (status != NKV_OK) {
        return nkv_fail_call(client, status);
    }
    nkv_progress_begin(&verification.progress, options, "verify",
                       NKV_PROGRESS_SECTORS);
    status = nkv_client_check(client, &call, &check);
    nkv_progress_end(&verification.progress);
    if (status == NKV_CANCELLED) {
        /* Standard output is gone, which is reported at the end. */
        return NKV_EXIT_DONE;
    }
    if (status != NKV_OK) {
        return nkv_fail_call(client, status);
    }
    code = print(&verification, &check);
    return code == NKV_EXIT_DONE ? judge(client, &verification) : code;
}

enum nkv_exit nkv_run_verify(const struct nkv_options *options, int count,
                             char **operands)
{
    struct nkv_client *client;
    enum nkv_exit code = nkv_connect(options, NKV_TIMEOUT_LONG, &client);

    (void)count;
    (void)operands;
    if (code == NKV_EXIT_DONE) {
        code = verify(options, client);
        nkv_client_free(&client);
    }
    return code;
}
