/* Store.Backup: whole records, as docs/protocol.md has them, one behind the
 * other. */
#include "chunk.h"

#include <norkv/record.h>

NKV_MESSAGE(backup_request, norkv_v1_BackupRequest);
NKV_MESSAGE(backup_response, norkv_v1_BackupResponse);

enum {
    /* What stands in front of the records. */
    CHUNK_HEAD_MAX = NKV_PREFIX_MAX,
    /* What always has room behind them: done, changed, index. */
    CHUNK_TAIL_MAX = 2 + 2 + 6,
    /* A skipped record, which takes its room from the records'. */
    SKIPPED_MAX = 2 + (2 + NKV_KEY_SIZE_MAX) + 2
};

_Static_assert(CHUNK_HEAD_MAX + CHUNK_TAIL_MAX + SKIPPED_MAX +
                       NKV_PACKET_OVERHEAD_MAX <=
                   NKV_SERVER_PACKET_MIN,
               "a skipped record must always fit a packet");

/* The entry that the iterator stands on, or has passed, is told as skipped: in
 * this chunk if there is room, else in the next. */
static bool skip(struct nkv_server_backup *backup, struct nkv_chunk *chunk,
                 enum nkv_status status)
{
    backup->skipping = true;
    backup->skip_status = (uint8_t)nkv_status_for_client(status);
    chunk->full = true;
    return true;
}

/*
 * Reads a value to where it leaves from. Another thread may write between the
 * walk and this: what is gone is passed, and what has another size now is come
 * to again.
 */
static bool add_value(struct nkv_server_backup *backup, struct nkv_chunk *chunk,
                      size_t size)
{
    const struct nkv_iterator *at = &backup->walk.iterator;
    uint8_t *to = chunk->records.data + chunk->size;
    size_t head = size - at->value.total_size;
    struct nkv_value value;
    enum nkv_status status =
        nkv_get(chunk->store, nkv_walk_key(&backup->walk), 0,
                (struct nkv_buffer){to + head, at->value.total_size}, &value);

    if (status == NKV_NOT_FOUND) {
        return true;
    }
    if (status == NKV_RESOURCE_EXHAUSTED ||
        (status == NKV_OK && value.total_size != at->value.total_size)) {
        return false;
    }
    if (status != NKV_OK) {
        return skip(backup, chunk, status);
    }
    (void)nkv_record_head(to, nkv_walk_key(&backup->walk), value.total_size);
    chunk->size += size;
    chunk->count++;
    return true;
}

static bool add(struct nkv_server_work *work, struct nkv_chunk *chunk,
                enum nkv_status found)
{
    struct nkv_server_backup *backup = &work->of.backup;
    const struct nkv_iterator *at = &backup->walk.iterator;
    size_t size = nkv_record_size(at->key_size, at->value.total_size);

    if (found != NKV_OK || size > chunk->records.capacity) {
        return skip(backup, chunk, found);
    }
    if (size > chunk->records.capacity - chunk->size) {
        return false;
    }
    return add_value(backup, chunk, size);
}

static bool tell(struct nkv_rpc_call *call, const struct nkv_chunk *chunk)
{
    struct nkv_server_backup *backup = &nkv_work_of(call)->of.backup;
    norkv_v1_BackupResponse response = {
        .records = {chunk->records.data, chunk->size},
        .done = chunk->done,
        .changed = chunk->done && nkv_walk_changed(&backup->walk, chunk->store),
        .index = backup->walk.index,
    };

    if (backup->skipping &&
        chunk->records.capacity - chunk->size >= SKIPPED_MAX) {
        response.has_skipped = true;
        response.skipped.key = nkv_walk_key(&backup->walk);
        response.skipped.status = backup->skip_status;
        backup->skipping = false;
    }
    return nkv_message_tell(call, backup_response, &response);
}

static const struct nkv_chunk_kind kind = {
    .rest_max = CHUNK_HEAD_MAX + CHUNK_TAIL_MAX,
    .add = add,
    .tell = tell,
};

static void start(struct nkv_rpc_call *call, const struct nkv_request *request)
{
    if (!nkv_walk_begin(call, request->of.backup.prefix,
                        request->of.backup.after)) {
        nkv_respond_status(call, NKV_INVALID_ARGUMENT);
    }
}

static void step(struct nkv_rpc_call *call)
{
    nkv_chunk_turn(call, &kind, nkv_work_of(call)->of.backup.skipping);
}

const struct nkv_server_method nkv_method_backup = {
    .request = backup_request,
    .start = start,
    .step = step,
    .is_of_store = true,
};
