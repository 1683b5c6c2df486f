/* Store.Scan: a chunk of records each turn. */
#include "service.h"

#include <pb_encode.h>
#include <string.h>

enum {
    /* A record without its value: key, version, value_size, value_omitted and
     * status. */
    RECORD_META_MAX = (2 + NKV_KEY_SIZE_MAX) + 6 + 6 + 2 + 2,
    /* What follows the records: cursor, done, changed, index. */
    CHUNK_TAIL_MAX = (2 + NKV_KEY_SIZE_MAX) + 2 + 2 + 6,
    /* Keys looked at in one turn, so that other calls get theirs. */
    KEYS_A_TURN = 64,
    /* Turns without a record after which an empty chunk shows that the scan
     * goes on. */
    SILENT_TURNS_MAX = 16
};

_Static_assert(NKV_PB_PREFIX_MAX + RECORD_META_MAX + CHUNK_TAIL_MAX +
                       NKV_PACKET_OVERHEAD_MAX <=
                   NKV_SERVER_PACKET_MIN,
               "a record without its value must always fit a packet");

/* A chunk that is being filled. */
struct chunk {
    struct nkv_store *store;
    /* The tail's room is not counted in its capacity. */
    struct nkv_buffer records;
    size_t size;
    uint32_t count;
    bool done;
};

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
static bool add_record(struct chunk *chunk, struct record *record)
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

static bool has_prefix(const struct nkv_server_scan *scan)
{
    return scan->iterator.key_size >= scan->prefix_size &&
           memcmp(scan->iterator.key, scan->prefix, scan->prefix_size) == 0;
}

static void keep_cursor(struct nkv_server_scan *scan)
{
    scan->cursor_size = scan->iterator.key_size;
    memcpy(scan->cursor, scan->iterator.key, scan->cursor_size);
}

static void count_record(struct nkv_server_scan *scan, struct chunk *chunk)
{
    if (!scan->limited) {
        return;
    }
    scan->remaining--;
    chunk->done = scan->remaining == 0;
}

/* Adds the key that the iterator stands on. False: there is no room. */
static bool add_key(struct nkv_server_scan *scan, struct chunk *chunk,
                    enum nkv_status found)
{
    struct record record = {.status = found};

    if (found == NKV_OK) {
        record.key =
            (struct nkv_span){scan->iterator.key, scan->iterator.key_size};
        record.version = scan->iterator.value.version;
        record.value_size = scan->iterator.value.total_size;
        record.with_value = !scan->keys_only;
    }
    if (!add_record(chunk, &record)) {
        return false;
    }
    count_record(scan, chunk);
    return true;
}

/* Looks at keys until the chunk or the turn is used up. Any status but NKV_OK
 * ends the scan. */
static enum nkv_status fill(struct nkv_server_scan *scan, struct chunk *chunk)
{
    for (int i = 0; i < KEYS_A_TURN && !chunk->done; i++) {
        struct nkv_iterator before = scan->iterator;
        enum nkv_status found = nkv_next(chunk->store, &scan->iterator);

        if (found == NKV_NOT_FOUND) {
            chunk->done = true;
            return NKV_OK;
        }
        if (found != NKV_OK && found != NKV_DATA_LOSS) {
            return found;
        }
        if ((found != NKV_OK || has_prefix(scan)) &&
            !add_key(scan, chunk, found)) {
            scan->iterator = before;
            return NKV_OK;
        }
        if (found == NKV_OK) {
            keep_cursor(scan);
        }
    }
    return NKV_OK;
}

