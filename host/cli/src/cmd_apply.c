/* norkv apply: writes the settings of a file, after checking all. */
#include "apply_check.h"
#include "command.h"
#include "device.h"
#include "output.h"
#include "settings_file.h"
#include "write.h"

#include <stdio.h>
#include <stdlib.h>
#include <text.h>

struct job {
    const struct nkv_options *options;
    const char *path;
    struct nkv_client *client;
    struct nkv_settings settings;
    struct nkv_call_options call;
    /* One a setting, in their order: what is done, and the version that its key
     * had before. */
    struct nkv_mutation *mutations;
    uint32_t *versions;
};

/* What became of the settings. */
struct tally {
    size_t written;
    /* Were there already. */
    size_t same;
};

static struct nkv_span key_of(const struct nkv_setting *setting)
{
    return (struct nkv_span){setting->key, setting->key_size};
}

static enum nkv_exit check(const struct job *job)
{
    const struct nkv_apply_check what = {
        .path = job->path,
        .settings = &job->settings,
        .client = job->client,
        .call = &job->call,
        .versions = job->versions,
    };

    return nkv_apply_check(&what);
}

static bool prepare(struct job *job)
{
    const struct nkv_settings *settings = &job->settings;

    job->mutations = calloc(settings->count, sizeof *job->mutations);
    job->versions = calloc(settings->count, sizeof *job->versions);
    if (job->mutations == NULL || job->versions == NULL) {
        return false;
    }
    for (size_t i = 0; i < settings->count; i++) {
        const struct nkv_setting *it = &settings->items[i];

        job->mutations[i] = (struct nkv_mutation){
            .kind = NKV_MUTATION_PUT,
            .key = key_of(it),
            .value = {it->value, it->value_size},
        };
    }
    return true;
}

/* A put of what is there already leaves the key its version. */
static bool is_same(const struct job *job, size_t i)
{
    return job->mutations[i].status == NKV_OK && job->versions[i] != 0 &&
           job->versions[i] == job->mutations[i].version;
}

static struct tally count(const struct job *job)
{
    struct tally tally = {0};

    for (size_t i = 0; i < job->settings.count; i++) {
        if (is_same(job, i)) {
            tally.same++;
        } else if (job->mutations[i].status == NKV_OK) {
            tally.written++;
        }
    }
    return tally;
}

/* The object of one setting. */
static enum nkv_exit print_setting(const struct job *job, size_t i)
{
    const struct nkv_setting *setting = &job->settings.items[i];
    const struct nkv_mutation *mutation = &job->mutations[i];
    json_t *object = json_object();

    nkv_json_set_key(object, key_of(setting));
    nkv_json_set_integer(object, job->settings.place,
                         (json_int_t)setting->line);
    nkv_json_set_integer(object, "size", (json_int_t)setting->value_size);
    nkv_json_set_text(object, "status", nkv_status_name(mutation->status));
    if (mutation->status == NKV_OK) {
        nkv_json_set_integer(object, "version", mutation->version);
        json_object_set_new(object, "unchanged", json_boolean(is_same(job, i)));
    }
    return nkv_print_json(object);
}

/* An object a setting if any was sent, and one that sums up. */
static enum nkv_exit print_json(const struct job *job,
                                const struct tally *tally, bool is_dry_run)
{
    json_t *object;
    enum nkv_exit code = NKV_EXIT_DONE;

    for (size_t i = 0; i < job->settings.count && !is_dry_run; i++) {
        code = print_setting(job, i);
        if (code != NKV_EXIT_DONE) {
            return code;
        }
    }
    object = json_object();
    nkv_json_set_integer(object, "settings", (json_int_t)job->settings.count);
    nkv_json_set_integer(object, "written", (json_int_t)tally->written);
    if (!is_dry_run) {
        nkv_json_set_integer(object, "same", (json_int_t)tally->same);
    }
    json_object_set_new(object, "dry_run", json_boolean(is_dry_run));
    return nkv_print_json(object);
}

static enum nkv_exit print(const struct job *job, const struct tally *tally)
{
    bool is_dry_run = nkv_given(job->options, NKV_OPTION_DRY_RUN);

    if (nkv_given(job->options, NKV_OPTION_JSON)) {
        return print_json(job, tally, is_dry_run);
    }
    if (is_dry_run) {
        printf("checked %zu settings, wrote none\n", job->settings.count);
    } else {
        printf("wrote %zu settings, %zu were the same\n", tally->written,
               tally->same);
    }
    return NKV_EXIT_DONE;
}

/* Names the first setting that was not written. */
static enum nkv_exit fail_apply(const struct job *job,
                                const struct tally *tally)
{
    char shown[NKV_SHOW_SHORT_SIZE];
    size_t i = 0;

    while (i + 1 < job->settings.count && job->mutations[i].status == NKV_OK) {
        i++;
    }
    return nkv_fail(NKV_EXIT_FAILED,
                    "'%s' %s %lu: key '%s': %s; %zu of %zu settings were "
                    "written, %zu were the same: apply again to write the rest",
                    job->path, job->settings.place, job->settings.items[i].line,
                    nkv_show_short(key_of(&job->settings.items[i]), shown),
                    nkv_client_error(job->client), tally->written,
                    job->settings.count, tally->same);
}

static enum nkv_exit write_all(struct job *job)
{
    struct nkv_progress progress;
    struct tally tally;
    enum nkv_status status;
    enum nkv_exit code;

    nkv_progress_begin(&progress, job->options, "apply", NKV_PROGRESS_RECORDS);
    status = nkv_write_many(job->client, &job->call, &progress, job->mutations,
                            job->settings.count);
    tally = count(job);
    if (status == NKV_OK) {
        return print(job, &tally);
    }
    code = fail_apply(job, &tally);
    if (nkv_given(job->options, NKV_OPTION_JSON)) {
        (void)print_json(job, &tally, false);
    }
    return code;
}

static enum nkv_exit carry_out(struct job *job)
{
    const struct tally none = {0};
    enum nkv_exit code;

    if (!prepare(job)) {
        return nkv_fail_for_memory();
    }
    code = check(job);
    if (code != NKV_EXIT_DONE) {
        return code;
    }
    return nkv_given(job->options, NKV_OPTION_DRY_RUN) ? print(job, &none)
                                                       : write_all(job);
}

static enum nkv_exit apply(struct job *job)
{
    enum nkv_exit code =
        nkv_connect(job->options, NKV_TIMEOUT_LONG, &job->client);

    if (code != NKV_EXIT_DONE) {
        return code;
    }
    code = carry_out(job);
    nkv_client_free(&job->client);
    free(job->mutations);
    free(job->versions);
    return code;
}

enum nkv_exit nkv_run_apply(const struct nkv_options *options, int count,
                            char **operands)
{
    struct job job = {
        .options = options,
        .path = operands[0],
        .call = nkv_call_of(options, NKV_TIMEOUT_LONG),
    };
    enum nkv_exit code = nkv_settings_load(options, job.path, &job.settings);

    (void)count;
    if (code == NKV_EXIT_DONE) {
        code = apply(&job);
        nkv_settings_free(&job.settings);
    }
    return code;
}
