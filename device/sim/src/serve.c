#include "serve.h"
#include "clock.h"
#include "pty.h"
#include "report.h"
#include "tcp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    /* The server wants to be polled again after this time, at the most... */
    QUIET_NS = 110 * NKV_NS_PER_MS,
    /* ...until it has said this often that there is nothing to do: a cut frame
     * is given up within that time. */
    QUIET_POLLS = 3
};

enum place { PLACE_STOP, PLACE_PTY, PLACE_TCP_CLIENT, PLACE_TCP, PLACES };

struct lines {
    struct nkv_pty pty;
    struct nkv_station pty_station;
    bool has_pty;
    struct nkv_tcp tcp;
    struct nkv_station tcp_station;
    bool has_tcp;
    int stop_fd;
};

static bool open_station(struct nkv_station *station,
                         const struct nkv_station_setup *setup)
{
    enum nkv_status status = nkv_station_open(station, setup);

    if (status == NKV_OK)
        return true;
    nkv_sim_say("cannot start the server: %s", nkv_status_name(status));
    return false;
}

static bool open_pty(struct lines *lines, const char *link,
                     const struct nkv_station_setup *setup)
{
    int own;

    if (!open_station(&lines->pty_station, setup) ||
        !nkv_pty_open(&lines->pty, link))
        return false;
    /* The station closes its own descriptor. */
    own = dup(lines->pty.master);
    if (own < 0) {
        nkv_sim_say("cannot open a pseudo terminal: %s", strerror(errno));
        return false;
    }
    nkv_line_attach(&lines->pty_station.line, own);
    lines->has_pty = true;
    return true;
}

static bool open_tcp(struct lines *lines, const char *address,
                     const struct nkv_station_setup *setup)
{
    if (!open_station(&lines->tcp_station, setup))
        return false;
    lines->has_tcp = true;
    return nkv_tcp_listen(&lines->tcp, address);
}

static bool open_lines(struct lines *lines,
                       const struct nkv_sim_options *options,
                       const struct nkv_station_setup *setup)
{
    *lines = (struct lines){
        .pty = {.master = -1, .slave = -1},
        .pty_station.line.fd = -1,
        .tcp.fd = -1,
        .tcp_station.line.fd = -1,
        .stop_fd = setup->stop_fd,
    };
    if (options->pty && !open_pty(lines, options->link, setup))
        return false;
    return options->tcp == NULL || open_tcp(lines, options->tcp, setup);
}

static void close_lines(struct lines *lines)
{
    nkv_station_close(&lines->pty_station);
    nkv_pty_close(&lines->pty);
    nkv_station_close(&lines->tcp_station);
    nkv_tcp_close(&lines->tcp);
}

/* Who started it waits for this. */
static bool announce(const struct lines *lines)
{
    if (lines->has_pty)
        (void)printf("listening on %s\n", nkv_pty_port(&lines->pty));
    if (lines->has_tcp)
        (void)printf("listening on %s\n", lines->tcp.port);
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return true;
    nkv_sim_say("cannot tell the port on standard output: %s; give it a "
                "terminal, a pipe, a file or /dev/null",
                strerror(errno));
    return false;
}

/* The next TCP client takes the place of one that has gone. */
static void welcome(struct lines *lines)
{
    struct nkv_line *line = &lines->tcp_station.line;
    int fd;

    if (line->fd >= 0) {
        if (!nkv_line_is_closing(line))
            nkv_tcp_refuse(&lines->tcp);
        return;
    }
    fd = nkv_tcp_accept(&lines->tcp);
    if (fd >= 0)
        nkv_line_attach(line, fd);
}

/* True: the line's server may go on. */
static bool after_poll(struct nkv_station *station, const struct pollfd *entry)
{
    bool was_sending = nkv_line_is_sending(&station->line);

    nkv_line_after_poll(&station->line, entry);
    return entry->revents != 0 ||
           (was_sending && !nkv_line_is_sending(&station->line));
}

/* Waits for something to happen; true: something did. */
static bool wait_for_events(struct lines *lines, int64_t timeout_ns)
{
    struct nkv_line *client = &lines->tcp_station.line;
    struct pollfd entries[PLACES];
    bool any;

    entries[PLACE_STOP] =
        (struct pollfd){.fd = lines->stop_fd, .events = POLLIN};
    nkv_line_before_poll(&lines->pty_station.line, &entries[PLACE_PTY],
                         &timeout_ns);
    nkv_line_before_poll(client, &entries[PLACE_TCP_CLIENT], &timeout_ns);
    /* A client that has gone keeps the next one waiting until all it sent was
     * read and answered. */
    entries[PLACE_TCP] = (struct pollfd){
        .fd =
            client->fd >= 0 && nkv_line_is_closing(client) ? -1 : lines->tcp.fd,
        .events = POLLIN,
    };
    any = nkv_poll_ns(entries, PLACES, timeout_ns) > 0;
    if (after_poll(&lines->pty_station, &entries[PLACE_PTY]))
        any = true;
    if (after_poll(&lines->tcp_station, &entries[PLACE_TCP_CLIENT]))
        any = true;
    if (entries[PLACE_TCP].revents != 0)
        welcome(lines);
    return any;
}

static bool is_stopping(const struct lines *lines)
{
    struct pollfd stop = {.fd = lines->stop_fd, .events = POLLIN};

    return poll(&stop, 1, 0) != 0;
}

/* A server waits until its answers have left, as one with a UART does; the
 * other line's goes on. */
static bool poll_server(struct nkv_station *station)
{
    return !nkv_line_is_sending(&station->line) &&
           nkv_server_poll(&station->server);
}

/* A client that sends no more may still wait for what runs. */
static void hang_up_if_done(struct nkv_station *station, bool more)
{
    const struct nkv_line *line = &station->line;

    if (line->gone || (line->ended && !more && !nkv_line_is_sending(line)))
        nkv_station_hang_up(station);
}

static bool poll_servers(struct lines *lines)
{
    bool more = false;

    if (lines->has_pty)
        more = poll_server(&lines->pty_station);
    if (lines->has_tcp) {
        bool more_tcp = poll_server(&lines->tcp_station);

        hang_up_if_done(&lines->tcp_station, more_tcp);
        more = more || more_tcp;
    }
    return more;
}

static void loop(struct lines *lines)
{
    int quiet = 0;

    while (!is_stopping(lines)) {
        bool more = poll_servers(lines);
        int64_t timeout_ns = -1;

        quiet = more ? 0 : quiet + 1;
        if (more)
            timeout_ns = 0;
        else if (quiet < QUIET_POLLS)
            timeout_ns = QUIET_NS;
        if (wait_for_events(lines, timeout_ns))
            quiet = 0;
    }
}

bool nkv_serve(const struct nkv_sim_options *options,
               const struct nkv_station_setup *setup)
{
    struct lines lines;
    bool is_open = open_lines(&lines, options, setup) && announce(&lines);

    if (is_open)
        loop(&lines);
    close_lines(&lines);
    return is_open;
}
