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
    /* One a setting, in their order. */
    struct nkv_mutation *mutations;
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
    };

    return nkv_apply_check(&what);
}

static bool prepare(struct job *job)
{
    const struct nkv_settings *settings = &job->settings;

    job->mutations = calloc(settings->count, sizeof *job->mutations);
    if (job->mutations == NULL) {
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

static size_t count_done(const struct job *job)
{
    size_t done = 0;

    for (size_t i = 0; i < job->settings.count; i++) {
        done += job->mutations[i].status == NKV_OK ? 1 : 0;
    }
    return done;
}

/* The object of one setting. */
static enum nkv_exit print_setting(const char *place,
                                   const struct nkv_setting *setting,
                                   const struct nkv_mutation *mutation)
{
    json_t *object = json_object();

    nkv_json_set_key(object, key_of(setting));
    nkv_json_set_integer(object, place, (json_int_t)setting->line);
    nkv_json_set_integer(object, "size", (json_int_t)setting->value_size);
    nkv_json_set_text(object, "status", nkv_status_name(mutation->status));
    if (mutation->status == NKV_OK) {
        nkv_json_set_integer(object, "version", mutation->version);
    }
    return nkv_print_json(object);
}

/* An object a setting if any was sent, and one that sums up. */
static enum nkv_exit print_json(const struct job *job, size_t done,
                                bool is_dry_run)
{
    json_t *object;
    enum nkv_exit code = NKV_EXIT_DONE;

    for (size_t i = 0; i < job->settings.count && !is_dry_run; i++) {
        code = print_setting(job->settings.place, &job->settings.items[i],
                             &job->mutations[i]);
        if (code != NKV_EXIT_DONE) {
            return code;
        }
    }
    object = json_object();
    nkv_json_set_integer(object, "settings", (json_int_t)job->settings.count);
    nkv_json_set_integer(object, "written", (json_int_t)done);
    json_object_set_new(object, "dry_run", json_boolean(is_dry_run));
    return nkv_print_json(object);
}

static enum nkv_exit print(const struct job *job, size_t done)
{
    bool is_dry_run = nkv_given(job->options, NKV_OPTION_DRY_RUN);

    if (nkv_given(job->options, NKV_OPTION_JSON)) {
        return print_json(job, done, is_dry_run);
    }
    printf(is_dry_run ? "checked %zu settings, wrote none\n"
                      : "wrote %zu settings\n",
           is_dry_run ? job->settings.count : done);
    return NKV_EXIT_DONE;
}

/* Names the first setting that was not written. */
static enum nkv_exit fail_apply(const struct job *job, size_t done)
{
    char shown[NKV_SHOW_SHORT_SIZE];
    size_t i = 0;

    while (i + 1 < job->settings.count && job->mutations[i].status == NKV_OK) {
        i++;
    }
    return nkv_fail(NKV_EXIT_FAILED,
                    "'%s' %s %lu: key '%s': %s; %zu of %zu settings were "
                    "written, apply again to write the rest",
                    job->path, job->settings.place, job->settings.items[i].line,
                    nkv_show_short(key_of(&job->settings.items[i]), shown),
                    nkv_client_error(job->client), done, job->settings.count);
}

static enum nkv_exit write_all(struct job *job)
{
    struct nkv_progress progress;
    enum nkv_status status;
    enum nkv_exit code;
    size_t done;

    if (!prepare(job)) {
        return nkv_fail_for_memory();
    }
    nkv_progress_begin(&progress, job->options, "apply", NKV_PROGRESS_RECORDS);
    status = nkv_write_many(job->client, &job->call, &progress, job->mutations,
                            job->settings.count);
    done = count_done(job);
    if (status == NKV_OK) {
        code = print(job, done);
    } else {
        code = fail_apply(job, done);
        if (nkv_given(job->options, NKV_OPTION_JSON)) {
            (void)print_json(job, done, false);
        }
    }
    free(job->mutations);
    return code;
}

static enum nkv_exit apply(struct job *job)
{
    enum nkv_exit code =
        nkv_connect(job->options, NKV_TIMEOUT_LONG, &job->client);

    if (code != NKV_EXIT_DONE) {
        return code;
    }
    code = check(job);
    if (code == NKV_EXIT_DONE) {
        code = nkv_given(job->options, NKV_OPTION_DRY_RUN) ? print(job, 0)
                                                           : write_all(job);
    }
    nkv_client_free(&job->client);
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
