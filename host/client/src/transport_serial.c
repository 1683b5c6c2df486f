/*
 * Real serial ports. They are opened here and not by libserialport, whose
 * version 0.1.1 sets a port up before anybody can lock it, has the control
 * lines dropped at closing (HUPCL), which resets many a board at the next
 * opening, and cannot turn RTS/CTS flow control off.
 */
#include "transport.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static void serial_close(void *context)
{
    const int *fd = context;
    (void)ioctl(*fd, TIOCNXCL);
    nkv_fd_close(context);
}

static enum nkv_status set_speed(const struct nkv_port_request *request, int fd,
                                 struct nkv_text *why)
{
    uint32_t got = request->baud;
    enum nkv_status status = nkv_tty_set_speed(fd, request->baud, &got);
    if (status == NKV_OUT_OF_RANGE)
        nkv_text_add(why,
                     "the port cannot do %lu baud; the nearest that it offers "
                     "is %lu",
                     (unsigned long)request->baud, (unsigned long)got);
    else if (status != NKV_OK)
        nkv_text_add(why, "cannot set %lu baud: %s",
                     (unsigned long)request->baud, strerror(errno));
    return status == NKV_OK ? NKV_OK : NKV_INVALID_ARGUMENT;
}

static enum nkv_status set_up(const struct nkv_port_request *request, int fd,
                              struct nkv_text *why)
{
    int lines;
    /* A virtual console, say. */
    if (ioctl(fd, TIOCMGET, &lines) != 0)
        return nkv_port_explain(request->path, ENOTTY, why);
    if (nkv_tty_make_raw(fd) != NKV_OK) {
        nkv_text_add(why, "cannot set 8N1 without flow control: %s",
                     strerror(errno));
        return NKV_INVALID_ARGUMENT;
    }
    enum nkv_status status = set_speed(request, fd, why);
    if (status != NKV_OK)
        return status;
    if (nkv_tty_set_lines(fd, request->dtr, request->rts) != NKV_OK) {
        nkv_text_add(why, "cannot set DTR and RTS: %s", strerror(errno));
        return NKV_INVALID_ARGUMENT;
    }
    /* Answers to a client that is gone. */
    (void)tcflush(fd, TCIFLUSH);
    return NKV_OK;
}

/* Nothing of the port changes before it is locked. */
static enum nkv_status prepare(const struct nkv_port_request *request, int fd,
                               struct nkv_text *why)
{
    enum nkv_status status = nkv_port_lock(request, fd, why);
    if (status != NKV_OK)
        return status;
    /* Keeps out those who ask for no lock. */
    (void)ioctl(fd, TIOCEXCL);
    status = set_up(request, fd, why);
    if (status != NKV_OK)
        (void)ioctl(fd, TIOCNXCL);
    return status;
}

enum nkv_status nkv_serial_open(const struct nkv_port_request *request,
                                struct nkv_client_transport *transport,
                                struct nkv_text *why)
{
    if (request->baud > INT_MAX) {
        nkv_text_add(why, "no such baud rate");
        return NKV_INVALID_ARGUMENT;
    }
    int fd = open(request->path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return nkv_port_explain(request->path, errno, why);
    enum nkv_status status = prepare(request, fd, why);
    if (status != NKV_OK) {
        close(fd);
        return status;
    }
    nkv_latency_timer_lower(request, fd);
    status = nkv_fd_transport(fd, transport);
    transport->close = serial_close;
    transport->baud = request->baud;
    return status;
}
