/* Store.Digest: what the records amount to, a bounded number of reads each
 * turn. */
#include "walk.h"

#include <norkv/record.h>

_Static_assert(norkv_v1_DigestResponse_size + NKV_PACKET_OVERHEAD_MAX <=
                   NKV_SERVER_PACKET_MIN,
               "a digest must always fit a packet");

/* False: the line is gone, and the call with it. */
static bool report(struct nkv_rpc_call *call,
                   const norkv_v1_DigestResponse *response)
{
    struct nkv_span payload = {NULL, 0};

    /* The smallest room is larger than any DigestResponse. */
    (void)nkv_pb_encode(nkv_rpc_room(call), norkv_v1_DigestResponse_fields,
                        response, &payload);
    return nkv_rpc_send(call, payload) == NKV_OK;
}

static norkv_v1_DigestResponse so_far(const struct nkv_server_digest *digest)
{
    return (norkv_v1_DigestResponse){
        .records = digest->sum.records,
        .bytes = (uint32_t)digest->sum.bytes,
        .digest = digest->sum.sum,
        .damaged = digest->damaged,
    };
}

static void begin_value(struct nkv_server_digest *digest,
                        const struct nkv_value *value)
{
    const struct nkv_iterator *at = &digest->walk.iterator;
    uint8_t head[NKV_RECORD_HEAD_MAX];
    size_t size = nkv_record_head(
        head, (struct nkv_span){at->key, at->key_size}, value->total_size);

    digest->hash = nkv_fnv64(NKV_FNV64_START, head, size);
    digest->value = *value;
}

static void end_value(struct nkv_server_digest *digest)
{
    digest->in_value = false;
    digest->sum.sum += digest->hash;
    digest->sum.records++;
    digest->sum.bytes +=
        digest->walk.iterator.key_size + digest->value.total_size;
}

/* Takes a piece of a value in. */
static void take_piece(struct nkv_server_digest *digest, struct nkv_span piece,
                       const struct nkv_value *value)
{
    if (digest->offset == 0) {
        begin_value(digest, value);
    }
    digest->hash = nkv_fnv64(digest->hash, piece.data, piece.size);
    digest->offset += (uint32_t)piece.size;
    if (digest->offset == value->total_size) {
        end_value(digest);
    }
}

/* Reads a piece of the iterator's value, and returns its bytes. One that was
 * written since the piece before is begun anew. */
static size_t read_value(struct nkv_server_digest *digest,
                         struct nkv_store *store, struct nkv_buffer to)
{
    const struct nkv_iterator *at = &digest->walk.iterator;
    struct nkv_value value;
    enum nkv_status status =
        nkv_get(store, (struct nkv_span){at->key, at->key_size}, digest->offset,
                to, &value);
    bool read = status == NKV_OK || status == NKV_RESOURCE_EXHAUSTED;

    if (status == NKV_OUT_OF_RANGE ||
        (read && digest->offset > 0 &&
         value.version != digest->value.version)) {
        digest->offset = 0;
        return 0;
    }
    if (read) {
        take_piece(digest, (struct nkv_span){to.data, value.size}, &value);
        return value.size;
    }
    /* What is gone was deleted since the walk came to it. */
    digest->in_value = false;
    digest->damaged += status != NKV_NOT_FOUND ? 1 : 0;
    return 0;
}

/* Moves to the next key. NKV_NOT_FOUND: there is none. */
static enum nkv_status go_on(struct nkv_server_digest *digest,
                             struct nkv_store *store)
{
    bool wanted;
    enum nkv_status found = nkv_walk_next(&digest->walk, store, &wanted);

    if (found == NKV_DATA_LOSS) {
        digest->damaged++;
        return NKV_OK;
    }
    digest->in_value = found == NKV_OK && wanted;
    digest->offset = 0;
    return found;
}

/* Reads until the turn is used up: a number of keys, or of bytes, or one piece
 * of a large value, for which all of it is verified. */
static enum nkv_status read_some(struct nkv_server_digest *digest,
                                 struct nkv_store *store,
                                 struct nkv_buffer scratch)
{
    enum nkv_status status = NKV_OK;
    size_t read = 0;

    for (int i = 0; i < NKV_WALK_KEYS_A_TURN && read < scratch.capacity &&
                    status == NKV_OK;
         i++) {
        if (!digest->in_value) {
            status = go_on(digest, store);
        }
        if (digest->in_value) {
            read += read_value(digest, store, scratch);
        }
        if (digest->in_value) {
            break;
        }
    }
    return status;
}

/* A stream's last packet tells nothing, so a message before it does. */
static void end(struct nkv_rpc_call *call, enum nkv_status status,
                const norkv_v1_DigestResponse *response)
{
    if (report(call, response)) {
        nkv_respond_status(call, status);
    }
}

static void take_turn(struct nkv_rpc_call *call)
{
    struct nkv_server *server = nkv_server_of(call);
    struct nkv_server_digest *digest = &nkv_work_of(call)->of.digest;
    struct nkv_store *store = nkv_walk_store(call);
    uint32_t now = nkv_server_now_ms(server);
    enum nkv_status status =
        read_some(digest, store, server->config->memory.transmit);
    norkv_v1_DigestResponse response = so_far(digest);

    if (status == NKV_NOT_FOUND) {
        response.done = true;
        response.changed = nkv_walk_changed(&digest->walk, store);
        end(call, NKV_OK, &response);
    } else if (status != NKV_OK) {
        response.reason = nkv_read_reason(
            nkv_find_store(server, nkv_work_of(call)->store), status);
        end(call, nkv_status_for_client(status), &response);
    } else if (now - digest->reported_ms >= NKV_REPORT_MS) {
        digest->reported_ms = now;
        (void)report(call, &response);
    }
}

/* Shows at once that the call was taken: its end may be long in coming. */
static void start(struct nkv_rpc_call *call, struct nkv_span payload)
{
    norkv_v1_DigestRequest request = norkv_v1_DigestRequest_init_zero;
    norkv_v1_DigestResponse response = norkv_v1_DigestResponse_init_zero;
    struct nkv_server *server = nkv_server_of(call);
    struct nkv_walk_request walk = {.kind = NKV_WORK_DIGEST};

    nkv_pb_take(&request.prefix, &walk.prefix);
    if (!nkv_decode_request(call, payload, norkv_v1_DigestRequest_fields,
                            &request)) {
        return;
    }
    walk.store = request.store;
    if (nkv_walk_begin(call, &walk)) {
        nkv_work_of(call)->of.digest.reported_ms = nkv_server_now_ms(server);
        (void)report(call, &response);
        return;
    }
    response.reason = nkv_find_store(server, request.store) == NULL
                          ? norkv_v1_Reason_REASON_NO_SUCH_STORE
                          : norkv_v1_Reason_REASON_BAD_KEY;
    end(call, NKV_INVALID_ARGUMENT, &response);
}

void nkv_handle_digest(struct nkv_rpc_call *call, enum nkv_rpc_event event,
                       struct nkv_span payload)
{
    if (event == NKV_RPC_START) {
        start(call, payload);
    } else if (event == NKV_RPC_STEP) {
        take_turn(call);
    }
}
