#include "write.h"

#include "device.h"
#include "show_value.h"

enum nkv_exit nkv_write_one(const struct nkv_options *options,
                            struct nkv_mutation *mutation)
{
    struct nkv_call_options call = nkv_call_of(options, NKV_TIMEOUT_SHORT);
    bool is_put = mutation->kind == NKV_MUTATION_PUT;
    struct nkv_client *client;
    enum nkv_exit code = nkv_connect(options, NKV_TIMEOUT_SHORT, &client);
    enum nkv_status status;

    if (code != NKV_EXIT_DONE) {
        return code;
    }
    status = nkv_client_apply(client, &call, mutation, 1, NULL);
    if (status == NKV_OK) {
        code = nkv_show_write(options, mutation->key, mutation->version,
                              is_put ? (int64_t)mutation->value.size : -1);
    } else {
        code = nkv_fail_key(client, mutation->key, status);
    }
    nkv_client_free(&client);
    return code;
}

enum nkv_status nkv_write_many(struct nkv_client *client,
                               const struct nkv_call_options *call,
                               struct nkv_progress *progress,
                               struct nkv_mutation *mutations, size_t count)
{
    const struct nkv_client_progress follow = nkv_progress_follow(progress);
    enum nkv_status status;

    nkv_progress_set_total(progress, count);
    status = nkv_client_apply(client, call, mutations, count, &follow);
    nkv_progress_end(progress);
    return status;
}
