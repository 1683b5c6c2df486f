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

enum {
    /* No record is begun when the poll has taken so long. */
    WORK_MS = 10,
    /* Between two credits while a chunk takes long: less than clients wait. */
    CREDIT_MS = 100,
    /* Silence after which a client counts as gone. */
    EXPIRE_MS = 30000,
    /* How long the line is kept clear of idle work for the next chunk. */
    ATTENTION_MS = 1000
};

static struct nkv_server_restore *restore_of(const struct nkv_rpc_call *call)
{
    return &nkv_work_of(call)->of.restore;
}

static uint32_t window_of(const struct nkv_server *server)
{
    const struct nkv_server_config *config = server->config;

    return config->rx_window != 0 ? config->rx_window
                                  : (uint32_t)config->memory.receive.capacity;
}

/* Forgets the call; the line may be read again. */
static void forget(const struct nkv_rpc_call *call)
{
    nkv_server_of(call)->keeps_frame = false;
    *nkv_work_of(call) = (struct nkv_server_work){.kind = NKV_WORK_NONE};
}

/* Tells how far we are. False: the line is gone, and the call with it. */
static bool give_credit(struct nkv_rpc_call *call, bool retransmit,
                        norkv_v1_Reason reason)
{
    const struct nkv_server *server = nkv_server_of(call);
    struct nkv_server_restore *restore = restore_of(call);
    norkv_v1_RestoreResponse credit = {
        .next_offset = restore->next_offset,
        .window = window_of(server),
        .retransmit = retransmit,
        .crc32 = restore->crc32,
        .records = restore->records,
        .written = restore->written,
        .reason = reason,
    };
    struct nkv_span payload = {NULL, 0};

    restore->credited_ms = nkv_server_now_ms(server);
    /* The smallest room is larger than any credit. */
    (void)nkv_pb_encode(nkv_rpc_room(call), norkv_v1_RestoreResponse_fields,
                        &credit, &payload);
    if (nkv_rpc_send(call, payload) == NKV_OK) {
        return true;
    }
    forget(call);
    return false;
}

/* A stream's last packet tells no reason, so a credit before it does. */
static void finish(struct nkv_rpc_call *call, enum nkv_status status,
                   norkv_v1_Reason reason)
{
    if (give_credit(call, false, reason)) {
        forget(call);
        nkv_respond_status(call, status);
    }
}

static void start(struct nkv_rpc_call *call)
{
    *nkv_work_of(call) = (struct nkv_server_work){
        .kind = NKV_WORK_RESTORE,
        .of.restore.heard_ms = nkv_server_now_ms(nkv_server_of(call)),
    };
    (void)give_credit(call, false, norkv_v1_Reason_REASON_NONE);
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
    if (restore_of(call)->has_store) {
        return true;
    }
    if (nkv_find_store(nkv_server_of(call), number) == NULL) {
        finish(call, NKV_INVALID_ARGUMENT,
               norkv_v1_Reason_REASON_NO_SUCH_STORE);
        return false;
    }
    nkv_work_of(call)->store = (uint8_t)number;
    restore_of(call)->has_store = true;
    return true;
}

/* Begins with a chunk of which the first skip bytes are done already. */
static void begin_chunk(struct nkv_rpc_call *call,
                        const norkv_v1_RestoreRequest *request,
                        struct nkv_span records, size_t skip)
{
    struct nkv_server_restore *restore = restore_of(call);
    struct nkv_span rest = records;

