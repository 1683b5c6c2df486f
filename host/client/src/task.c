/* Giving calls their turns, and telling how they ended. */
#include "task.h"

#include "lane.h"
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* How long a line that takes nothing is waited for at a time: what arrives
     * meanwhile must be read. */
    FLUSH_MS = 20,
    /* Reads of one nkv_client_process: a line that never ends is no reason not
     * to return. */
    READS_MAX = 64
};

/* ---- Beginning and ending --------------------------------------------- */

void nkv_task_enter(struct nkv_task *task, struct nkv_scope *scope)
{
    *scope = (struct nkv_scope){
        .call_name = &task->call_name,
        .error_text = &task->error,
        .store = task->store,
        .store_name = task->store_name,
        .deadline_at = task->deadline_at,
        .begun_at = task->begun_at,
        .heard_before = task->heard_before,
        .reason = task->reason,
    };
    nkv_host_swap_scope(task->client, scope);
}

void nkv_task_leave(struct nkv_task *task, struct nkv_scope *scope)
{
    nkv_host_swap_scope(task->client, scope);
    task->reason = scope->reason;
    /* A store's name has become its number. */
    task->store = scope->store;
}

static void append(struct nkv_task **list, struct nkv_task *task)
{
    while (*list != NULL)
        list = &(*list)->next;
    task->next = NULL;
    *list = task;
}

static void begin(struct nkv_client *client, struct nkv_task *task)
{
    task->client = client;
    task->number = ++client->task_number;
    task->heard_before = client->link.heard;
    task->begun_at = nkv_link_now(&client->link);
    client->has_news = true;
    append(&client->tasks, task);
}

enum nkv_status nkv_task_start(struct nkv_client *client, struct nkv_task *task,
                               const struct nkv_call_options *call,
                               const char *name, const struct nkv_span *key)
{
    struct nkv_scope scope;
    enum nkv_status status = NKV_OK;
    task->client = client;
    nkv_task_enter(task, &scope);
    nkv_host_name_call(client, name, key);
    if (client->is_closing)
        status = nkv_host_fail(client, NKV_FAILED_PRECONDITION,
                               "the client is being closed");
    else
        status = nkv_host_check_open(client);
    if (status == NKV_OK && call != NULL && call->store_name != NULL) {
        task->own_store_name = strdup(call->store_name);
        if (task->own_store_name == NULL)
            status = nkv_host_no_memory(client);
    }
    nkv_task_leave(task, &scope);
    if (status != NKV_OK) {
        if (!client->is_calling_back)
            client->error = task->error;
        return status;
    }
    begin(client, task);
    task->store = call == NULL ? 0 : call->store;
    task->store_name = task->own_store_name;
    task->deadline_at = nkv_host_deadline(client, call);
    return NKV_OK;
}

void nkv_task_start_within(struct nkv_client *client, struct nkv_task *task)
{
    task->call_name = *client->call_name;
    begin(client, task);
    task->is_awaited = true;
    task->store = client->store;
    task->store_name = client->store_name;
    task->deadline_at = client->deadline_at;
    task->begun_at = client->begun_at;
    task->heard_before = client->heard_before;
}

void nkv_task_end(struct nkv_task *task, enum nkv_status status)
{
    struct nkv_client *client = task->client;
    struct nkv_task **link = &client->tasks;
    if (task->ended)
        return;
    task->ended = true;
    task->status = status;
    client->has_news = true;
    while (*link != task)
        link = &(*link)->next;
    *link = task->next;
    task->next = NULL;
    task->kind->stop(task, status);
    if (!task->is_awaited)
        append(&client->ended, task);
}

void nkv_task_fail(struct nkv_task *task,
                   enum nkv_status (*fail)(struct nkv_client *client))
{
    struct nkv_scope scope;
    nkv_task_enter(task, &scope);
    enum nkv_status status = fail(task->client);
    nkv_task_leave(task, &scope);
    nkv_task_end(task, status);
}

/* ---- Turns ------------------------------------------------------------ */

static enum nkv_status fail_cancelled(struct nkv_client *client)
{
    return nkv_host_fail(client, NKV_CANCELLED, "cancelled");
}

static enum nkv_status fail_closed(struct nkv_client *client)
{
    return nkv_host_fail(client, NKV_CANCELLED, "the client was closed");
}

static void step_task(struct nkv_task *task)
{
    const struct nkv_link *link = &task->client->link;
    struct nkv_scope scope;
    if (task->is_unwanted) {
        nkv_task_fail(task, fail_cancelled);
        return;
    }
    /* What has come by now counts. */
    if (task->kind->step != NULL) {
        nkv_task_enter(task, &scope);
        task->kind->step(task);
        nkv_task_leave(task, &scope);
    }
    if (!task->ended && link->dead)
        nkv_task_fail(task, nkv_host_fail_dead);
    else if (!task->ended && nkv_link_now(link) >= task->deadline_at)
        nkv_task_fail(task,
                      task->was_busy ? nkv_host_fail_busy : nkv_host_fail_late);
}

static void step_tasks(struct nkv_client *client)
{
    struct nkv_task *next;
    for (struct nkv_task *task = client->tasks; task != NULL; task = next) {
        next = task->next;
        step_task(task);
    }
}

