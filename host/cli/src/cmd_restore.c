/* norkv restore: puts the records of a backup, after checking all. */
#include "backup_load.h"
#include "command.h"
#include "device.h"
#include "fetch.h"
#include "output.h"
#include "progress.h"
#include "restore_plan.h"
#include "write.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <text.h>

struct job {
    const struct nkv_options *options;
    const char *path;
    struct nkv_backup file;
    struct nkv_fetch fetch;
    struct nkv_restore_plan plan;
    struct nkv_progress progress;
    bool is_deleted;
    /* What the device holds in the end. */
    struct nkv_client_digest digest;
    /* Records that are done, and the next to give. */
    size_t done;
    size_t next;
    size_t written;
};

static bool is_dry_run(const struct job *job)
{
    return nkv_given(job->options, NKV_OPTION_DRY_RUN);
}

/* ---- The right device ------------------------------------------------- */

static bool differ(const char *file, const char *device)
{
    return file != NULL && file[0] != '\0' && strcmp(file, device) != 0;
}

/* Says when the backup is of another product, unit or store, or refuses: to put
 * one unit's identity on another is a mistake as a rule. */
static enum nkv_exit judge(const struct job *job, const char *what,
                           const char *file, const char *device)
{
    char shown[2][NKV_SHOW_SHORT_SIZE];
    struct nkv_span spans[2] = {
        {(const uint8_t *)file, strlen(file)},
        {(const uint8_t *)device, strlen(device)},
    };
    const char *port = nkv_client_port(job->fetch.client);

    if (!differ(file, device)) {
        return NKV_EXIT_DONE;
    }
    (void)nkv_show_short(spans[0], shown[0]);
    (void)nkv_show_short(spans[1], shown[1]);
    if (nkv_given(job->options, NKV_OPTION_FORCE) || is_dry_run(job)) {
        fprintf(stderr, "norkv: '%s' is of %s '%s', that of %s is '%s'\n",
                job->path, what, shown[0], port, shown[1]);
        return NKV_EXIT_DONE;
    }
    return nkv_fail(
        NKV_EXIT_FAILED,
        "'%s' is of %s '%s', but that of %s is '%s': is it the right "
        "one? --force restores it all the same; nothing was "
        "written",
        job->path, what, shown[0], port, shown[1]);
}

static enum nkv_exit check_unit(struct job *job)
{
    const struct nkv_device *device;
    const struct nkv_device_store *store;
    struct nkv_call_options call = nkv_fetch_call(&job->fetch);
    enum nkv_exit code;
    enum nkv_status status =
        nkv_client_device(job->fetch.client, &call, &device);

    if (status != NKV_OK) {
        return nkv_fail_call(job->fetch.client, status);
    }
    code = judge(job, "product", job->file.product, device->product);
    if (code == NKV_EXIT_DONE) {
        code = judge(job, "unit", job->file.unit_id, device->unit_id);
    }
    store = nkv_chosen_store(job->options, device);
    if (code == NKV_EXIT_DONE && store != NULL) {
        code = judge(job, "store", job->file.store_name, store->name);
    }
    return code;
}

/* What a backup lacks would be taken for what is to go. */
static enum nkv_exit check_whole(const struct job *job)
{
    bool is_whole = !job->file.partial && job->file.damaged == 0;

    if (is_whole || !nkv_given(job->options, NKV_OPTION_REPLACE) ||
        nkv_given(job->options, NKV_OPTION_FORCE) || is_dry_run(job)) {
        return NKV_EXIT_DONE;
    }
    return nkv_fail(NKV_EXIT_FAILED,
                    "'%s' is not whole, as the store was damaged when it was "
                    "made: --replace would delete what it lacks; leave it out, "
                    "or add --force; nothing was written",
                    job->path);
}

static void warn_of_file(const struct job *job)
{
    if (job->file.partial) {
        fprintf(stderr,
                "norkv: '%s' may lack entries: its store had not mounted "
                "whole\n",
                job->path);
    }
    if (job->file.damaged > 0) {
        fprintf(stderr,
                "norkv: '%s' lacks %" PRIu32 " entries that were damaged when "
                "it was made\n",
                job->path, job->file.damaged);
    }
    if (job->file.changed) {
        fprintf(stderr,
                "norkv: '%s' is not of one moment: the store was written "
                "while it was made\n",
                job->path);
    }
}

/* ---- Writing ---------------------------------------------------------- */

static enum nkv_status delete_extras(const struct job *job)
{
    struct nkv_call_options call = nkv_fetch_call(&job->fetch);
    struct nkv_progress progress;
    size_t count = job->plan.delete_count;
    struct nkv_mutation *mutations = calloc(count + 1, sizeof *mutations);
    enum nkv_status status;

