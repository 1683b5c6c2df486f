/* Store.Scan: a chunk of records each turn. */
#include "chunk.h"

#include <pb_encode.h>
#include <string.h>

enum {
    /* A record without its value: key, version, value_size, value_omitted and
     * status. */
    RECORD_META_MAX = (2 + NKV_KEY_SIZE_MAX) + 6 + 6 + 2 + 2,
    /* What follows the records: cursor, done, changed, index. */
    CHUNK_TAIL_MAX = (2 + NKV_KEY_SIZE_MAX) + 2 + 2 + 6
};

_Static_assert(NKV_PB_PREFIX_MAX + RECORD_META_MAX + CHUNK_TAIL_MAX +
                       NKV_PACKET_OVERHEAD_MAX <=
                   NKV_SERVER_PACKET_MIN,
               "a record without its value must always fit a packet");

struct record {
    struct nkv_span key;
    uint32_t version;
    uint32_t value_size;
    bool with_value;
    bool omitted;
    enum nkv_status status;
};

/* A record's bytes but for the value, which follows them. They are made from
 * the middle: what stands in front needs their size. */
struct layout {
    uint8_t bytes[NKV_PB_PREFIX_MAX + RECORD_META_MAX + NKV_PB_PREFIX_MAX];
    size_t start;
    size_t size;
    size_t value_size;
};

/* All of a record's fields but the value. */
static size_t encode_meta(const struct record *record, struct nkv_buffer to)
{
    norkv_v1_Record message = norkv_v1_Record_init_zero;
    struct nkv_span meta = {NULL, 0};

    nkv_pb_give(&message.key, &record->key);
    message.version = record->version;
    message.value_size = record->value_size;
    message.value_omitted = record->omitted;
    message.status = (uint32_t)record->status;
    /* The room is RECORD_META_MAX bytes, so it fits. */
    (void)nkv_pb_encode(to, norkv_v1_Record_fields, &message, &meta);
    return meta.size;
}

static void lay_out(const struct record *record, struct layout *layout)
{
    uint8_t *meta = layout->bytes + NKV_PB_PREFIX_MAX;
    uint8_t prefix[NKV_PB_PREFIX_MAX];
    size_t prefix_size;

    layout->value_size = record->with_value ? record->value_size : 0;
    layout->size =
        encode_meta(record, (struct nkv_buffer){meta, RECORD_META_MAX});
    if (layout->value_size > 0) {
        layout->size += nkv_pb_prefix(
            meta + layout->size, norkv_v1_Record_value_tag, layout->value_size);
    }
    prefix_size = nkv_pb_prefix(prefix, norkv_v1_ScanResponse_records_tag,
                                layout->size + layout->value_size);
    layout->start = NKV_PB_PREFIX_MAX - prefix_size;
    layout->size += prefix_size;
    memcpy(layout->bytes + layout->start, prefix, prefix_size);
}

static bool fits(const struct layout *layout, size_t room)
{
    return layout->size <= room && layout->value_size <= room - layout->size;
}

/*
 * Adds a record; false: the chunk has no room for it. The value is read to
 * where it leaves from. One that fits no chunk at all is left out, and so is
 * that of a damaged entry.
 */
static bool add_record(struct nkv_chunk *chunk, struct record *record)
{
    size_t room = chunk->records.capacity - chunk->size;
    uint8_t *to = chunk->records.data + chunk->size;
    struct layout layout = {.size = 0};

    lay_out(record, &layout);
    if (!fits(&layout, chunk->records.capacity)) {
        record->with_value = false;
        record->omitted = true;
        lay_out(record, &layout);
    }
    if (!fits(&layout, room)) {
        return false;
    }
    if (record->with_value) {
        record->status = nkv_status_for_client(nkv_get(
            chunk->store, record->key, 0,
            (struct nkv_buffer){to + layout.size, layout.value_size}, NULL));
        record->with_value = record->status == NKV_OK;
        lay_out(record, &layout);
    }
    if (!fits(&layout, room)) {
        return false;
    }
    memcpy(to, layout.bytes + layout.start, layout.size);
    chunk->size += layout.size + layout.value_size;
    chunk->count++;
    return true;
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
    struct record record = {.status = found};

    if (found == NKV_OK) {
        record.key = (struct nkv_span){at->key, at->key_size};
        record.version = at->value.version;
        record.value_size = at->value.total_size;
        record.with_value = !scan->keys_only;
    }
    if (!add_record(chunk, &record)) {
        return false;
    }
    count_record(scan, chunk);
    return true;
}

/* The chunk as a message: its records, then the rest. */
static struct nkv_span finish(struct nkv_server_work *work,
                              const struct nkv_chunk *chunk)
{
    const struct nkv_server_scan *scan = &work->of.scan;
    norkv_v1_ScanResponse response = norkv_v1_ScanResponse_init_zero;
    struct nkv_span cursor = {scan->cursor, scan->cursor_size};
    struct nkv_span tail = {NULL, 0};

    nkv_pb_give(&response.cursor, &cursor);
    response.done = chunk->done;
    response.changed =
        chunk->done && nkv_walk_changed(&scan->walk, chunk->store);
    response.index = scan->walk.index;
    /* The room was kept, so it fits. */
    (void)nkv_pb_encode(
        (struct nkv_buffer){chunk->records.data + chunk->size, CHUNK_TAIL_MAX},
        norkv_v1_ScanResponse_fields, &response, &tail);
    return (struct nkv_span){chunk->records.data, chunk->size + tail.size};
}

static const struct nkv_chunk_kind kind = {
    .tail_max = CHUNK_TAIL_MAX,
    .add = add_key,
    .passed = keep_cursor,
    .finish = finish,
};

static void start(struct nkv_rpc_call *call, struct nkv_span payload)
{
    norkv_v1_ScanRequest request = norkv_v1_ScanRequest_init_zero;
    struct nkv_walk_request walk = {.kind = NKV_WORK_SCAN};
    struct nkv_server_scan *scan = &nkv_work_of(call)->of.scan;

    nkv_pb_take(&request.prefix, &walk.prefix);
    nkv_pb_take(&request.cursor, &walk.after);
    if (!nkv_decode_request(call, payload, norkv_v1_ScanRequest_fields,
                            &request)) {
        return;
    }
    walk.store = request.store;
    if (!nkv_walk_begin(call, &walk)) {
        nkv_respond_status(call, NKV_INVALID_ARGUMENT);
        return;
    }
    keep_cursor(nkv_work_of(call));
    scan->keys_only = request.keys_only;
    scan->limited = request.limit > 0;
    scan->remaining = request.limit;
}

void nkv_handle_scan(struct nkv_rpc_call *call, enum nkv_rpc_event event,
                     struct nkv_span payload)
{
    if (event == NKV_RPC_START) {
        start(call, payload);
    } else if (event == NKV_RPC_STEP) {
        nkv_chunk_turn(call, &kind, false);
    }
}
