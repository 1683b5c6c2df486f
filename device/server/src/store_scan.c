/* Store.Scan: a chunk of records each turn. */
#include "chunk.h"

#include <string.h>

NKV_MESSAGE(scan_request, norkv_v1_ScanRequest);
NKV_MESSAGE(scan_response, norkv_v1_ScanResponse);
NKV_MESSAGE(scan_record, norkv_v1_Record);

enum {
    /* A record without its value: key, version, value_size, value_omitted and
     * status. */
    RECORD_META_MAX = (2 + NKV_KEY_SIZE_MAX) + 6 + 6 + 2 + 2,
    /* What follows the records: cursor, done, changed, index. */
    CHUNK_TAIL_MAX = (2 + NKV_KEY_SIZE_MAX) + 2 + 2 + 6
};

_Static_assert(NKV_PREFIX_MAX + RECORD_META_MAX + CHUNK_TAIL_MAX +
                       NKV_PACKET_OVERHEAD_MAX <=
                   NKV_SERVER_PACKET_MIN,
               "a record without its value must always fit a packet");

static bool append(struct nkv_chunk *chunk, const norkv_v1_Record *record)
{
    if (!nkv_message_append(chunk->records, &chunk->size,
                            norkv_v1_ScanResponse_records_tag, scan_record,
                            record)) {
        return false;
    }
    chunk->count++;
    return true;
}

/*
 * Adds a record with its value; false: the chunk has no room for it. The value
 * is read to where the record begins, and put in its place in it then. That of
 * a damaged entry is left out.
 */
static bool append_value(struct nkv_chunk *chunk, norkv_v1_Record record)
{
    struct nkv_buffer to = {chunk->records.data + chunk->size,
                            record.value_size};
    enum nkv_status status;

    if (to.capacity > chunk->records.capacity - chunk->size) {
        return false;
    }
    status = nkv_get(chunk->store, record.key, 0, to, NULL);
    if (status == NKV_OK) {
        record.value = (struct nkv_span){to.data, to.capacity};
    }
    record.status = (uint32_t)nkv_status_for_client(status);
    return append(chunk, &record);
}

/* A value that fits no chunk at all is left out. */
static bool add_record(struct nkv_chunk *chunk, norkv_v1_Record *record,
                       bool with_value)
{
    if (with_value) {
        if (append_value(chunk, *record)) {
            return true;
        }
        if (chunk->size > 0) {
            return false;
        }
        record->value_omitted = true;
    }
    return append(chunk, record);
}

/* The cursor is the last key, whether it was wanted or not. */
static void keep_cursor(struct nkv_server_work *work)
{
    struct nkv_server_scan *scan = &work->of.scan;

    scan->cursor_size = scan->walk.iterator.key_size;
    memcpy(scan->cursor, scan->walk.iterator.key, scan->cursor_size);
}

static void count_record(struct nkv_server_scan *scan, struct nkv_chunk *chunk)
{
    if (!scan->limited) {
        return;
    }
    scan->remaining--;
    chunk->done = scan->remaining == 0;
}

static bool add_key(struct nkv_server_work *work, struct nkv_chunk *chunk,
                    enum nkv_status found)
{
    struct nkv_server_scan *scan = &work->of.scan;
    const struct nkv_iterator *at = &scan->walk.iterator;
    norkv_v1_Record record = {.status = (uint32_t)found};
    bool with_value = found == NKV_OK && !scan->keys_only;

    if (found == NKV_OK) {
        record.key = nkv_walk_key(&scan->walk);
        record.version = at->value.version;
        record.value_size = at->value.total_size;
    }
    if (!add_record(chunk, &record, with_value)) {
        return false;
    }
    count_record(scan, chunk);
    return true;
}

static bool tell(struct nkv_rpc_call *call, const struct nkv_chunk *chunk)
{
    const struct nkv_server_scan *scan = &nkv_work_of(call)->of.scan;
    norkv_v1_ScanResponse response = {
        .records = {chunk->records.data, chunk->size},
        .cursor = {scan->cursor, scan->cursor_size},
        .done = chunk->done,
        .changed = chunk->done && nkv_walk_changed(&scan->walk, chunk->store),
        .index = scan->walk.index,
    };

    return nkv_message_tell(call, scan_response, &response);
}

static const struct nkv_chunk_kind kind = {
    .rest_max = CHUNK_TAIL_MAX,
    .add = add_key,
    .passed = keep_cursor,
    .tell = tell,
};

static void start(struct nkv_rpc_call *call, const struct nkv_request *request)
{
    const norkv_v1_ScanRequest *asked = &request->of.scan;
    struct nkv_server_work *work = nkv_work_of(call);

    if (!nkv_walk_begin(call, asked->prefix, asked->cursor)) {
        nkv_respond_status(call, NKV_INVALID_ARGUMENT);
        return;
    }
    keep_cursor(work);
    work->of.scan.keys_only = asked->keys_only;
    work->of.scan.limited = asked->limit > 0;
    work->of.scan.remaining = asked->limit;
}

static void step(struct nkv_rpc_call *call)
{
    nkv_chunk_turn(call, &kind, false);
}

const struct nkv_server_method nkv_method_scan = {
    .request = scan_request,
    .start = start,
    .step = step,
    .is_of_store = true,
};
