/* Backups: all records with their values, in full packets. */
#include "download.h"

#include <norkv/record.h>
#include <stdlib.h>
#include <string.h>

struct backing_up {
    struct nkv_client_backup *backup;
    /* The last key that came: the stream goes on behind it. */
    uint8_t after[NKV_CLIENT_KEY_SIZE_MAX];
    size_t after_size;
    /* Entries without a readable key that were told behind it, and those of
     * them that are going to be told again. */
    uint32_t nameless;
    uint32_t nameless_again;
    /* Records that fit no packet, one behind the other, with empty values. */
    uint8_t *large;
    size_t large_size;
    bool out_of_memory;
};

/* ---- Chunks coming in -------------------------------------------------- */

static bool is_key_sound(const struct backing_up *job, struct nkv_span key)
{
    return key.size > 0 && key.size <= NKV_CLIENT_KEY_SIZE_MAX &&
           nkv_download_has_prefix(key, job->backup->prefix);
}

static bool are_records_sound(const struct backing_up *job,
                              struct nkv_span records)
{
    struct nkv_record record;
    enum nkv_status status = nkv_record_next(&records, &record);
    while (status == NKV_OK) {
        if (!is_key_sound(job, record.key))
            return false;
        status = nkv_record_next(&records, &record);
    }
    return status == NKV_NOT_FOUND;
}

static bool is_sound(const struct backing_up *job,
                     const Norkv__V1__BackupResponse *chunk)
{
    const Norkv__V1__SkippedRecord *skipped = chunk->skipped;
    if (!are_records_sound(job, nkv_message_span(chunk->records)))
        return false;
    /* Of a damaged entry the key may be unknown. */
    return skipped == NULL ||
           (skipped->key.len == 0 && skipped->status != NKV_OK) ||
           is_key_sound(job, nkv_message_span(skipped->key));
}

static void pass_key(struct backing_up *job, struct nkv_span key)
{
    memcpy(job->after, key.data, key.size);
    job->after_size = key.size;
    job->nameless = 0;
    job->nameless_again = 0;
}

static bool deliver(const struct backing_up *job, struct nkv_span key,
                    struct nkv_span value)
{
    struct nkv_client_record record = {
        .key = key,
        .value = value,
        .value_size = (uint32_t)value.size,
    };
    return job->backup->record(job->backup->context, &record);
}

static bool deliver_damaged(const struct backing_up *job, struct nkv_span key,
                            enum nkv_status status)
{
    struct nkv_client_record record = {.key = key, .status = status};
    job->backup->damaged++;
    return job->backup->record(job->backup->context, &record);
}

/* Remembers a key whose value is to be fetched behind the stream. */
static bool remember_large(struct backing_up *job, struct nkv_span key)
{
    uint8_t head[NKV_RECORD_HEAD_MAX];
    size_t size = nkv_record_head(head, key, 0);
    uint8_t *grown = realloc(job->large, job->large_size + size);
    if (grown == NULL) {
        job->out_of_memory = true;
        return false;
    }
    memcpy(grown + job->large_size, head, size);
    job->large = grown;
    job->large_size += size;
    return true;
}

static bool take_nameless(struct backing_up *job, enum nkv_status status)
{
    if (job->nameless_again > 0) {
        job->nameless_again--;
        return true;
    }
    job->nameless++;
    return deliver_damaged(job, (struct nkv_span){NULL, 0}, status);
}

static bool take_skipped(struct backing_up *job,
                         const Norkv__V1__SkippedRecord *skipped)
{
    struct nkv_span key = nkv_message_span(skipped->key);
    enum nkv_status status = nkv_wire_status(skipped->status);
    if (key.size == 0)
        return take_nameless(job, status);
    pass_key(job, key);
    return status == NKV_OK ? remember_large(job, key)
                            : deliver_damaged(job, key, status);
}

