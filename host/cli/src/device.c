#include "device.h"

#include "clock.h"
#include "reopen.h"
#include "shell_port.h"

#include "text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For -v: two lines a frame, what it means and its bytes. */
static void trace(void *context, const struct nkv_client_trace *frame)
{
    FILE *to = context;

    fprintf(to, "%s %" PRIu64 ".%03u s  %s\n  ", frame->sent ? ">" : "<",
            frame->time_ms / 1000, (unsigned)(frame->time_ms % 1000),
            frame->meaning);
    for (size_t i = 0; i < frame->bytes.size; i++) {
        fprintf(to, " %02x", frame->bytes.data[i]);
    }
    fputc('\n', to);
}

const struct nkv_device_store *
nkv_chosen_store(const struct nkv_options *options,
                 const struct nkv_device *device)
{
    for (size_t i = 0; i < device->store_count; i++) {
        const struct nkv_device_store *it = &device->stores[i];

        if (options->store_name != NULL
                ? strcmp(it->name, options->store_name) == 0
                : it->number == options->store) {
            return it;
        }
    }
    return NULL;
}

static uint32_t timeout_of(const struct nkv_options *options,
                           uint32_t timeout_ms)
{
    return options->timeout_ms > 0 ? options->timeout_ms : timeout_ms;
}

static enum nkv_exit fail_to_find(enum nkv_status status, const char *why)
{
    if (status == NKV_OK) {
        return nkv_fail_for_memory();
    }
    if (status == NKV_NOT_FOUND) {
        return nkv_fail(NKV_EXIT_FAILED, "%s: is the device plugged in?", why);
    }
    if (status == NKV_FAILED_PRECONDITION) {
        return nkv_fail(NKV_EXIT_FAILED,
                        "%s: say more, or name one with --port; "
                        "/dev/serial/by-id has names that last",
                        why);
    }
    return nkv_fail(NKV_EXIT_USAGE,
                    "%s: give --port PORT, --serial-number SN or --vid-pid "
                    "VVVV:PPPP, or set NORKV_PORT",
                    why);
}

/* Sets *name to the port that the options mean; free it. */
static enum nkv_exit find_port(const struct nkv_options *options, char **name)
{
    char why[NKV_PORTS_WHY_SIZE];
    const struct nkv_port *port;
    struct nkv_port *ports;
    enum nkv_status status;
    size_t count;

    if (nkv_ports_list(&ports, &count) != NKV_OK) {
        return nkv_fail(NKV_EXIT_FAILED,
                        "cannot list the serial ports: is /sys there, and may "
                        "it be read? --port PORT needs no list");
    }
    status = nkv_ports_find(ports, count, &options->choice, &port, why);
    if (status == NKV_OK) {
        *name = strdup(port->name);
    }
    nkv_ports_free(ports, count);
    if (*name != NULL) {
        return NKV_EXIT_DONE;
    }
    return fail_to_find(status, why);
}

static bool has_choice(const struct nkv_options *options)
{
    return nkv_given(options, NKV_OPTION_SERIAL_NUMBER) ||
           nkv_given(options, NKV_OPTION_VID_PID);
}

enum nkv_exit nkv_name_port(const struct nkv_options *options, char **name)
{
    *name = NULL;
    if (has_choice(options) && nkv_given(options, NKV_OPTION_PORT)) {
        return nkv_fail(NKV_EXIT_USAGE,
                        "--port names the port already: leave out "
                        "--serial-number and --vid-pid");
    }
    if (has_choice(options) || options->port == NULL ||
        options->port[0] == '\0') {
        return find_port(options, name);
    }
    *name = strdup(options->port);
    return *name != NULL ? NKV_EXIT_DONE : nkv_fail_for_memory();
}

static enum nkv_exit open_port(const char *port,
                               const struct nkv_client_options *how,
                               struct nkv_client **client)
{
    enum nkv_status status = nkv_client_open(port, how, client);