    if (mutations == NULL) {
        return NKV_INTERNAL;
    }
    for (size_t i = 0; i < count; i++) {
        mutations[i].kind = NKV_MUTATION_DELETE;
        mutations[i].key = job->plan.extras[i]->key;
    }
    nkv_progress_begin(&progress, job->options, "delete", NKV_PROGRESS_RECORDS);
    status =
        nkv_write_many(job->fetch.client, &call, &progress, mutations, count);
    /* One that is gone already is as it should be. */
    for (size_t i = 0; i < count && status == NKV_NOT_FOUND; i++) {
        if (mutations[i].status != NKV_OK &&
            mutations[i].status != NKV_NOT_FOUND) {
            status = mutations[i].status;
        }
    }
    free(mutations);
    return status == NKV_NOT_FOUND ? NKV_OK : status;
}

static enum nkv_status next_record(void *context, struct nkv_span *key,
                                   struct nkv_span *value)
{
    struct job *job = context;

    if (job->next == job->plan.write_count) {
        return NKV_NOT_FOUND;
    }
    *key = job->plan.writes[job->next]->key;
    *value = job->plan.writes[job->next]->value;
    job->next++;
    return NKV_OK;
}

static void begin_progress(struct job *job)
{
    nkv_progress_begin(&job->progress, job->options, "restore",
                       NKV_PROGRESS_RECORDS);
    nkv_progress_set_total(&job->progress, job->plan.write_count);
}

static void show_progress(void *context,
                          const struct nkv_client_restore *restore)
{
    struct job *job = context;

    nkv_progress_update(&job->progress, job->done + restore->records);
}

/* Deletes what is to go, which makes room, then uploads what is not done. */
static enum nkv_status write_rest(struct job *job)
{
    struct nkv_client_restore restore = {
        .next = next_record,
        .progress = show_progress,
        .context = job,
    };
    struct nkv_call_options call;
    enum nkv_status status;

    if (!job->is_deleted) {
        status = delete_extras(job);
        if (status != NKV_OK) {
            return status;
        }
        job->is_deleted = true;
        begin_progress(job);
    }
    if (job->done == job->plan.write_count) {
        return NKV_OK;
    }
    job->next = job->done;
    call = nkv_fetch_call(&job->fetch);
    status = nkv_client_restore(job->fetch.client, &call, &restore);
    job->done += restore.records;
    job->written += restore.written;
    return status;
}

static bool is_all_stored(const struct job *job)
{
    return job->is_deleted && job->done == job->plan.write_count;
}

/* Writes the rest, then asks what the device holds. */
static enum nkv_status write_and_ask(struct job *job)
{
    enum nkv_status status = write_rest(job);

    if (status == NKV_OK) {
        struct nkv_call_options call = nkv_fetch_call(&job->fetch);

        nkv_progress_end(&job->progress);
        status = nkv_ask_digest(job->options, job->fetch.client, &call,
                                job->file.prefix, &job->digest);
    }
    return status;
}

static enum nkv_exit fail_write(struct job *job)
{
    const char *why = nkv_reopen_why(&job->fetch.reopen);

    if (is_all_stored(job)) {
        return nkv_fail(NKV_EXIT_FAILED,
                        "all is stored, but it could not be verified: %s", why);
    }
    return nkv_fail(NKV_EXIT_FAILED,
                    "%s; %zu of %zu records are stored%s: restore again to "
                    "store the rest",
                    why, job->done, job->plan.write_count,
                    job->plan.is_replace && !job->is_deleted
                        ? ", not all others deleted"
                        : "");
}

/* Opens the port again behind a call that failed. False: it is not back, or
 * was not gone. */
static bool reopen(struct job *job, enum nkv_status status)
{
    char so_far[80];

    nkv_progress_hide(&job->progress);
    snprintf(so_far, sizeof so_far, "%zu of %zu records are stored", job->done,
             job->plan.write_count);
    return nkv_reopen(&job->fetch.reopen, &job->fetch.client, status, so_far);
}

static enum nkv_exit write_all(struct job *job)
{
    enum nkv_status status;

    for (;;) {
        size_t done = job->done;

        status = write_and_ask(job);
        if (job->done > done) {
            job->fetch.reopen.fruitless = 0;
        }
        if (status == NKV_OK || !reopen(job, status)) {
            break;
        }
    }
    nkv_progress_end(&job->progress);
    return status == NKV_OK ? NKV_EXIT_DONE : fail_write(job);
}

/* ---- Telling ---------------------------------------------------------- */

