/* What to do when the device has restarted, or has lost the thread. */
#include "lane.h"

#include <string.h>

enum verdict {
    /* Send it again. */
    VERDICT_REPEAT,
    VERDICT_DONE,
    VERDICT_UNKNOWN
};

bool nkv_lane_is_final(const struct nkv_answer *answer)
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

/* What later mutations have made of a key, or may have. */
struct later {
    /* One was answered OK: whatever was before it in order was decided before
     * it was. */
    bool done;
    /* Some may have been done, and nobody knows. */
    bool maybe_put;
    bool maybe_deleted;
};

static bool is_same_key(const struct nkv_write *one,
                        const struct nkv_write *other)
{
    const struct nkv_span *key = &one->mutation.key;
    return one->task.store == other->task.store &&
           key->size == other->mutation.key.size &&
           memcmp(key->data, other->mutation.key.data, key->size) == 0;
}

static struct later look_behind(const struct nkv_write *write)
{
    struct later later = {0};
    for (const struct nkv_write *it = write->next; it != NULL; it = it->next) {
        if (!is_same_key(it, write))
            continue;
        if (it->decided && it->mutation.status == NKV_OK)
            later.done = true;
        if (it->decided || !it->ambiguous)
            continue;
        if (it->mutation.kind == NKV_MUTATION_PUT)
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

/* Begins to read the key of a conditional mutation that may have been applied.
 * False: no memory. */
static bool begin_judging(struct nkv_lane *lane, struct nkv_write *write)
{
    struct nkv_scope scope;
    nkv_task_enter(&write->task, &scope);
    lane->get = nkv_get_start_within(lane->client, write->mutation.key);
    nkv_task_leave(&write->task, &scope);
    /* The store's number is known; its name is the mutation's, which may end
     * first. */
    if (lane->get != NULL)
        lane->get->task.store_name = NULL;
    lane->judged = write;
    return lane->get != NULL;
}

/* What the key tells. */
static enum verdict judge(struct nkv_write *write, const struct nkv_get *get)
{
    struct nkv_mutation *mutation = &write->mutation;
    struct later later = look_behind(write);
    bool absent = get->task.status == NKV_NOT_FOUND &&
                  get->task.reason == NKV_REASON_NONE;
    if (get->task.status != NKV_OK && !absent)
        return VERDICT_UNKNOWN;
    mutation->version = get->value.version;
    return mutation->kind == NKV_MUTATION_PUT
               ? judge_put(mutation, &later, !absent, &get->value)
               : judge_delete(mutation, &later, !absent, &get->value);
}

static void apply_verdict(struct nkv_write *write, enum verdict verdict)
{
    write->ambiguous = false;
    if (verdict != VERDICT_REPEAT)
        nkv_write_decide(write, verdict == VERDICT_DONE ? NKV_OK : NKV_UNKNOWN,
                         NKV_REASON_NONE);
}

static void end_reading(struct nkv_lane *lane)
{
    nkv_get_release(lane->get);
    lane->get = NULL;
    lane->judged = NULL;
}

/* The key was read, or could not be. */
static void finish_judging(struct nkv_lane *lane)
{
    struct nkv_write *write = lane->judged;
    enum nkv_status status = lane->get->task.status;
    bool line_failed =
        status == NKV_DEADLINE_EXCEEDED || status == NKV_UNAVAILABLE;
    if (write != NULL && line_failed) {
        write->task.error = lane->get->task.error;
        nkv_task_end(&write->task, status);
    } else if (write != NULL) {
        apply_verdict(write, judge(write, lane->get));
    }
    end_reading(lane);
}

/* Ends the mutations that an answer has come for meanwhile, and readies the
 * others to be sent again. */
static void sort_out(struct nkv_lane *lane)
{
    for (struct nkv_write *write = lane->first; write != NULL;
         write = write->next) {
        struct nkv_answer answer = {0};
        bool final = false;
        if (!nkv_write_is_flying(write))
            continue;
        if (write->exchange.done) {
            nkv_exchange_answer(&write->exchange, &answer);
            final = nkv_lane_is_final(&answer);
            if (answer.reason == NKV_REASON_SESSION_UNKNOWN &&
                write->sends == 1)
                write->refused = true;
        }
        if (final)
            nkv_write_finish(write, &answer);
        else
            nkv_exchange_revive(&write->exchange, 0);
        nkv_answer_clear(&answer);
    }
}

void nkv_lane_fit(struct nkv_lane *lane)
{
    const struct nkv_host_session *session = &lane->client->session;
    lane->is_same = session->session == lane->session &&
                    session->device.boot_id == lane->boot_id;
    lane->session = session->session;
    lane->boot_id = session->device.boot_id;
    lane->applied = session->last_seq;
    lane->is_settling = true;
    sort_out(lane);
    for (struct nkv_write *write = lane->first; write != NULL;
         write = write->next) {
        if (nkv_write_is_flying(write) && !lane->is_same && write->sends > 0 &&
            !write->refused)
            write->ambiguous = true;
    }
}

/* Settles the plain ones that must not be repeated: a later mutation has
 * written the key since. Then the plain one, being before it in order, was done
 * before it; done again, it would undo the later one. */
static void drop_superseded(struct nkv_lane *lane)
{
    for (struct nkv_write *write = lane->first; write != NULL;
         write = write->next) {
        if (nkv_write_is_flying(write) && write->ambiguous &&
            !write->mutation.conditional && look_behind(write).done)
            nkv_write_decide(write, NKV_OK, NKV_REASON_NONE);
    }
}

/* Settles the conditional ones that must not be repeated blindly. False: a key
 * is being read. */
static bool judge_all(struct nkv_lane *lane)
{
    if (lane->get != NULL && !lane->get->task.ended && lane->judged != NULL)
        return false;
    if (lane->get != NULL)
        finish_judging(lane);
    for (struct nkv_write *write = lane->first; write != NULL;
         write = write->next) {
        if (!nkv_write_is_flying(write) || !write->ambiguous ||
            !write->mutation.conditional)
            continue;
        /* Where a later one is done, it was decided before that one, and the
         * key tells of that one only. */
        if (!look_behind(write).done && begin_judging(lane, write))
            return false;
        lane->judged = NULL;
        apply_verdict(write, VERDICT_UNKNOWN);
    }
    return true;
}

static void renumber(struct nkv_lane *lane)
{
    for (struct nkv_write *write = lane->first; write != NULL;
         write = write->next) {
        /* Numbers wrap. */
        bool is_new = write->seq - lane->applied - 1 < UINT32_MAX / 2;
        if (nkv_write_is_flying(write) &&
            (!lane->is_same || is_new || write->renumber) &&
            !nkv_write_renumber(write))
            nkv_task_fail(&write->task, nkv_host_no_memory);
    }
}

bool nkv_lane_settle(struct nkv_lane *lane)
{
    if (!judge_all(lane))
        return false;
    /* What turned out to be done supersedes, too: so after judging. */
    drop_superseded(lane);
    renumber(lane);
    lane->is_settling = false;
    return true;
}
