#include "walk.h"

#include <string.h>

static bool keep_key(struct nkv_span key, uint8_t *to, uint8_t *size)
{
    if (key.size > NKV_KEY_SIZE_MAX) {
        return false;
    }
    *size = (uint8_t)key.size;
    if (key.size > 0) {
        memcpy(to, key.data, key.size);
    }
    return true;
}

bool nkv_walk_begin(struct nkv_rpc_call *call, struct nkv_span prefix,
                    struct nkv_span behind)
{
    struct nkv_server_walk *walk = &nkv_work_of(call)->of.walk;

    walk->transaction_count = nkv_transaction_count(nkv_store_of(call)->store);
    nkv_rpc_set_running(call, true);
    return keep_key(prefix, walk->prefix, &walk->prefix_size) &&
           keep_key(behind, walk->iterator.key, &walk->iterator.key_size);
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