/* Those that wait for room take turns at being the first. */
static void step_all(struct nkv_client *client)
{
    client->has_news = false;
    client->stepped_at = nkv_link_now(&client->link);
    client->is_stepping = true;
    client->lane_first = !client->lane_first;
    nkv_host_send_farewells(client);
    nkv_opening_step(client);
    /* On a dead line what has come is told before the rest is given up. */
    bool lane_first = client->lane_first || client->link.dead;
    if (lane_first)
        nkv_lane_step(client);
    step_tasks(client);
    if (!lane_first)
        nkv_lane_step(client);
    client->is_stepping = false;
}

/* Callbacks may start and cancel calls, so that more have ended behind them;
 * those are told the next time. */
static void deliver(struct nkv_client *client)
{
    struct nkv_task *next;
    struct nkv_task *task = client->ended;
    client->ended = NULL;
    for (; task != NULL; task = next) {
        struct nkv_client_outcome outcome = {
            .status = task->status,
            .reason = task->status == NKV_OK ? NKV_REASON_NONE : task->reason,
            .error = task->status == NKV_OK ? "" : task->error.text,
        };
        next = task->next;
        client->is_calling_back = true;
        task->kind->deliver(task, &outcome);
        client->is_calling_back = false;
        free(task->own_store_name);
        task->kind->release(task);
    }
}

static uint64_t earlier(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

/* When there is something to do though nothing has arrived. */
static uint64_t due_at(const struct nkv_client *client)
{
    if (client->has_news || client->ended != NULL)
        return nkv_link_now(&client->link);
    uint64_t due = UINT64_MAX;
    for (const struct nkv_exchange *exchange = client->exchanges;
         exchange != NULL; exchange = exchange->next)
        due = earlier(due, nkv_exchange_due(client, exchange));
    for (const struct nkv_task *task = client->tasks; task != NULL;
         task = task->next)
        due = earlier(due, task->deadline_at);
    return due;
}

static enum nkv_status wait_for_line(struct nkv_client *client,
                                     uint64_t until_ms)
{
    struct nkv_link *link = &client->link;
    enum nkv_status status = NKV_OK;
    if (!nkv_link_is_ready(link)) {
        uint64_t now = nkv_link_now(link);
        status = nkv_link_flush(link, earlier(until_ms, now + FLUSH_MS));
        until_ms = nkv_link_now(link);
    }
    if (status == NKV_OK)
        status = nkv_link_poll(link, until_ms);
    nkv_window_turn(client);
    return status;
}

enum nkv_status nkv_task_turn(struct nkv_client *client, uint64_t until_ms)
{
    step_all(client);
    deliver(client);
    enum nkv_status status =
        wait_for_line(client, earlier(until_ms, due_at(client)));
    if (status != NKV_OK) {
        step_all(client);
        deliver(client);
    }
    return status;
}

enum nkv_status nkv_task_wait(struct nkv_task *task)
{
    struct nkv_client *client = task->client;
    while (!task->ended) {
        enum nkv_status status = nkv_task_turn(client, UINT64_MAX);
        /* Then the task has ended. */
        (void)status;
    }
    client->reason = task->reason;
    client->store = task->store;
    if (task->status != NKV_OK)
        *client->error_text = task->error;
    return task->status;
}

void nkv_task_end_all(struct nkv_client *client)
{
    client->is_closing = true;
    while (client->tasks != NULL)
        nkv_task_fail(client->tasks, fail_closed);
    while (client->ended != NULL)
        deliver(client);
}

/* ---- The public side -------------------------------------------------- */

int nkv_client_fd(const struct nkv_client *client, short *events)
{
    const struct nkv_client_transport *transport = &client->link.transport;
    *events = nkv_link_is_ready(&client->link) ? POLLIN : POLLIN | POLLOUT;
    if (transport->close == NULL || transport->descriptor == NULL ||
        client->link.dead)
        return -1;
    return transport->descriptor(transport->context);
}

int nkv_client_timeout_ms(const struct nkv_client *client)
{
    uint64_t now = nkv_link_now(&client->link);
    uint64_t due = due_at(client);
    if (due == UINT64_MAX)
        return -1;
    if (due <= now)
        return 0;
    return due - now > INT_MAX ? INT_MAX : (int)(due - now);
}

static enum nkv_status take_arrived(struct nkv_client *client)
{
    enum nkv_status status = NKV_OK;
    for (int i = 0; i < READS_MAX && status == NKV_OK; i++) {
        uint64_t before = client->link.counters.bytes_received;
        status = nkv_link_poll(&client->link, 0);
        if (client->link.counters.bytes_received == before)
            break;
    }
    nkv_window_turn(client);
    return status;
}

enum nkv_status nkv_client_process(struct nkv_client *client)
{
    if (client->is_calling_back || client->is_closing)
        return NKV_FAILED_PRECONDITION;
    enum nkv_status status = nkv_host_check_open(client);
    if (status == NKV_OK)
        status = take_arrived(client);
    if (status == NKV_OK)
        status = nkv_link_flush(&client->link, 0);
    step_all(client);
    deliver(client);
    if (status == NKV_OK && client->link.dead)
        status = NKV_UNAVAILABLE;
    return status;
}

enum nkv_status nkv_client_cancel(struct nkv_client *client, uint64_t call)
{
    struct nkv_task *task = client->tasks;
    while (task != NULL && (task->number != call || task->is_awaited))
        task = task->next;
    if (task == NULL || task->is_unwanted)
        return NKV_NOT_FOUND;
    if (client->is_stepping) {
        task->is_unwanted = true;
        client->has_news = true;
    } else {
        nkv_task_fail(task, fail_cancelled);
    }
    return NKV_OK;
}