    if (!choose_store(call, request->store)) {
        return;
    }
    if (skip > 0) {
        rest.data += skip;
        rest.size -= skip;
    }
    if (!are_records(records, skip)) {
        finish(call, NKV_DATA_LOSS, norkv_v1_Reason_REASON_NONE);
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

    if (ahead > window_of(nkv_server_of(call))) {
        finish(call, NKV_OUT_OF_RANGE, norkv_v1_Reason_REASON_NONE);
        return;
    }
    restore->has_gap = true;
    restore->gap_offset = offset;
    if (is_news) {
        (void)give_credit(call, true, norkv_v1_Reason_REASON_NONE);
    }
}

static void take_chunk(struct nkv_rpc_call *call, struct nkv_span payload)
{
    struct nkv_server_restore *restore = restore_of(call);
    norkv_v1_RestoreRequest request = norkv_v1_RestoreRequest_init_zero;
    struct nkv_span records;
    uint32_t done;

    nkv_pb_take(&request.records, &records);
    if (!nkv_pb_decode(payload, norkv_v1_RestoreRequest_fields, &request)) {
        forget(call);
        nkv_rpc_reject(call, NKV_DATA_LOSS);
        return;
    }
    restore->heard_ms = nkv_server_now_ms(nkv_server_of(call));
    /* Offsets wrap. */
    done = restore->next_offset - request.offset;
    if (done > UINT32_MAX / 2) {
        take_gap(call, request.offset);
    } else if (done == 0 || done < records.size) {
        begin_chunk(call, &request, records, done);
    } else {
        (void)give_credit(call, false, norkv_v1_Reason_REASON_NONE);
    }
}

/* Puts the next record of the chunk. False: the call has ended. */
static bool put_next(struct nkv_rpc_call *call)
{
    struct nkv_server_restore *restore = restore_of(call);
    const struct nkv_server_store *store =
        nkv_find_store(nkv_server_of(call), nkv_work_of(call)->store);
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
        finish(call, NKV_OK, norkv_v1_Reason_REASON_NONE);
    } else {
        (void)give_credit(call, false, norkv_v1_Reason_REASON_NONE);
    }
}

static void step(struct nkv_rpc_call *call)
{
    const struct nkv_server *server = nkv_server_of(call);
    struct nkv_server_restore *restore = restore_of(call);
    uint32_t now;

    do {
        if (restore->rest.size > 0 && !put_next(call)) {
            return;
        }
        now = nkv_server_now_ms(server);
    } while (restore->rest.size > 0 && now - server->poll_ms < WORK_MS);
    restore->heard_ms = now;
    if (restore->rest.size == 0) {
        end_chunk(call);
    } else if (now - restore->credited_ms >= CREDIT_MS) {
        (void)give_credit(call, false, norkv_v1_Reason_REASON_NONE);
    }
}

void nkv_handle_restore(struct nkv_rpc_call *call, enum nkv_rpc_event event,
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
        finish(call, NKV_OUT_OF_RANGE, norkv_v1_Reason_REASON_NONE);
        break;
    case NKV_RPC_CANCEL:
        forget(call);
        break;
    }
}

/* The call that restores; NULL: none does. There is one at a time. */
static struct nkv_rpc_call *find_restore(const struct nkv_server *server)
{
    const struct nkv_server_memory *memory = &server->config->memory;

    for (size_t i = 0; i < memory->call_count; i++) {
        if (memory->work[i].kind == NKV_WORK_RESTORE) {
            return &memory->calls[i];
        }
    }
    return NULL;
}

static uint32_t silence_ms(const struct nkv_rpc_call *call)
{
    return nkv_server_now_ms(nkv_server_of(call)) - restore_of(call)->heard_ms;
}

bool nkv_is_restoring(const struct nkv_server *server)
{
    const struct nkv_rpc_call *call = find_restore(server);

    return call != NULL && silence_ms(call) < ATTENTION_MS;
}

void nkv_restore_expire(struct nkv_server *server)
{
    struct nkv_rpc_call *call = find_restore(server);

    if (call != NULL && silence_ms(call) >= EXPIRE_MS) {
        finish(call, NKV_DEADLINE_EXCEEDED, norkv_v1_Reason_REASON_NONE);
    }
}

void nkv_restore_abort(struct nkv_server *server, uint32_t store)
{
    struct nkv_rpc_call *call = find_restore(server);

    if (call != NULL && restore_of(call)->has_store &&
        nkv_work_of(call)->store == store) {
        finish(call, NKV_ABORTED, norkv_v1_Reason_REASON_NONE);
    }
}
