/* Mutations: sent in order, several in flight, each applied once. */
#include "lane.h"

#include <stdlib.h>

/* So often the device may lose the thread without a single answer in between.
 */
enum { RECOVERIES_MAX = 16 };

/* ---- Answers ----------------------------------------------------------- */

void nkv_lane_lose(struct nkv_lane *lane)
{
    lane->client->session.stale = true;
}

/* The same for what the device has said. */
static void lose_there(struct nkv_lane *lane)
{
    lane->recoveries++;
    nkv_lane_lose(lane);
}

static struct nkv_write *find_seq(const struct nkv_lane *lane, uint32_t seq)
{
    struct nkv_write *write = lane->first;
    while (write != NULL && (!nkv_write_is_flying(write) || write->seq != seq))
        write = write->next;
    return write;
}

/* The device misses a mutation before this one: it was lost on the line. That
 * one goes first, and this one behind it. */
static void close_gap(struct nkv_lane *lane, struct nkv_write *write,
                      uint32_t next_seq)
{
    uint64_t now = nkv_link_now(&lane->client->link);
    struct nkv_write *missing = find_seq(lane, next_seq);
    if (missing == NULL || missing == write) {
        lose_there(lane);
        return;
    }
    /* Frames keep their order: what was sent before this one, and is missing,
     * will not come. One that waits for its turn already (attempts is 0) sets
     * the time. */
    bool was_lost = missing->order < write->order && !missing->exchange.done;
    if (was_lost && missing->exchange.attempts > 0)
        nkv_exchange_revive(&missing->exchange, now);
    uint64_t later =
        missing->exchange.attempts == 0 ? missing->exchange.resend_at : now;
    nkv_exchange_revive(&write->exchange, later);
}

/* An answer that does not decide: what must be done before another comes. */
static void take_undecided(struct nkv_lane *lane, struct nkv_write *write,
                           const struct nkv_answer *answer)
{
    const Norkv__V1__WriteResponse *response = (const void *)answer->message;
    switch (answer->reason) {
    case NKV_REASON_SEQ_GAP:
        close_gap(lane, write, response->next_seq);
        break;
    case NKV_REASON_SESSION_UNKNOWN:
        lose_there(lane);
        break;
    case NKV_REASON_SEQ_TOO_OLD:
        write->ambiguous = true;
        write->renumber = true;
        lose_there(lane);
        break;
    case NKV_REASON_SEQ_REUSED:
        write->renumber = true;
        lose_there(lane);
        break;
    default:
        write->task.was_busy = true;
        nkv_exchange_defer(lane->client, &write->exchange,
                           write->exchange.busy_count++);
        break;
    }
}

static void take_answers(struct nkv_lane *lane)
{
    for (struct nkv_write *write = lane->first;
         write != NULL && !lane->client->session.stale; write = write->next) {
        struct nkv_answer answer;
        if (!nkv_write_is_flying(write) || !write->exchange.done)
            continue;
        nkv_exchange_answer(&write->exchange, &answer);
        if (nkv_lane_is_final(&answer))
            nkv_write_finish(write, &answer);
        else
            take_undecided(lane, write, &answer);
        nkv_answer_clear(&answer);
    }
}

/* Of a line that is dead: nothing can be asked any more, but what was done was
 * done. */
static void take_last_answers(struct nkv_lane *lane)
{
    for (struct nkv_write *write = lane->first; write != NULL;
         write = write->next) {
        struct nkv_answer answer;
        if (!nkv_write_is_flying(write) || !write->exchange.done)
            continue;
        nkv_exchange_answer(&write->exchange, &answer);
        if (nkv_lane_is_final(&answer))
            nkv_write_finish(write, &answer);
        nkv_answer_clear(&answer);
    }
}

/* ---- The session ------------------------------------------------------- */

static void abandon_all(struct nkv_lane *lane,
                        enum nkv_status (*fail)(struct nkv_client *client))
{
    for (struct nkv_write *write = lane->first; write != NULL;
         write = write->next) {
        if (!write->task.ended)
            nkv_task_fail(&write->task, fail);
    }
}

