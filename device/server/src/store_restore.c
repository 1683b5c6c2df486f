/*
 * Store.Restore: a stream of chunks with records, answered by credits
 * (docs/protocol.md, Store).
 *
 * Records are put from the receive buffer in which they arrived. A chunk keeps
 * that buffer until it is done, some records a poll, so that no poll takes long
 * however many of them have to make room first.
 */
#include "service.h"

#include <norkv/crc32.h>
#include <norkv/record.h>

NKV_MESSAGE(restore_request, norkv_v1_RestoreRequest);
NKV_MESSAGE(restore_response, norkv_v1_RestoreResponse);

enum {
    /* The store is still to be told, by the first chunk. */
    NO_STORE = NKV_SERVER_STORES_MAX,
    /* No record is begun when the poll has taken so long. */
    WORK_MS = 10,
    /* Between two credits while a chunk takes long: less than clients wait. */
    CREDIT_MS = 100
};

static struct nkv_server_restore *restore_of(const struct nkv_rpc_call *call)
{
    return &nkv_work_of(call)->of.restore;
}

/* Forgets the call; the line may be read again. */
static void forget(const struct nkv_rpc_call *call)
{
    nkv_server_of(call)->keeps_frame = false;
    nkv_server_of(call)->restore.call = NULL;
}

static norkv_v1_RestoreResponse make_credit(const struct nkv_rpc_call *call)
{
    const struct nkv_server *server = nkv_server_of(call);
    struct nkv_server_restore *restore = restore_of(call);

    restore->credited_ms = nkv_server_now_ms(server);
    return (norkv_v1_RestoreResponse){
        .next_offset = restore->next_offset,
        .window = nkv_rx_window(server),
        .crc32 = restore->crc32,
        .records = restore->records,
        .written = restore->written,
    };
}

/* Tells how far we are. */
static void give_credit(struct nkv_rpc_call *call, bool retransmit)
{
    norkv_v1_RestoreResponse credit = make_credit(call);

    credit.retransmit = retransmit;
    if (!nkv_message_tell(call, restore_response, &credit)) {
        forget(call);
    }
}

/* Ends the call behind a credit that tells the reason. */
static void finish(struct nkv_rpc_call *call, enum nkv_status status,
                   norkv_v1_Reason reason)
{
    norkv_v1_RestoreResponse credit = make_credit(call);

    credit.reason = reason;
    forget(call);
    nkv_message_end(call, status, restore_response, &credit);
}

static void end(struct nkv_rpc_call *call, enum nkv_status status)
{
    finish(call, status, norkv_v1_Reason_REASON_NONE);
}

static void start(struct nkv_rpc_call *call)
{
    struct nkv_server *server = nkv_server_of(call);

    *nkv_work_of(call) = (struct nkv_server_work){.store = NO_STORE};
    server->restore.call = call;
    server->restore.end = end;
    server->restore.heard_ms = nkv_server_now_ms(server);
    give_credit(call, false);
}

/* Whether these are whole records, and one of them begins behind the first
 * skip bytes, or none is left there. */
static bool are_records(struct nkv_span records, size_t skip)
{
    const uint8_t *from = records.data;
    bool found = skip == 0;

    while (records.size > 0) {
        struct nkv_record record;

        if (nkv_record_next(&records, &record) != NKV_OK) {
            return false;
        }
        found = found || (size_t)(records.data - from) == skip;
    }
    return found;
}

/* The number of the store is that of the first chunk. */
static bool choose_store(struct nkv_rpc_call *call, uint32_t number)
{
    if (nkv_work_of(call)->store != NO_STORE) {
        return true;
    }
    if (nkv_find_store(nkv_server_of(call), number) == NULL) {
        finish(call, NKV_INVALID_ARGUMENT,
               norkv_v1_Reason_REASON_NO_SUCH_STORE);
        return false;
    }
    nkv_work_of(call)->store = (uint8_t)number;
    return true;
}

/* Begins with a chunk of which the first skip bytes are done already. */
static void begin_chunk(struct nkv_rpc_call *call,
                        const norkv_v1_RestoreRequest *request, size_t skip)
{
    struct nkv_server_restore *restore = restore_of(call);
    struct nkv_span rest = request->records;

    if (!choose_store(call, request->store)) {
        return;
    }
    if (skip > 0) {
        rest.data += skip;
        rest.size -= skip;
    }
    if (!are_records(request->records, skip)) {
        end(call, NKV_DATA_LOSS);
    } else if (request->last && nkv_crc32(restore->crc32, rest.data,
                                          rest.size) != request->crc32) {
        finish(call, NKV_DATA_LOSS, norkv_v1_Reason_REASON_CRC_MISMATCH);
    } else {
        restore->rest = rest;
        restore->is_last = request->last;
        restore->has_gap = false;
        nkv_server_of(call)->keeps_frame = true;
        nkv_rpc_set_running(call, true);
    }
}

