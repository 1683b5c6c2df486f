/*
 * Pseudoterminals: a simulator or a bridge is at the other end. They have no
 * control lines and no line rate.
 */
#include "transport.h"

#include <errno.h>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

enum nkv_status nkv_pty_open(const struct nkv_port_request *request,
                             struct nkv_client_transport *transport,
                             struct nkv_text *why)
{
    int fd = open(request->path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return nkv_port_explain(request->path, errno, why);
    enum nkv_status status = nkv_port_lock(request, fd, why);
    if (status != NKV_OK) {
        close(fd);
        return status;
    }
    if (nkv_tty_make_raw(fd) != NKV_OK) {
        status = nkv_port_explain(request->path, errno, why);
        close(fd);
        return status;
    }
    /* Answers to a client that is gone. */
    tcflush(fd, TCIFLUSH);
    status = nkv_fd_transport(fd, transport);
    transport->baud = request->baud;
    return status;
}