static enum nkv_status fail_forgetful(struct nkv_client *client)
{
    return nkv_host_fail(client, NKV_UNAVAILABLE,
                         "the device forgets the session again and again");
}

static void open_session(struct nkv_lane *lane)
{
    if (lane->recoveries > RECOVERIES_MAX) {
        lane->recoveries = 0;
        abandon_all(lane, fail_forgetful);
        return;
    }
    nkv_opening_join(lane->client, &lane->ticket);
}

static void tell_busy(struct nkv_lane *lane)
{
    bool is_busy = lane->client->opening.exchange.busy_count > 0;
    for (struct nkv_write *write = lane->first; write != NULL && is_busy;
         write = write->next)
        write->task.was_busy = true;
}

/* Whether the session is open, and the numbers are its. */
static bool is_session_ready(struct nkv_lane *lane)
{
    struct nkv_client *client = lane->client;
    if (lane->ticket.joined) {
        if (nkv_opening_poll(client, &lane->ticket) == NKV_STEP_WAITS) {
            tell_busy(lane);
            return false;
        }
        bool worked = nkv_opening_worked(client, &lane->ticket);
        nkv_opening_leave(client, &lane->ticket);
        if (!worked)
            abandon_all(lane, nkv_opening_fail);
        if (!worked)
            return false;
    }
    /* Whoever opens it: where the session is, is told when that has ended. */
    if (client->opening.running)
        return false;
    if (!client->session.open || client->session.stale) {
        open_session(lane);
        return false;
    }
    if (lane->fitted != client->opening.succeeded) {
        lane->fitted = client->opening.succeeded;
        nkv_lane_fit(lane);
    }
    return !lane->is_settling || nkv_lane_settle(lane);
}

/* ---- Sending ----------------------------------------------------------- */

static enum nkv_step send_write(struct nkv_lane *lane, struct nkv_write *write)
{
    enum nkv_step step = nkv_exchange_try_send(lane->client, &write->exchange);
    if (step == NKV_STEP_DONE) {
        write->sends++;
        write->refused = false;
        write->order = ++lane->order;
    }
    return step;
}

/* Sends again what is due. False: not all of it could be sent. */
static bool send_due(struct nkv_lane *lane)
{
    struct nkv_client *client = lane->client;
    for (struct nkv_write *write = lane->first; write != NULL;
         write = write->next) {
        struct nkv_exchange *exchange = &write->exchange;
        uint64_t now = nkv_link_now(&client->link);
        if (!nkv_write_is_flying(write) || exchange->done)
            continue;
        if (nkv_link_is_sending(&client->link, exchange->call_id))
            exchange->resend_at = now + exchange->timer_ms;
        if (now < exchange->resend_at)
            continue;
        if (nkv_exchange_is_hopeless(client, exchange)) {
            abandon_all(lane, nkv_host_fail_silent);
            return false;
        }
        enum nkv_step step = send_write(lane, write);
        if (step == NKV_STEP_NO_MEMORY)
            nkv_task_fail(&write->task, nkv_host_no_memory);
        if (step != NKV_STEP_DONE)
            return false;
    }
    return true;
}

/* Whether a mutation can be asked of this device at all; if not, it is over. */
static bool is_possible(struct nkv_write *write)
{
    struct nkv_client *client = write->task.client;
    const struct nkv_device *device = &client->session.device;
    const struct nkv_mutation *mutation = &write->mutation;
    struct nkv_scope scope;
    nkv_task_enter(&write->task, &scope);
    bool has_store = nkv_host_check_store(client) == NKV_OK;
    nkv_task_leave(&write->task, &scope);
    if (mutation->kind != NKV_MUTATION_PUT &&
        mutation->kind != NKV_MUTATION_DELETE)
        nkv_write_decide(write, NKV_INVALID_ARGUMENT, NKV_REASON_NONE);
    else if (!has_store)
        nkv_write_decide(write, NKV_INVALID_ARGUMENT, NKV_REASON_NO_SUCH_STORE);
    else if (mutation->key.size == 0 || mutation->key.size > device->max_key)
        nkv_write_decide(write, NKV_INVALID_ARGUMENT, NKV_REASON_BAD_KEY);
    else if (mutation->value.size > NKV_CLIENT_VALUE_SIZE_MAX)
        nkv_write_decide(write, NKV_INVALID_ARGUMENT,
                         NKV_REASON_VALUE_TOO_LARGE);
    return !write->task.ended;
}