/* The chunk as a message: its records, then the rest. */
static struct nkv_span finish(const struct nkv_server_scan *scan,
                              const struct chunk *chunk)
{
    norkv_v1_ScanResponse response = norkv_v1_ScanResponse_init_zero;
    struct nkv_span cursor = {scan->cursor, scan->cursor_size};
    struct nkv_span tail = {NULL, 0};

    nkv_pb_give(&response.cursor, &cursor);
    response.done = chunk->done;
    response.changed = chunk->done && nkv_transaction_count(chunk->store) !=
                                          scan->transaction_count;
    response.index = scan->index;
    /* The room was kept, so it fits. */
    (void)nkv_pb_encode(
        (struct nkv_buffer){chunk->records.data + chunk->size, CHUNK_TAIL_MAX},
        norkv_v1_ScanResponse_fields, &response, &tail);
    return (struct nkv_span){chunk->records.data, chunk->size + tail.size};
}

static bool is_worth_sending(struct nkv_server_scan *scan,
                             const struct chunk *chunk)
{
    if (chunk->count == 0 && !chunk->done &&
        scan->silent_turns < SILENT_TURNS_MAX) {
        scan->silent_turns++;
        return false;
    }
    scan->silent_turns = 0;
    return true;
}

static void take_turn(struct nkv_rpc_call *call)
{
    struct nkv_server_work *work = nkv_work_of(call);
    struct nkv_server_scan *scan = &work->of.scan;
    struct chunk chunk = {
        .store = nkv_find_store(nkv_server_of(call), work->store)->store,
        .records = nkv_rpc_room(call),
    };
    enum nkv_status status;

    chunk.records.capacity -= CHUNK_TAIL_MAX;
    status = fill(scan, &chunk);
    if (status == NKV_OK) {
        if (!is_worth_sending(scan, &chunk) ||
            nkv_rpc_send(call, finish(scan, &chunk)) != NKV_OK) {
            return;
        }
        scan->index++;
    }
    if (status != NKV_OK || chunk.done) {
        nkv_respond_status(call, nkv_status_for_client(status));
    }
}

/* The cursor is the key behind which to go on. */
static void prepare(struct nkv_server_scan *scan, struct nkv_store *store,
                    const norkv_v1_ScanRequest *request, struct nkv_span prefix,
                    struct nkv_span cursor)
{
    *scan = (struct nkv_server_scan){
        .keys_only = request->keys_only,
        .limited = request->limit > 0,
        .remaining = request->limit,
        .transaction_count = nkv_transaction_count(store),
        .prefix_size = (uint8_t)prefix.size,
        .cursor_size = (uint8_t)cursor.size,
        .iterator.key_size = (uint8_t)cursor.size,
    };
    if (prefix.size > 0) {
        memcpy(scan->prefix, prefix.data, prefix.size);
    }
    if (cursor.size > 0) {
        memcpy(scan->cursor, cursor.data, cursor.size);
        memcpy(scan->iterator.key, cursor.data, cursor.size);
    }
}

static void start(struct nkv_rpc_call *call, struct nkv_span payload)
{
    norkv_v1_ScanRequest request = norkv_v1_ScanRequest_init_zero;
    struct nkv_server_work *work = nkv_work_of(call);
    struct nkv_server_store *store;
    struct nkv_span prefix;
    struct nkv_span cursor;

    nkv_pb_take(&request.prefix, &prefix);
    nkv_pb_take(&request.cursor, &cursor);
    if (!nkv_decode_request(call, payload, norkv_v1_ScanRequest_fields,
                            &request)) {
        return;
    }
    store = nkv_find_store(nkv_server_of(call), request.store);
    if (store == NULL || prefix.size > NKV_KEY_SIZE_MAX ||
        cursor.size > NKV_KEY_SIZE_MAX) {
        nkv_respond_status(call, NKV_INVALID_ARGUMENT);
        return;
    }
    work->kind = NKV_WORK_SCAN;
    work->store = (uint8_t)request.store;
    prepare(&work->of.scan, store->store, &request, prefix, cursor);
    nkv_rpc_set_running(call, true);
}

void nkv_handle_scan(struct nkv_rpc_call *call, enum nkv_rpc_event event,
                     struct nkv_span payload)
{
    if (event == NKV_RPC_START) {
        start(call, payload);
    } else if (event == NKV_RPC_STEP) {
        take_turn(call);
    }
}