    if (status == NKV_OK) {
        return NKV_EXIT_DONE;
    }
    if (*client == NULL) {
        return nkv_fail_for_memory();
    }
    nkv_fail(NKV_EXIT_FAILED, "%s", nkv_client_error(*client));
    nkv_client_free(client);
    return status == NKV_INVALID_ARGUMENT ? NKV_EXIT_USAGE : NKV_EXIT_FAILED;
}

/* For -v: boot messages and the like; the trace has the logs. */
static void show_text(void *context, const struct nkv_client_remark *remark)
{
    char *line = malloc(NKV_ESCAPE_SIZE(remark->text.size));

    if (!remark->is_log && line != NULL) {
        fprintf(context, "< %" PRIu64 ".%03u s  text: %s\n",
                remark->time_ms / 1000, (unsigned)(remark->time_ms % 1000),
                nkv_escape(remark->text, line));
    }
    free(line);
}

static void fill(const struct nkv_options *options,
                 struct nkv_client_options *how)
{
    how->baud = options->baud;
    how->dtr = options->dtr;
    how->rts = options->rts;
    how->client_name = "norkv";
    if (!nkv_given(options, NKV_OPTION_VERBOSE)) {
        return;
    }
    how->trace = trace;
    how->trace_context = stderr;
    if (how->remark == NULL) {
        how->remark = show_text;
        how->remark_context = stderr;
    }
}

/* The port that the options choose now; free it. NULL: it is not there. */
static char *choose_again(const struct nkv_options *options)
{
    char why[NKV_PORTS_WHY_SIZE];
    const struct nkv_port *port;
    struct nkv_port *ports;
    size_t count;
    char *name = NULL;

    if (nkv_ports_list(&ports, &count) != NKV_OK) {
        return NULL;
    }
    if (nkv_ports_find(ports, count, &options->choice, &port, why) == NKV_OK) {
        name = strdup(port->name);
    }
    nkv_ports_free(ports, count);
    return name;
}

/* In sh: a port that was chosen by what it is may have another name now. */
static enum nkv_status try_shell_port(const struct nkv_options *options,
                                      const struct nkv_client_options *how,
                                      struct nkv_client **client,
                                      char why[NKV_CLIENT_WHY_SIZE])
{
    struct nkv_shell_port *port = options->shell_port;
    char *name = NULL;

    nkv_shell_port_look(port);
    (void)nkv_shell_port_drop_lost(port);
    if (nkv_shell_port_was_lost(port) && has_choice(options)) {
        name = choose_again(options);
    }
    if (name != NULL) {
        free(port->name);
        port->name = name;
    }
    return nkv_shell_port_connect(port, how, client, why);
}

struct shell_attempt {
    const struct nkv_options *options;
    struct nkv_client_options *how;
    struct nkv_client **client;
    uint64_t end_ms;
    enum nkv_status status;
    char why[NKV_CLIENT_WHY_SIZE];
};

static bool connects(void *context)
{
    struct shell_attempt *attempt = context;

    if (attempt->how->limit_ms != 0) {
        attempt->how->limit_ms = nkv_left_ms(attempt->end_ms);
    }
    attempt->status = try_shell_port(attempt->options, attempt->how,
                                     attempt->client, attempt->why);
    return attempt->status == NKV_OK;
}

/* A port that was lost is waited for. */
static enum nkv_exit connect_in_shell(const struct nkv_options *options,
                                      struct nkv_client_options *how,
                                      struct nkv_client **client)
{
    struct shell_attempt attempt = {
        .options = options,
        .how = how,
        .client = client,
        .end_ms = nkv_now_ms() +
                  (how->limit_ms != 0 ? how->limit_ms : how->deadline_ms),
    };
    bool was_lost;

