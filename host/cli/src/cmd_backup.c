/* norkv backup: all records of a store into a file. */
#include "command.h"
#include "device.h"
#include "fetch.h"
#include "operands.h"
#include "output.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <text.h>
#include <time.h>

static bool goes_to_file(const struct nkv_options *options)
{
    return options->output != NULL && strcmp(options->output, "-") != 0;
}

static enum nkv_exit print_summary(const struct nkv_options *options,
                                   const struct nkv_backup *backup)
{
    char digest[17];
    json_t *object;

    if (!nkv_given(options, NKV_OPTION_JSON)) {
        printf("backed up %zu records, %" PRIu64 " bytes\n", backup->count,
               backup->digest.bytes);
        return NKV_EXIT_DONE;
    }
    snprintf(digest, sizeof digest, "%016" PRIx64, backup->digest.sum);
    object = json_object();
    nkv_json_set_text(object, "file", options->output);
    nkv_json_set_integer(object, "record_count", (json_int_t)backup->count);
    nkv_json_set_integer(object, "bytes", (json_int_t)backup->digest.bytes);
    nkv_json_set_text(object, "digest", digest);
    json_object_set_new(object, "changed", json_boolean(backup->changed));
    json_object_set_new(object, "partial", json_boolean(backup->partial));
    nkv_json_set_integer(object, "damaged", backup->damaged);
    return nkv_print_json(object);
}

static enum nkv_exit write_backup(const struct nkv_options *options,
                                  const struct nkv_backup *backup)
{
    size_t size;
    char *text = nkv_backup_write(backup, &size);
    struct nkv_span bytes = {(const uint8_t *)text, size};
    enum nkv_exit code = NKV_EXIT_DONE;

    if (text == NULL) {
        return nkv_fail_for_memory();
    }
    if (goes_to_file(options)) {
        code = nkv_write_file(options->output, bytes);
        if (code == NKV_EXIT_DONE) {
            code = print_summary(options, backup);
        }
    } else {
        nkv_print_bytes(bytes);
    }
    free(text);
    return code;
}

static bool set_time(struct nkv_backup *backup)
{
    time_t now = time(NULL);
    struct tm parts;

    return gmtime_r(&now, &parts) != NULL &&
           strftime(backup->time, sizeof backup->time, "%Y-%m-%dT%H:%M:%SZ",
                    &parts) == sizeof backup->time - 1;
}

/* Whose records these are. What it points to is the client's. */
static enum nkv_exit set_source(struct nkv_fetch *fetch,
                                struct nkv_backup *backup)
{
    struct nkv_call_options call = nkv_fetch_call(fetch);
    const struct nkv_device_store *store;
    const struct nkv_device *device;
    enum nkv_status status;

    while ((status = nkv_client_device(fetch->client, &call, &device)) !=
           NKV_OK) {
        if (!nkv_fetch_again(fetch, status, backup->count)) {
            return NKV_EXIT_FAILED;
        }
    }
    if (!set_time(backup)) {
        return nkv_fail(NKV_EXIT_FAILED,
                        "this machine's clock is beyond the year 9999: set it");
    }
    backup->product = device->product;
    backup->unit_id = device->unit_id;
    backup->firmware = device->firmware;
    store = nkv_chosen_store(fetch->options, device);
    if (store != NULL) {
        backup->store = store->number;
        backup->store_name = store->name;
    }
    return NKV_EXIT_DONE;
}

/* A name without -o in front of it is a prefix. */
static void warn_of_none(const struct nkv_options *options,
                         const struct nkv_backup *backup)
{
    char shown[NKV_SHOW_SHORT_SIZE];

    if (backup->count == 0 && backup->prefix.size > 0) {
        fprintf(stderr,
                "norkv: no key begins with '%s': the backup is empty%s\n",
                nkv_show_short(backup->prefix, shown),
                goes_to_file(options) ? "" : "; its file is named by -o");
    }
}

/* What the file lacks, once it is written. */
static enum nkv_exit judge(const struct nkv_client *client,
                           const struct nkv_backup *backup)
{
    const char *port = nkv_client_port(client);

    if (backup->changed) {
        fputs("norkv: the store was written during the backup, again and "
              "again: its records are not all of one moment\n",
              stderr);
    }
    if (backup->partial) {
        return nkv_fail(NKV_EXIT_FAILED,
                        "%s: the store did not mount whole: the backup has "
                        "what could be read, there may be more on its flash",
                        port);
    }
    if (backup->damaged > 0) {
        return nkv_fail(NKV_EXIT_FAILED,
                        "%s: %" PRIu32 " damaged entries are missing from the "
                        "backup, which has all others",
                        port, backup->damaged);
    }
    return NKV_EXIT_DONE;
}

static enum nkv_exit back_up(struct nkv_fetch *fetch)
{
    struct nkv_client_digest digest;
    struct nkv_backup backup;
    bool partial;
    enum nkv_exit code = nkv_fetch_digest(fetch, &digest, &partial);

    if (code == NKV_EXIT_DONE) {
        code = nkv_fetch_records(fetch, &digest, &backup);
    }
    if (code != NKV_EXIT_DONE) {
        return code;
    }
    code = set_source(fetch, &backup);
    if (code == NKV_EXIT_DONE) {
        code = write_backup(fetch->options, &backup);
    }
    if (code == NKV_EXIT_DONE) {
        warn_of_none(fetch->options, &backup);
        code = judge(fetch->client, &backup);
    }
    nkv_backup_free(&backup);
    return code;
}

enum nkv_exit nkv_run_backup(const struct nkv_options *options, int count,
                             char **operands)
{
    struct nkv_fetch fetch = {
        .options = options,
        .timeout_ms = NKV_TIMEOUT_LONG,
        .what = "backup",
    };
    struct nkv_blob prefix;
    enum nkv_exit code =
        nkv_prefix_operand(options, count > 0 ? operands[0] : NULL, &prefix);

    if (code != NKV_EXIT_DONE) {
        return code;
    }
    fetch.prefix = nkv_blob_span(&prefix);
    code = nkv_fetch_begin(&fetch);
    if (code == NKV_EXIT_DONE) {
        code = back_up(&fetch);
    }
    nkv_fetch_end(&fetch);
    nkv_blob_free(&prefix);
    return code;
}
