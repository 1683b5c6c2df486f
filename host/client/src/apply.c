/* The calls that write: one mutation or many, and waiting for them or not. */
#include "lane.h"

#include <stdlib.h>

/* So many are in the lane at once, in flight or ready to be. */
enum { AHEAD_MAX = 128 };

/* Mutations that are being waited for. */
struct batch {
    struct nkv_client *client;
    const struct nkv_client_progress *progress;
    struct nkv_mutation *mutations;
    size_t count;
    uint32_t done;
    /* Those from first to before next are in the lane. */
    size_t first;
    size_t next;
    struct nkv_write *writes[AHEAD_MAX];
};

static enum nkv_status fill(struct batch *batch)
{
    while (batch->next < batch->count &&
           batch->next - batch->first < AHEAD_MAX) {
        struct nkv_write *write =
            nkv_write_new(batch->client, &batch->mutations[batch->next]);
        if (write == NULL)
            return nkv_host_no_memory(batch->client);
        nkv_task_start_within(batch->client, &write->task);
        batch->writes[batch->next++ % AHEAD_MAX] = write;
    }
    return NKV_OK;
}

/* Takes the result of the first one, which has ended. Returns what is wrong
 * with the line, if that ended it. */
static enum nkv_status take_first(struct batch *batch)
{
    struct nkv_client *client = batch->client;
    struct nkv_mutation *mutation = &batch->mutations[batch->first];
    struct nkv_write *write = batch->writes[batch->first++ % AHEAD_MAX];
    enum nkv_status status = write->decided ? NKV_OK : write->task.status;
    client->store = write->task.store;
    mutation->status = write->mutation.status;
    mutation->reason = write->mutation.reason;
    mutation->version = write->mutation.version;
    mutation->replayed = write->mutation.replayed;
    if (status != NKV_OK)
        client->error = write->task.error;
    nkv_write_release(write);
    if (mutation->status == NKV_OK)
        nkv_host_tell(batch->progress, ++batch->done);
    return status;
}

/* The line failed: the rest of them, too. */
static void abandon(struct batch *batch, enum nkv_status line)
{
    struct nkv_text error = batch->client->error;
    while (batch->first < batch->next) {
        struct nkv_write *write = batch->writes[batch->first % AHEAD_MAX];
        nkv_task_end(&write->task, line);
        enum nkv_status status = take_first(batch);
        (void)status;
    }
    batch->client->error = error;
}

static enum nkv_status run(struct batch *batch)
{
    enum nkv_status status = NKV_OK;
    while (status == NKV_OK && batch->first < batch->count) {
        status = fill(batch);
        while (status == NKV_OK && batch->first < batch->next &&
               batch->writes[batch->first % AHEAD_MAX]->task.ended)
            status = take_first(batch);
        if (status == NKV_OK && batch->first < batch->next) {
            enum nkv_status line = nkv_task_turn(batch->client, UINT64_MAX);
            /* Then all of them have ended. */
            (void)line;
        }
    }
    if (status != NKV_OK)
        abandon(batch, status);
    return status;
}

/* Explains the first mutation that failed. */
static enum nkv_status report(struct nkv_client *client,
                              const struct nkv_mutation *mutations,
                              size_t count)
{
    size_t i = 0;
    while (i < count && mutations[i].status == NKV_OK)
        i++;
    if (i == count)
        return NKV_OK;
    const struct nkv_mutation *failed = &mutations[i];
    bool is_put = failed->kind == NKV_MUTATION_PUT;
    nkv_host_name_call(client, is_put ? "put" : "delete", &failed->key);
    return nkv_write_explain(client, failed);
}

static bool is_line_failure(enum nkv_status line,
                            const struct nkv_mutation *mutations, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (mutations[i].status == line || mutations[i].status == NKV_CANCELLED)
            return true;
        if (mutations[i].status != NKV_OK)
            return false;
    }
    return true;
}

static enum nkv_status run_batch(struct nkv_client *client,
                                 struct nkv_mutation *mutations, size_t count,
                                 const struct nkv_client_progress *progress)
{
    struct batch *batch = calloc(1, sizeof(*batch));
    if (batch == NULL)
        return nkv_host_no_memory(client);
    batch->client = client;
    batch->progress = progress;
    batch->mutations = mutations;
    batch->count = count;
    enum nkv_status status = run(batch);
    free(batch);
    return status;
}

enum nkv_status nkv_client_apply(struct nkv_client *client,
                                 const struct nkv_call_options *call,
                                 struct nkv_mutation *mutations, size_t count,
                                 const struct nkv_client_progress *progress)
{
    for (size_t i = 0; i < count; i++) {
        mutations[i].status = NKV_CANCELLED;
        mutations[i].reason = NKV_REASON_NONE;
        mutations[i].version = 0;
        mutations[i].replayed = false;
    }
    if (count == 0)
        return NKV_OK;
    bool is_put = mutations[0].kind == NKV_MUTATION_PUT;
    const char *name = count > 1 ? "apply" : is_put ? "put" : "delete";
    enum nkv_status status = nkv_host_begin(
        client, call, name, count > 1 ? NULL : &mutations[0].key);
    if (status == NKV_OK)
        status = run_batch(client, mutations, count, progress);
    if (status == NKV_OK || !is_line_failure(status, mutations, count))
        status = report(client, mutations, count);
    return nkv_host_end(client, status);
}

enum nkv_status nkv_client_put(struct nkv_client *client,
                               const struct nkv_call_options *call,
                               struct nkv_span key, struct nkv_span value)
{
    struct nkv_mutation mutation = {
        .kind = NKV_MUTATION_PUT,
        .key = key,
        .value = value,
    };
    return nkv_client_apply(client, call, &mutation, 1, NULL);
}

enum nkv_status nkv_client_delete(struct nkv_client *client,
                                  const struct nkv_call_options *call,
                                  struct nkv_span key)
{
    struct nkv_mutation mutation = {
        .kind = NKV_MUTATION_DELETE,
        .key = key,
    };
    return nkv_client_apply(client, call, &mutation, 1, NULL);
}

enum nkv_status nkv_client_start_mutation(
    struct nkv_client *client, const struct nkv_call_options *call,
    const struct nkv_mutation_call *mutation, uint64_t *number)
{
    *number = 0;
    bool is_put = mutation->mutation.kind == NKV_MUTATION_PUT;
    struct nkv_write *write = nkv_write_new(client, &mutation->mutation);
    if (write == NULL)
        return NKV_INTERNAL;
    write->done = mutation->done;
    write->context = mutation->context;
    enum nkv_status status =
        nkv_task_start(client, &write->task, call, is_put ? "put" : "delete",
                       &mutation->mutation.key);
    if (status != NKV_OK) {
        /* Where it stands in the lane it counts as one that has ended. */
        write->task.ended = true;
        nkv_write_release(write);
        return status;
    }
    *number = write->task.number;
    return NKV_OK;
}