static enum nkv_exit print_step(const struct job *job, const char *action,
                                const struct nkv_record *record)
{
    json_t *object;

    if (!nkv_given(job->options, NKV_OPTION_JSON)) {
        printf("%s ", action);
        nkv_print_shown(record->key);
        putchar('\n');
        return NKV_EXIT_DONE;
    }
    object = json_object();
    nkv_json_set_text(object, "action", action);
    nkv_json_set_key(object, record->key);
    if (strcmp(action, "write") == 0) {
        nkv_json_set_integer(object, "size", (json_int_t)record->value.size);
    }
    return nkv_print_json(object);
}

static enum nkv_exit print_plan(const struct job *job)
{
    enum nkv_exit code = NKV_EXIT_DONE;

    for (size_t i = 0; i < job->plan.delete_count && code == NKV_EXIT_DONE;
         i++) {
        code = print_step(job, "delete", job->plan.extras[i]);
    }
    for (size_t i = 0; i < job->plan.write_count && code == NKV_EXIT_DONE;
         i++) {
        code = print_step(job, "write", job->plan.writes[i]);
    }
    return code;
}

static enum nkv_exit print_sum(const struct job *job)
{
    size_t deletions = job->plan.delete_count;
    size_t same = job->file.count - job->plan.write_count;
    json_t *object;

    if (!nkv_given(job->options, NKV_OPTION_JSON)) {
        printf(is_dry_run(job)
                   ? "would write %zu records, %zu are the same, would delete "
                     "%zu keys\n"
                   : "wrote %zu records, %zu were the same, deleted %zu keys\n",
               job->plan.write_count, same, deletions);
        return NKV_EXIT_DONE;
    }
    object = json_object();
    nkv_json_set_integer(object, "records", (json_int_t)job->file.count);
    nkv_json_set_integer(object, "written", (json_int_t)job->plan.write_count);
    nkv_json_set_integer(object, "same", (json_int_t)same);
    nkv_json_set_integer(object, "deleted", (json_int_t)deletions);
    json_object_set_new(object, "dry_run", json_boolean(is_dry_run(job)));
    return nkv_print_json(object);
}

/* What the device holds must be what it is meant to. */
static enum nkv_exit check_digest(const struct job *job)
{
    if (nkv_fetch_is_same(&job->plan.digest, &job->digest)) {
        return NKV_EXIT_DONE;
    }
    return nkv_fail(NKV_EXIT_FAILED,
                    "%s: all is stored, but the device's digest is another: "
                    "%s; 'norkv diff' tells what differs",
                    nkv_client_port(job->fetch.client),
                    job->digest.damaged > 0 ? "it has damaged entries"
                                            : "someone else has written to it");
}

/* ---- The command ------------------------------------------------------ */

static enum nkv_exit carry_out(struct job *job)
{
    enum nkv_exit code;

    if (is_dry_run(job)) {
        code = print_plan(job);
        return code == NKV_EXIT_DONE ? print_sum(job) : code;
    }
    code = write_all(job);
    if (code == NKV_EXIT_DONE) {
        code = check_digest(job);
    }
    return code == NKV_EXIT_DONE ? print_sum(job) : code;
}

static enum nkv_exit make_plan(struct job *job)
{
    job->plan = (struct nkv_restore_plan){
        .fetch = &job->fetch,
        .path = job->path,
        .file = &job->file,
        .is_replace = nkv_given(job->options, NKV_OPTION_REPLACE),
    };
    return nkv_restore_plan_make(&job->plan);
}

static enum nkv_exit restore(struct job *job)
{
    enum nkv_exit code = nkv_fetch_begin(&job->fetch);

    if (code == NKV_EXIT_DONE) {
        code = check_unit(job);
    }
    if (code == NKV_EXIT_DONE) {
        warn_of_file(job);
        code = make_plan(job);
    }
    if (code == NKV_EXIT_DONE) {
        code = carry_out(job);
    }
    nkv_restore_plan_free(&job->plan);
    nkv_fetch_end(&job->fetch);
    return code;
}

enum nkv_exit nkv_run_restore(const struct nkv_options *options, int count,
                              char **operands)
{
    struct job job = {.options = options, .path = operands[0]};
    enum nkv_exit code;

    (void)count;
    code = nkv_backup_load(job.path, "nothing was written", &job.file);
    if (code == NKV_EXIT_DONE) {
        code = check_whole(&job);
    }
    if (code == NKV_EXIT_DONE) {
        job.fetch = (struct nkv_fetch){
            .options = options,
            .timeout_ms = NKV_TIMEOUT_TRANSFER,
            .what = "read",
            .prefix = job.file.prefix,
        };
        code = restore(&job);
    }
    nkv_backup_free(&job.file);
    return code;
}
