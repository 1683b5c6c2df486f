#include "fetch.h"

#include "device.h"
#include "progress.h"

#include <stdio.h>
#include <text.h>

/* How often records are read when somebody writes all the time. */
enum { READS_MAX = 3 };

struct fetching {
    struct nkv_fetch *fetch;
    struct nkv_backup *backup;
    struct nkv_progress progress;
    bool out_of_memory;
};

struct nkv_call_options nkv_fetch_call(const struct nkv_fetch *fetch)
{
    struct nkv_call_options call =
        nkv_call_of(fetch->options, fetch->timeout_ms);

    call.deadline_ms = nkv_reopen_left_ms(&fetch->reopen);
    return call;
}

/* What could be read of a store that did not mount whole is worth having. */
static bool is_partial(const struct nkv_fetch *fetch, enum nkv_status status)
{
    return status == NKV_FAILED_PRECONDITION &&
           nkv_client_reason(fetch->client) == NKV_REASON_STORE_READ_ONLY;
}

bool nkv_fetch_again(struct nkv_fetch *fetch, enum nkv_status status,
                     size_t count)
{
    char so_far[60];

    if (status != NKV_UNAVAILABLE) {
        nkv_fail_transfer(fetch->client, status);
        return false;
    }
    snprintf(so_far, sizeof so_far, "%zu records were read", count);
    if (nkv_reopen(&fetch->reopen, &fetch->client, status, so_far)) {
        return true;
    }
    nkv_fail(NKV_EXIT_FAILED, "%s", nkv_reopen_why(&fetch->reopen));
    return false;
}

enum nkv_exit nkv_fetch_begin(struct nkv_fetch *fetch)
{
    struct nkv_call_options call =
        nkv_call_of(fetch->options, fetch->timeout_ms);
    enum nkv_exit code;

    nkv_reopen_begin(&fetch->reopen, fetch->options, call.deadline_ms);
    code = nkv_connect(fetch->options, fetch->timeout_ms, &fetch->client);
    return code == NKV_EXIT_DONE
               ? nkv_reopen_note_unit(&fetch->reopen, fetch->client)
               : code;
}

void nkv_fetch_end(struct nkv_fetch *fetch)
{
    nkv_reopen_end(&fetch->reopen);
    nkv_client_free(&fetch->client);
}

enum nkv_status nkv_ask_digest(const struct nkv_options *options,
                               struct nkv_client *client,
                               const struct nkv_call_options *call,
                               struct nkv_span prefix,
                               struct nkv_client_digest *digest)
{
    struct nkv_progress progress;
    const struct nkv_client_progress follow = nkv_progress_follow(&progress);
    enum nkv_status status;

    nkv_progress_begin(&progress, options, "digest", NKV_PROGRESS_RECORDS);
    status = nkv_client_digest(client, call, prefix, digest, &follow);
    nkv_progress_end(&progress);
    return status;
}

enum nkv_exit nkv_fetch_digest(struct nkv_fetch *fetch,
                               struct nkv_client_digest *digest, bool *partial)
{
    for (;;) {
        struct nkv_call_options call = nkv_fetch_call(fetch);
        enum nkv_status status = nkv_ask_digest(fetch->options, fetch->client,
                                                &call, fetch->prefix, digest);

        *partial = is_partial(fetch, status);
        if (status == NKV_OK || *partial) {
            fetch->reopen.fruitless = 0;
            return NKV_EXIT_DONE;
        }
        if (!nkv_fetch_again(fetch, status, 0)) {
            return NKV_EXIT_FAILED;
        }
    }
}

bool nkv_fetch_is_same(const struct nkv_digest *records,
                       const struct nkv_client_digest *told)
{
    return records->sum == told->digest && records->records == told->records &&
           (uint32_t)records->bytes == told->bytes;
}

static bool take(void *context, const struct nkv_client_record *record)
{
    struct fetching *fetching = context;
    struct nkv_backup *backup = fetching->backup;

    if (record->status == NKV_OK &&
        !nkv_backup_add(backup, record->key, record->value)) {
        fetching->out_of_memory = true;
        return false;
    }
    nkv_progress_update(&fetching->progress, backup->count);
    return true;
}

/* A device that keeps no order may give a key again after a loss. */
static enum nkv_exit sort(const struct nkv_fetch *fetch,
                          struct nkv_backup *backup)
{
    const struct nkv_record *twice = nkv_backup_sort(backup);
    char shown[NKV_SHOW_SHORT_SIZE];

    if (twice == NULL) {
        return NKV_EXIT_DONE;
    }
    return nkv_fail(
        NKV_EXIT_FAILED, "%s: the device gives the key '%s' twice: try again",
        nkv_client_port(fetch->client), nkv_show_short(twice->key, shown));
}

/* Reads all, from the beginning. */
static enum nkv_status read_once(struct fetching *fetching, uint32_t total,
                                 uint32_t *damaged)
{
    const struct nkv_fetch *fetch = fetching->fetch;
    struct nkv_call_options call = nkv_fetch_call(fetch);
    struct nkv_client_backup what = {
        .prefix = fetch->prefix, .record = take, .context = fetching};
    enum nkv_status status;

    nkv_backup_free(fetching->backup);
    nkv_progress_begin(&fetching->progress, fetch->options, fetch->what,
                       NKV_PROGRESS_RECORDS);
    nkv_progress_set_total(&fetching->progress, total);
    status = nkv_client_backup(fetch->client, &call, &what);
    nkv_progress_end(&fetching->progress);
    *damaged = what.damaged;
    return status;
}

enum nkv_exit nkv_fetch_once(struct nkv_fetch *fetch, uint32_t total,
                             struct nkv_backup *backup)
{
    struct fetching fetching = {.fetch = fetch, .backup = backup};
    uint32_t damaged;

    for (;;) {
        enum nkv_status status = read_once(&fetching, total, &damaged);

        if (fetching.out_of_memory) {
            return nkv_fail_for_memory();
        }
        backup->partial = is_partial(fetch, status);
        if (status == NKV_OK || backup->partial) {
            break;
        }
        if (!nkv_fetch_again(fetch, status, backup->count)) {
            return NKV_EXIT_FAILED;
        }
    }
    fetch->reopen.fruitless = 0;
    backup->prefix = fetch->prefix;
    backup->damaged = damaged;
    return sort(fetch, backup);
}

/* What came is compared with what the device says before and after it. */
static enum nkv_exit read_until_same(struct nkv_fetch *fetch,
                                     struct nkv_client_digest digest,
                                     struct nkv_backup *backup)
{
    bool partial;

    for (int i = 0; i < READS_MAX; i++) {
        enum nkv_exit code = nkv_fetch_once(fetch, digest.records, backup);

        if (code != NKV_EXIT_DONE ||
            nkv_fetch_is_same(&backup->digest, &digest)) {
            return code;
        }
        code = nkv_fetch_digest(fetch, &digest, &partial);
        if (code != NKV_EXIT_DONE ||
            nkv_fetch_is_same(&backup->digest, &digest)) {
            return code;
        }
    }
    backup->changed = true;
    return NKV_EXIT_DONE;
}

enum nkv_exit nkv_fetch_records(struct nkv_fetch *fetch,
                                const struct nkv_client_digest *digest,
                                struct nkv_backup *backup)
{
    enum nkv_exit code;

    *backup = (struct nkv_backup){0};
    code = read_until_same(fetch, *digest, backup);
    if (code != NKV_EXIT_DONE) {
        nkv_backup_free(backup);
    }
    return code;
}
