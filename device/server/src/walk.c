#include "walk.h"

#include <string.h>

bool nkv_walk_begin(struct nkv_rpc_call *call,
                    const struct nkv_walk_request *request)
{
    struct nkv_server_work *work = nkv_work_of(call);
    struct nkv_server_walk *walk = &work->of.walk;
    const struct nkv_server_store *store =
        nkv_find_store(nkv_server_of(call), request->store);

    if (store == NULL || request->prefix.size > NKV_KEY_SIZE_MAX ||
        request->after.size > NKV_KEY_SIZE_MAX) {
        return false;
    }
    *work = (struct nkv_server_work){
        .kind = (uint8_t)request->kind,
        .store = (uint8_t)request->store,
    };
    walk->transaction_count = nkv_transaction_count(store->store);
    walk->prefix_size = (uint8_t)request->prefix.size;
    walk->iterator.key_size = (uint8_t)request->after.size;
    if (request->prefix.size > 0) {
        memcpy(walk->prefix, request->prefix.data, request->prefix.size);
    }
    if (request->after.size > 0) {
        memcpy(walk->iterator.key, request->after.data, request->after.size);
    }
    nkv_rpc_set_running(call, true);
    return true;
}

struct nkv_store *nkv_walk_store(const struct nkv_rpc_call *call)
{
    return nkv_find_store(nkv_server_of(call), nkv_work_of(call)->store)->store;
}

static bool has_prefix(const struct nkv_server_walk *walk)
{
    return walk->iterator.key_size >= walk->prefix_size &&
           memcmp(walk->iterator.key, walk->prefix, walk->prefix_size) == 0;
}

enum nkv_status nkv_walk_next(struct nkv_server_walk *walk,
                              struct nkv_store *store, bool *wanted)
{
    enum nkv_status status = nkv_next(store, &walk->iterator);

    *wanted = status == NKV_DATA_LOSS || (status == NKV_OK && has_prefix(walk));
    return status;
}

bool nkv_walk_changed(const struct nkv_server_walk *walk,
                      const struct nkv_store *store)
{
    return nkv_transaction_count(store) != walk->transaction_count;
}
