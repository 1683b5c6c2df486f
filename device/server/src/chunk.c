#include "chunk.h"

enum {
    /* Turns without a record after which an empty chunk shows that the call
     * goes on. */
    SILENT_TURNS_MAX = 16
};

/* Looks at keys until the chunk or the turn is used up. Any status but NKV_OK
 * ends the call. */
static enum nkv_status fill(struct nkv_server_work *work,
                            const struct nkv_chunk_kind *kind,
                            struct nkv_chunk *chunk)
{
    struct nkv_server_walk *walk = &work->of.walk;

    for (int i = 0; i < NKV_WALK_KEYS_A_TURN && !chunk->full && !chunk->done;
         i++) {
        struct nkv_iterator before = walk->iterator;
        bool wanted;
        enum nkv_status found = nkv_walk_next(walk, chunk->store, &wanted);

        if (found == NKV_NOT_FOUND) {
            chunk->done = true;
            return NKV_OK;
        }
        if (found != NKV_OK && found != NKV_DATA_LOSS) {
            return found;
        }
        if (wanted && !kind->add(work, chunk, found)) {
            walk->iterator = before;
            return NKV_OK;
        }
        if (found == NKV_OK && kind->passed != NULL) {
            kind->passed(work);
        }
    }
    return NKV_OK;
}

static bool is_worth_sending(struct nkv_server_walk *walk,
                             const struct nkv_chunk *chunk)
{
    if (chunk->count == 0 && !chunk->full && !chunk->done &&
        walk->silent_turns < SILENT_TURNS_MAX) {
        walk->silent_turns++;
        return false;
    }
    walk->silent_turns = 0;
    return true;
}

/* False: the call goes on without, or is gone. */
static bool send(struct nkv_rpc_call *call, const struct nkv_chunk_kind *kind,
                 const struct nkv_chunk *chunk)
{
    struct nkv_server_work *work = nkv_work_of(call);

    if (!is_worth_sending(&work->of.walk, chunk) || !kind->tell(call, chunk)) {
        return false;
    }
    work->of.walk.index++;
    return true;
}

void nkv_chunk_turn(struct nkv_rpc_call *call,
                    const struct nkv_chunk_kind *kind, bool full)
{
    struct nkv_chunk chunk = {
        .store = nkv_store_of(call)->store,
        .records = nkv_rpc_room(call),
        .full = full,
    };
    enum nkv_status status;

    chunk.records.capacity -= kind->rest_max;
    status = fill(nkv_work_of(call), kind, &chunk);
    if (status == NKV_OK && (!send(call, kind, &chunk) || !chunk.done)) {
        return;
    }
    nkv_respond_status(call, nkv_status_for_client(status));
}
