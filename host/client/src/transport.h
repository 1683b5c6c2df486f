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

/*
 * Waits until fd is ready for events (POLLIN, POLLOUT) or has failed.
 *
 * - NKV_DEADLINE_EXCEEDED: it is not, after timeout_ms.
 * - NKV_INTERNAL: poll itself failed; errno says why.
 */
NKV_MUST_USE enum nkv_status nkv_fd_wait(int fd, short events,
                                         uint32_t timeout_ms);

/* Makes a transport of a file descriptor that does not block. close closes it.
 * - NKV_INTERNAL: no memory; fd is closed. */
NKV_MUST_USE enum nkv_status
nkv_fd_transport(int fd, struct nkv_client_transport *transport);

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

/* Adds " by NAME (process 123)" to a text, or " by another program" if the
 * process that uses the port at path cannot be found. */
void nkv_port_add_holder(const char *path, struct nkv_text *why);

/* Whether path, without symbolic links, is a pseudoterminal's. */
bool nkv_port_is_pty(const char *path);

#endif
