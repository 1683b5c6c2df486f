/* norkv sectors: what each sector of the flash holds. */
#include "command.h"
#include "device.h"
#include "output.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const states[] = {
    [NKV_CLIENT_SECTOR_ERASED] = "erased",
    [NKV_CLIENT_SECTOR_OPEN] = "open",
    [NKV_CLIENT_SECTOR_FULL] = "full",
    [NKV_CLIENT_SECTOR_DAMAGED] = "damaged",
    [NKV_CLIENT_SECTOR_RETIRED] = "retired",
};

static bool print_line(void *context, const struct nkv_client_sector *sector)
{
    (void)context;
    if (sector->number == 0) {
        printf("sector  state         used       live  erases         age\n");
    }
    printf("%6" PRIu32 "  %-8s%10" PRIu32 " %10" PRIu32 "  %6" PRIu32
           "  %10" PRIu32 "\n",
           sector->number, states[sector->state], sector->used_bytes,
           sector->live_bytes, sector->erases, sector->age);
    return nkv_output_works();
}

static bool print_object(void *context, const struct nkv_client_sector *sector)
{
    json_t *object = json_object();

    (void)context;
    nkv_json_set_integer(object, "sector", sector->number);
    nkv_json_set_text(object, "state", states[sector->state]);
    nkv_json_set_integer(object, "used_bytes", sector->used_bytes);
    nkv_json_set_integer(object, "live_bytes", sector->live_bytes);
    nkv_json_set_integer(object, "erases", sector->erases);
    nkv_json_set_integer(object, "age", sector->age);
    return nkv_print_json(object) == NKV_EXIT_DONE && nkv_output_works();
}

enum nkv_exit nkv_run_sectors(const struct nkv_options *options, int count,
                              char **operands)
{
    struct nkv_call_options call = nkv_call_of(options, NKV_TIMEOUT_LISTING);
    struct nkv_client_sectors sectors = {
        .sector =
            nkv_given(options, NKV_OPTION_JSON) ? print_object : print_line,
    };
    struct nkv_client *client;
    enum nkv_status status;
    enum nkv_exit code = nkv_connect(options, NKV_TIMEOUT_LISTING, &client);

    (void)count;
    (void)operands;
    if (code != NKV_EXIT_DONE) {
        return code;
    }
    status = nkv_client_sectors(client, &call, &sectors);
    /* Cancelled: standard output is gone, which is reported at the end. */
    if (status != NKV_OK && status != NKV_CANCELLED) {
        code = nkv_fail_call(client, status);
    }
    nkv_client_free(&client);
    return code;
}