/*
 * A chunk that lies behind what is missing. The first of those that were under
 * way when it got lost tells of the loss. When one of them comes that is not
 * behind all the others, the client has gone back, and the same, or more, got
 * lost again.
 */
static void take_gap(struct nkv_rpc_call *call, uint32_t offset)
{
    struct nkv_server_restore *restore = restore_of(call);
    uint32_t ahead = offset - restore->next_offset;
    bool is_news = !restore->has_gap ||
                   ahead <= restore->gap_offset - restore->next_offset;

    if (ahead > nkv_rx_window(nkv_server_of(call))) {
        end(call, NKV_OUT_OF_RANGE);
        return;
    }
    restore->has_gap = true;
    restore->gap_offset = offset;
    if (is_news) {
        give_credit(call, true);
    }
}

static void take_chunk(struct nkv_rpc_call *call, struct nkv_span payload)
{
    struct nkv_server_restore *restore = restore_of(call);
    norkv_v1_RestoreRequest request = {.store = 0};
    uint32_t done;

    if (!nkv_fields_decode(payload, restore_request, true, &request)) {
        forget(call);
        nkv_rpc_reject(call, NKV_DATA_LOSS);
        return;
    }
    nkv_server_of(call)->restore.heard_ms =
        nkv_server_now_ms(nkv_server_of(call));
    /* Offsets wrap. */
    done = restore->next_offset - request.offset;
    if (done > UINT32_MAX / 2) {
        take_gap(call, request.offset);
    } else if (done == 0 || done < request.records.size) {
        begin_chunk(call, &request, done);
    } else {
        give_credit(call, false);
    }
}

/* Puts the next record of the chunk. False: the call has ended. */
static bool put_next(struct nkv_rpc_call *call)
{
    struct nkv_server_restore *restore = restore_of(call);
    const struct nkv_server_store *store = nkv_store_of(call);
    uint32_t count = nkv_transaction_count(store->store);
    const uint8_t *from = restore->rest.data;
    struct nkv_record record = {{NULL, 0}, {NULL, 0}};
    enum nkv_status status = nkv_record_next(&restore->rest, &record);
    size_t size = (size_t)(restore->rest.data - from);

    if (status == NKV_OK) {
        status = nkv_put(store->store, record.key, record.value);
    }
    if (status != NKV_OK) {
        norkv_v1_Reason reason = nkv_put_reason(store, record.key, status);

        finish(call, nkv_status_for_client(status), reason);
        return false;
    }
    restore->crc32 = nkv_crc32(restore->crc32, from, size);
    restore->next_offset += (uint32_t)size;
    restore->records++;
    restore->written += nkv_transaction_count(store->store) != count;
    return true;
}

static void end_chunk(struct nkv_rpc_call *call)
{
    struct nkv_server_restore *restore = restore_of(call);

    restore->rest = (struct nkv_span){NULL, 0};
    nkv_server_of(call)->keeps_frame = false;
    nkv_rpc_set_running(call, false);
    if (restore->is_last) {
        end(call, NKV_OK);
    } else {
        give_credit(call, false);
    }
}

static void step(struct nkv_rpc_call *call)
{
    struct nkv_server *server = nkv_server_of(call);
    struct nkv_server_restore *restore = restore_of(call);
    uint32_t now;

    do {
        if (restore->rest.size > 0 && !put_next(call)) {
            return;
        }
        now = nkv_server_now_ms(server);
    } while (restore->rest.size > 0 && now - server->poll_ms < WORK_MS);
    server->restore.heard_ms = now;
    if (restore->rest.size == 0) {
        end_chunk(call);
    } else if (now - restore->credited_ms >= CREDIT_MS) {
        give_credit(call, false);
    }
}

void nkv_serve_restore(struct nkv_rpc_call *call, enum nkv_rpc_event event,
                       struct nkv_span payload)
{
    switch (event) {
    case NKV_RPC_START:
        start(call);
        break;
    case NKV_RPC_MESSAGE:
        take_chunk(call, payload);
        break;
    case NKV_RPC_STEP:
        step(call);
        break;
    case NKV_RPC_COMPLETION:
        end(call, NKV_OUT_OF_RANGE);
        break;
    case NKV_RPC_CANCEL:
        forget(call);
        break;
    }
}