/* Sends a mutation for the first time, under the session's next number, if
 * there is room. Otherwise it has none yet. */
static enum nkv_step launch(struct nkv_lane *lane, struct nkv_write *write)
{
    struct nkv_client *client = lane->client;
    enum nkv_method_number method = write->mutation.kind == NKV_MUTATION_PUT
                                        ? NKV_METHOD_PUT
                                        : NKV_METHOD_DELETE;
    if (!nkv_write_pack(write, client->session.last_seq + 1))
        return NKV_STEP_NO_MEMORY;
    if (write->exchange.method == NULL)
        nkv_exchange_begin(client, &write->exchange, method,
                           write->exchange.request);
    if (write->exchange.size > client->session.device.max_frame) {
        nkv_write_decide(write, NKV_INVALID_ARGUMENT,
                         NKV_REASON_VALUE_TOO_LARGE);
        return NKV_STEP_DONE;
    }
    enum nkv_step step = send_write(lane, write);
    if (step == NKV_STEP_DONE) {
        write->numbered = true;
        client->session.last_seq++;
    }
    return step;
}

/* The device keeps max_calls answers: a number further ahead would push out the
 * answer to the oldest that may have to be asked for again. The oldest need not
 * be the first: one that was given a new number is behind those that kept
 * theirs. */
static bool may_launch(const struct nkv_lane *lane)
{
    const struct nkv_host_session *session = &lane->client->session;
    for (const struct nkv_write *write = lane->first; write != NULL;
         write = write->next) {
        if (nkv_write_is_flying(write) &&
            session->last_seq + 1 - write->seq >= session->device.max_calls)
            return false;
    }
    return true;
}

static void launch_all(struct nkv_lane *lane)
{
    for (struct nkv_write *write = lane->first;
         write != NULL && may_launch(lane); write = write->next) {
        if (write->numbered || write->task.ended || !is_possible(write))
            continue;
        enum nkv_step step = launch(lane, write);
        if (step == NKV_STEP_NO_MEMORY)
            nkv_task_fail(&write->task, nkv_host_no_memory);
        if (step != NKV_STEP_DONE)
            return;
    }
}

/* ---- Turns ------------------------------------------------------------- */

/* Forgets those that have ended, but behind one that has not. */
static void purge(struct nkv_lane *lane)
{
    while (lane->first != NULL && lane->first->task.ended) {
        struct nkv_write *write = lane->first;
        lane->first = write->next;
        write->in_lane = false;
        if (write->is_released)
            nkv_write_release(write);
    }
}

void nkv_lane_step(struct nkv_client *client)
{
    struct nkv_lane *lane = client->lane;
    if (lane == NULL)
        return;
    purge(lane);
    if (lane->first == NULL)
        nkv_opening_leave(client, &lane->ticket);
    if (client->link.dead)
        take_last_answers(lane);
    if (lane->first == NULL || client->link.dead)
        return;
    /* Answers to what was sent in an earlier session are looked at in fitting.
     */
    if (!lane->is_settling && !client->session.stale &&
        lane->fitted == client->opening.succeeded)
        take_answers(lane);
    if (is_session_ready(lane) && send_due(lane))
        launch_all(lane);
    purge(lane);
}

void nkv_lane_free(struct nkv_client *client)
{
    struct nkv_lane *lane = client->lane;
    if (lane == NULL)
        return;
    nkv_opening_leave(client, &lane->ticket);
    if (lane->get != NULL)
        nkv_get_release(lane->get);
    purge(lane);
    free(lane);
    client->lane = NULL;
}