    nkv_shell_port_look(options->shell_port);
    was_lost = nkv_shell_port_was_lost(options->shell_port);
    if (connects(&attempt)) {
        return NKV_EXIT_DONE;
    }
    if (was_lost && attempt.status != NKV_INVALID_ARGUMENT) {
        fprintf(stderr, "norkv: %s: waiting for the port\n",
                options->shell_port->name);
        if (nkv_await_port(attempt.end_ms, connects, &attempt)) {
            return NKV_EXIT_DONE;
        }
    }
    return nkv_fail(attempt.status == NKV_INVALID_ARGUMENT ? NKV_EXIT_USAGE
                                                           : NKV_EXIT_FAILED,
                    "%s: %s", options->shell_port->name, attempt.why);
}

enum nkv_exit nkv_connect_as(const struct nkv_options *options,
                             struct nkv_client_options *how,
                             struct nkv_client **client)
{
    char *port;
    enum nkv_exit code;

    *client = NULL;
    fill(options, how);
    if (options->shell_port != NULL) {
        return connect_in_shell(options, how, client);
    }
    code = nkv_name_port(options, &port);
    if (code != NKV_EXIT_DONE) {
        return code;
    }
    code = open_port(port, how, client);
    free(port);
    if (code == NKV_EXIT_DONE && nkv_given(options, NKV_OPTION_VERBOSE) &&
        nkv_client_hint(*client)[0] != '\0') {
        fprintf(stderr, "norkv: %s: %s\n", nkv_client_port(*client),
                nkv_client_hint(*client));
    }
    return code;
}

enum nkv_exit nkv_connect(const struct nkv_options *options,
                          uint32_t timeout_ms, struct nkv_client **client)
{
    struct nkv_client_options how = {
        .deadline_ms = timeout_of(options, timeout_ms),
        .limit_ms = timeout_of(options, timeout_ms),
    };

    return nkv_connect_as(options, &how, client);
}

enum nkv_status nkv_reconnect(const struct nkv_options *options,
                              const char *port, uint32_t limit_ms,
                              struct nkv_client **client)
{
    struct nkv_client_options how = {
        .deadline_ms = limit_ms,
        .limit_ms = limit_ms,
    };
    char why[NKV_CLIENT_WHY_SIZE];
    enum nkv_status status = NKV_NOT_FOUND;
    char *name;

    *client = NULL;
    if (options->shell_port != NULL) {
        fill(options, &how);
        return try_shell_port(options, &how, client, why);
    }
    name = has_choice(options) ? choose_again(options) : strdup(port);
    if (name != NULL) {
        fill(options, &how);
        status = nkv_client_open(name, &how, client);
        free(name);
    }
    return status;
}

struct nkv_call_options nkv_call_of(const struct nkv_options *options,
                                    uint32_t timeout_ms)
{
    return (struct nkv_call_options){
        .store = options->store,
        .store_name = options->store_name,
        .deadline_ms = timeout_of(options, timeout_ms),
    };
}

enum nkv_exit nkv_fail_key(const struct nkv_client *client, struct nkv_span key,
                           enum nkv_status status)
{
    bool no_key =
        status == NKV_NOT_FOUND && nkv_client_reason(client) == NKV_REASON_NONE;

    return nkv_fail(no_key ? NKV_EXIT_KEY_NOT_FOUND : NKV_EXIT_FAILED, "%s%s",
                    nkv_client_error(client),
                    no_key ? nkv_shown_hint(key) : "");
}

enum nkv_exit nkv_fail_call(const struct nkv_client *client,
                            enum nkv_status status)
{
    return nkv_fail_key(client, (struct nkv_span){NULL, 0}, status);
}

enum nkv_exit nkv_fail_transfer(const struct nkv_client *client,
                                enum nkv_status status)
{
    if (status != NKV_UNIMPLEMENTED) {
        return nkv_fail_call(client, status);
    }
    return nkv_fail(NKV_EXIT_FAILED,
                    "%s: 'norkv ls' and 'norkv get' read its keys, 'norkv "
                    "apply' and 'norkv put' write them",
                    nkv_client_error(client));
}
