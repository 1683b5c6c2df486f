/*
 * The transports that the library brings, each a file of its own behind the
 * public vtable. Each opens a port and fills *transport, or says in *why what
 * hinders it, for a person who can do something about it.
 */
#ifndef NORKV_HOST_TRANSPORT_H
#define NORKV_HOST_TRANSPORT_H

#include "text.h"
#include <norkv/client.h>

/* What to open. */
struct nkv_port_request {
    /* As the user gave it. */
    const char *port;
    /* The device's path without symbolic links; of tcp: HOST:PORT. */
    const char *path;
    uint32_t baud;
    uint32_t timeout_ms;
    /* Of a serial port; the others have no such lines. */
    enum nkv_line_state dtr;
    enum nkv_line_state rts;
    /* Where sysfs is; NULL: /sys. */
    const char *sysfs;
    /* Set to what could be better at a port that was opened. May be NULL. */
    struct nkv_text *hint;
};

/* Chooses the transport by the port's name. Statuses as nkv_client_open. */
NKV_MUST_USE enum nkv_status
nkv_port_open(const struct nkv_port_request *request,
              struct nkv_client_transport *transport, struct nkv_text *why);

NKV_MUST_USE enum nkv_status
nkv_serial_open(const struct nkv_port_request *request,
                struct nkv_client_transport *transport, struct nkv_text *why);

NKV_MUST_USE enum nkv_status
nkv_pty_open(const struct nkv_port_request *request,
             struct nkv_client_transport *transport, struct nkv_text *why);

NKV_MUST_USE enum nkv_status
nkv_tcp_open(const struct nkv_port_request *request,
             struct nkv_client_transport *transport, struct nkv_text *why);

/* The system's monotonic clock, as a transport's now_ms. */
uint64_t nkv_clock_ms(void *context);

/* Milliseconds from now until then: 0 when that has passed, and UINT32_MAX when
 * they are more. */
uint32_t nkv_ms_left(uint64_t now_ms, uint64_t until_ms);

/*
 * Waits until fd is ready for events (POLLIN, POLLOUT) or has failed.
 *
 * - NKV_DEADLINE_EXCEEDED: it is not, after timeout_ms.
 * - NKV_INTERNAL: poll itself failed; errno says why.
 */
NKV_MUST_USE enum nkv_status nkv_fd_wait(int fd, short events,
                                         uint32_t timeout_ms);

/* A tty passes bytes as they are: 8 data bits, no parity, 1 stop bit, nothing
 * translated, echoed, edited or held back, and its control lines stay as they
 * are when it is closed. NKV_INTERNAL: it does not; errno says why. */
NKV_MUST_USE enum nkv_status nkv_tty_make_raw(int fd);

/*
 * Sets a tty's speed both ways; *got is what its driver made of it.
 *
 * - NKV_OUT_OF_RANGE: something else, too far off to be understood.
 * - NKV_INTERNAL: errno says why.
 */
NKV_MUST_USE enum nkv_status nkv_tty_set_speed(int fd, uint32_t baud,
                                               uint32_t *got);

/* The speed that a tty's driver tells; and any speed set, without looking what
 * becomes of it. NKV_INTERNAL: errno says why. */
NKV_MUST_USE enum nkv_status nkv_tty_get_speed(int fd, uint32_t *baud);
NKV_MUST_USE enum nkv_status nkv_tty_set_other_speed(int fd, uint32_t baud);

/* Sets both control lines of a serial port in one step. NKV_INTERNAL: errno
 * says why. */
NKV_MUST_USE enum nkv_status nkv_tty_set_lines(int fd, enum nkv_line_state dtr,
                                               enum nkv_line_state rts);

/*
 * FTDI adapters hold bytes back, for 16 ms unless told otherwise. Asks the one
 * at request->path for 1 ms, over fd (which may be -1) and by sysfs. Adds to
 * *request->hint what is to be done where that is not permitted.
 */
void nkv_latency_timer_lower(const struct nkv_port_request *request, int fd);

/* Makes a transport of a file descriptor that does not block. close closes it.
 * - NKV_INTERNAL: no memory; fd is closed. */
NKV_MUST_USE enum nkv_status
nkv_fd_transport(int fd, struct nkv_client_transport *transport);

/* The close of such a transport. */
void nkv_fd_close(void *context);

/* Says in *why what errno value error means for a device that could not be
 * opened, and gives the status for it. */
NKV_MUST_USE enum nkv_status nkv_port_explain(const char *path, int error,
                                              struct nkv_text *why);

/*
 * Locks an open device for this process alone (flock), until it is closed. A
 * lock that nobody can be found to have is tried again for a while.
 *
 * - NKV_UNAVAILABLE: another process has it; *why names it if it can be found.
 */
NKV_MUST_USE enum nkv_status
nkv_port_lock(const struct nkv_port_request *request, int fd,
              struct nkv_text *why);

/* Says which process uses the port at path, as far as can be found, and what to
 * do about it. */
void nkv_port_explain_use(const char *path, struct nkv_text *why);

/* Whether path, without symbolic links, is a pseudoterminal's. */
bool nkv_port_is_pty(const char *path);

#endif
