/* What to do when the device has restarted, or has lost the thread. */
#include "batch.h"

#include <string.h>

/* Without a single answer in between. */
enum { RECOVERIES_MAX = 16 };

enum verdict {
    /* Send it again. */
    VERDICT_REPEAT,
    VERDICT_DONE,
    VERDICT_UNKNOWN
};

bool nkv_batch_is_final(const struct nkv_answer *answer)
{
    if (answer->is_server_error)
        return answer->status != NKV_UNAVAILABLE;
    switch (answer->reason) {
    case NKV_REASON_SESSION_UNKNOWN:
    case NKV_REASON_SEQ_TOO_OLD:
    case NKV_REASON_SEQ_GAP:
    case NKV_REASON_SEQ_REUSED:
        return false;
    default:
        return answer->status != NKV_UNAVAILABLE;
    }
}

/* What the batch's later mutations have made of a key, or may have. */
struct later {
    /* One was answered OK: whatever was before it in order was decided before
     * it was. */
    bool done;
    /* Some may have been done, and nobody knows. */
    bool maybe_put;
    bool maybe_deleted;
};

static bool is_same_key(const struct nkv_mutation *one,
                        const struct nkv_mutation *other)
{
    return one->key.size == other->key.size &&
           memcmp(one->key.data, other->key.data, one->key.size) == 0;
}

static struct later look_behind(const struct nkv_batch *batch,
                                const struct nkv_mutation *mutation)
{
    struct later later = {0};
    const struct nkv_mutation *end = batch->mutations + batch->next;
    for (const struct nkv_mutation *it = mutation + 1; it < end; it++) {
        if (it->status == NKV_OK && is_same_key(it, mutation))
            later.done = true;
    }
    for (size_t i = 0; i < batch->flight_count; i++) {
        const struct nkv_flight *flight = batch->flights[i];
        const struct nkv_mutation *it = flight->mutation;
        if (it <= mutation || !flight->ambiguous || !is_same_key(it, mutation))
            continue;
        if (it->kind == NKV_MUTATION_PUT)
            later.maybe_put = true;
        else
            later.maybe_deleted = true;
    }
    return later;
}

/* A conditional put that may have been applied, by what the key holds now. */
static enum verdict judge_put(const struct nkv_mutation *mutation,
                              const struct later *later, bool present,
                              const struct nkv_client_value *value)
{
    if (present && mutation->if_version != 0 &&
        value->version == mutation->if_version)
        return VERDICT_REPEAT;
    if (!present && mutation->if_version == 0 && !later->maybe_deleted)
        return VERDICT_REPEAT;
    bool is_ours =
        present && value->size == mutation->value.size &&
        (value->size == 0 ||
         memcmp(value->data, mutation->value.data, value->size) == 0);
    return is_ours && !later->maybe_put ? VERDICT_DONE : VERDICT_UNKNOWN;
}

static enum verdict judge_delete(const struct nkv_mutation *mutation,
                                 const struct later *later, bool present,
                                 const struct nkv_client_value *value)
{
    if (present && value->version == mutation->if_version)
        return VERDICT_REPEAT;
    return present || later->maybe_deleted ? VERDICT_UNKNOWN : VERDICT_DONE;
}

/* Reads the key of a conditional mutation that may have been applied. */
static enum nkv_status judge(struct nkv_batch *batch,
                             struct nkv_mutation *mutation,
                             enum verdict *verdict)
{
    struct nkv_client *client = batch->client;
    struct later later = look_behind(batch, mutation);
    struct nkv_client_value value = {0};
    *verdict = VERDICT_UNKNOWN;
    /* It was decided before that one, and the key tells of that one only. */
    if (later.done)
        return NKV_OK;
    enum nkv_status status = nkv_host_get(client, mutation->key, &value);
    bool absent = status == NKV_NOT_FOUND && client->reason == NKV_REASON_NONE;
    if (status == NKV_OK || absent) {
        *verdict = mutation->kind == NKV_MUTATION_PUT
                       ? judge_put(mutation, &later, !absent, &value)
                       : judge_delete(mutation, &later, !absent, &value);
        mutation->version = value.version;
        status = NKV_OK;
    }
    nkv_client_value_clear(&value);
    return status;
}

