/* Store.Digest: what the records amount to, a bounded number of reads each
 * turn. */
#include "walk.h"

#include <norkv/record.h>

NKV_MESSAGE(digest_request, norkv_v1_DigestRequest);
NKV_MESSAGE(digest_response, norkv_v1_DigestResponse);

_Static_assert(norkv_v1_DigestResponse_size + NKV_PACKET_OVERHEAD_MAX <=
                   NKV_SERVER_PACKET_MIN,
               "a digest must always fit a packet");

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
    uint8_t head[NKV_RECORD_HEAD_MAX];
    size_t size =
        nkv_record_head(head, nkv_walk_key(&digest->walk), value->total_size);

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
    struct nkv_value value;
    enum nkv_status status =
        nkv_get(store, nkv_walk_key(&digest->walk), digest->offset, to, &value);
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

static void take_turn(struct nkv_rpc_call *call)
{
    struct nkv_server *server = nkv_server_of(call);
    struct nkv_server_digest *digest = &nkv_work_of(call)->of.digest;
    struct nkv_store *store = nkv_store_of(call)->store;
    enum nkv_status status =
        read_some(digest, store, server->config->memory.transmit);
    norkv_v1_DigestResponse response = so_far(digest);

    if (status == NKV_OK) {
        if (nkv_report_is_due(call, &digest->reported_ms)) {
            (void)nkv_message_tell(call, digest_response, &response);
        }
        return;
    }
    if (status == NKV_NOT_FOUND) {
        status = NKV_OK;
        response.done = true;
        response.changed = nkv_walk_changed(&digest->walk, store);
    } else {
        response.reason = nkv_read_reason(nkv_store_of(call), status);
    }
    nkv_message_end(call, nkv_status_for_client(status), digest_response,
                    &response);
}

/* Shows at once that the call was taken: its end may be long in coming. */
static void start(struct nkv_rpc_call *call, const struct nkv_request *request)
{
    struct nkv_server_digest *digest = &nkv_work_of(call)->of.digest;
    norkv_v1_DigestResponse nothing = {.records = 0};

    if (!nkv_walk_begin(call, request->of.digest.prefix,
                        (struct nkv_span){NULL, 0})) {
        nkv_call_refuse(call, NKV_INVALID_ARGUMENT,
                        norkv_v1_Reason_REASON_BAD_KEY);
        return;
    }
    digest->reported_ms = nkv_server_now_ms(nkv_server_of(call));
    (void)nkv_message_tell(call, digest_response, &nothing);
}

const struct nkv_server_method nkv_method_digest = {
    .request = digest_request,
    .start = start,
    .step = take_turn,
    .reason = norkv_v1_DigestResponse_reason_tag,
    .is_of_store = true,
};