/* False: the callback had enough, or memory ran out. */
static bool take_all(struct backing_up *job,
                     const Norkv__V1__BackupResponse *chunk)
{
    struct nkv_span records = nkv_message_span(chunk->records);
    struct nkv_record record;
    while (nkv_record_next(&records, &record) == NKV_OK) {
        pass_key(job, record.key);
        if (!deliver(job, record.key, record.value))
            return false;
    }
    return chunk->skipped == NULL || take_skipped(job, chunk->skipped);
}

static void take_chunk(struct nkv_download *download,
                       const ProtobufCMessage *message)
{
    const Norkv__V1__BackupResponse *chunk = (const void *)message;
    struct backing_up *job = download->context;
    if (!is_sound(job, chunk)) {
        download->end = NKV_DOWNLOAD_BROKEN;
        return;
    }
    if (!take_all(job, chunk)) {
        download->end = NKV_DOWNLOAD_STOPPED;
        return;
    }
    nkv_download_took(download);
    if (chunk->done) {
        job->backup->changed |= chunk->changed != 0;
        download->end = NKV_DOWNLOAD_COMPLETE;
    }
}

static uint8_t *make_request(struct nkv_download *download, size_t *size)
{
    struct backing_up *job = download->context;
    struct nkv_span after = {job->after, job->after_size};
    Norkv__V1__BackupRequest request = NORKV__V1__BACKUP_REQUEST__INIT;
    job->nameless_again = job->nameless;
    request.store = download->client->store;
    request.prefix = nkv_message_bytes(job->backup->prefix);
    request.after = nkv_message_bytes(after);
    return nkv_message_pack(&request.base, size);
}

static const struct nkv_download_kind kind = {
    .method = NKV_METHOD_BACKUP,
    .request = make_request,
    .chunk = take_chunk,
};

/* ---- What fits no packet ----------------------------------------------- */

static enum nkv_status fetch(struct nkv_client *client, struct backing_up *job,
                             struct nkv_span key)
{
    struct nkv_client_value value = {0};
    enum nkv_status status = nkv_host_get(client, key, &value);
    bool more = true;
    if (status == NKV_OK) {
        more = deliver(job, key, (struct nkv_span){value.data, value.size});
    } else if (status == NKV_NOT_FOUND && client->reason == NKV_REASON_NONE) {
        /* Deleted since the stream came to it. */
        job->backup->changed = true;
        status = NKV_OK;
    } else if (status == NKV_DATA_LOSS) {
        more = deliver_damaged(job, key, status);
        status = NKV_OK;
    }
    nkv_client_value_clear(&value);
    return more ? status : nkv_host_fail(client, NKV_CANCELLED, "stopped");
}

static enum nkv_status fetch_large(struct nkv_client *client,
                                   struct backing_up *job)
{
    struct nkv_span rest = {job->large, job->large_size};
    struct nkv_record record;
    enum nkv_status status = NKV_OK;
    while (status == NKV_OK && nkv_record_next(&rest, &record) == NKV_OK)
        status = fetch(client, job, record.key);
    return status;
}

/* ---- The call ---------------------------------------------------------- */

enum nkv_status nkv_client_backup(struct nkv_client *client,
                                  const struct nkv_call_options *call,
                                  struct nkv_client_backup *backup)
{
    backup->changed = false;
    backup->damaged = 0;
    enum nkv_status status = nkv_host_begin(client, call, "backup", NULL);
    if (status == NKV_OK)
        status = nkv_host_need_session(client, false);
    if (status != NKV_OK)
        return status;
    struct backing_up job = {.backup = backup};
    struct nkv_download download = {
        .client = client, .kind = &kind, .context = &job};
    status = nkv_download_run(&download);
    if (job.out_of_memory)
        status = nkv_host_no_memory(client);
    if (status == NKV_OK)
        status = fetch_large(client, &job);
    free(job.large);
    if (status == NKV_OK)
        status = nkv_host_check_mounted(client);
    return nkv_host_end(client, status);
}