/* Ends the flights that an answer has come for meanwhile, and readies the
 * others to be sent again. */
static void sort_out(struct nkv_batch *batch)
{
    for (size_t i = 0; i < batch->flight_count;) {
        struct nkv_flight *flight = batch->flights[i];
        struct nkv_answer answer = {0};
        bool final = false;
        if (flight->exchange.done) {
            nkv_exchange_answer(&flight->exchange, &answer);
            final = nkv_batch_is_final(&answer);
            if (answer.reason == NKV_REASON_SESSION_UNKNOWN &&
                flight->sends == 1)
                flight->refused = true;
        }
        if (final)
            nkv_flight_finish(batch, i, &answer);
        else
            nkv_exchange_revive(&batch->flights[i++]->exchange, 0);
        nkv_answer_clear(&answer);
    }
}

/* Settles the plain ones that must not be repeated: a later mutation of the
 * batch has written the key since. Then the plain one, being before it in
 * order, was done before it; done again, it would undo the later one. */
static void drop_superseded(struct nkv_batch *batch)
{
    for (size_t i = 0; i < batch->flight_count;) {
        const struct nkv_flight *flight = batch->flights[i];
        if (flight->ambiguous && !flight->mutation->conditional &&
            look_behind(batch, flight->mutation).done)
            nkv_flight_drop(batch, i, NKV_OK);
        else
            i++;
    }
}

/* Settles the conditional ones that must not be repeated blindly. */
static enum nkv_status settle(struct nkv_batch *batch)
{
    for (size_t i = 0; i < batch->flight_count;) {
        struct nkv_flight *flight = batch->flights[i];
        enum verdict verdict = VERDICT_REPEAT;
        if (flight->ambiguous && flight->mutation->conditional) {
            enum nkv_status status = judge(batch, flight->mutation, &verdict);
            if (status != NKV_OK)
                return status;
            flight->ambiguous = false;
        }
        if (verdict == VERDICT_REPEAT)
            i++;
        else
            nkv_flight_drop(batch, i,
                            verdict == VERDICT_DONE ? NKV_OK : NKV_UNKNOWN);
    }
    return NKV_OK;
}

enum nkv_status nkv_batch_recover(struct nkv_batch *batch)
{
    struct nkv_host_session *session = &batch->client->session;
    if (batch->recoveries++ == RECOVERIES_MAX)
        return nkv_host_fail(batch->client, NKV_UNAVAILABLE,
                             "the device forgets the session again and again");
    uint32_t session_before = session->session;
    uint32_t boot_before = session->device.boot_id;
    enum nkv_status status = nkv_host_open_session(batch->client);
    if (status != NKV_OK)
        return status;
    bool same = session->session == session_before &&
                session->device.boot_id == boot_before;
    uint32_t applied = session->last_seq;
    batch->lost = false;
    sort_out(batch);
    for (size_t i = 0; i < batch->flight_count; i++) {
        struct nkv_flight *flight = batch->flights[i];
        if (!same && flight->sends > 0 && !flight->refused)
            flight->ambiguous = true;
    }
    /* What turns out to be done supersedes, too: so after settling. */
    status = settle(batch);
    if (status == NKV_OK)
        drop_superseded(batch);
    for (size_t i = 0; status == NKV_OK && i < batch->flight_count; i++) {
        struct nkv_flight *flight = batch->flights[i];
        /* Numbers wrap. */
        bool is_new = flight->seq - applied - 1 < UINT32_MAX / 2;
        if (!same || is_new || flight->renumber)
            status = nkv_flight_renumber(batch, flight);
    }
    return status;
}
