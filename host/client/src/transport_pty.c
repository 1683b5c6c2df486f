/*
 * Pseudoterminals: a simulator or a bridge is at the other end. libserialport
 * takes none, because they have no modem lines and no place in sysfs.
 */
#include "transport.h"

#include <errno.h>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

/* Bytes pass as they are: no echo, no line editing, no signals, no XON. */
static enum nkv_status make_raw(int fd)
{
    struct termios mode;
    if (tcgetattr(fd, &mode) != 0)
        return NKV_INTERNAL;
    cfmakeraw(&mode);
    mode.c_iflag &= ~(tcflag_t)(IXON | IXOFF | IXANY);
    mode.c_cflag |= CLOCAL | CREAD;
    mode.c_cc[VMIN] = 1;
    mode.c_cc[VTIME] = 0;
    if (tcsetattr(fd, TCSANOW, &mode) != 0)
        return NKV_INTERNAL;
    return NKV_OK;
}

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
    if (make_raw(fd) != NKV_OK) {
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
