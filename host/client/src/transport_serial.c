/* Real serial ports, through libserialport. */
#include "transport.h"

#include <errno.h>
#include <libserialport.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

struct serial {
    struct sp_port *port;
    int fd;
};

/* libserialport's failure as an errno value, for nkv_port_explain. */
static int error_number(enum sp_return result)
{
    /* The file is there, but sysfs knows no serial port of its name. */
    if (result == SP_ERR_ARG)
        return ENOTTY;
    if (result == SP_ERR_MEM)
        return ENOMEM;
    if (result == SP_ERR_SUPP)
        return ENOTSUP;
    int error = sp_last_error_code();
    return error != 0 ? error : EIO;
}

static enum nkv_status serial_read(void *context, struct nkv_buffer to,
                                   uint32_t timeout_ms, size_t *size)
{
    const struct serial *serial = context;
    enum nkv_status status = nkv_fd_wait(serial->fd, POLLIN, timeout_ms);
    if (status != NKV_OK)
        return status;
    enum sp_return count =
        sp_nonblocking_read(serial->port, to.data, to.capacity);
    if (count > 0) {
        *size = (size_t)count;
        return NKV_OK;
    }
    /* Readable and empty: the line hung up. */
    errno = count == 0 ? 0 : error_number(count);
    return NKV_UNAVAILABLE;
}

static enum nkv_status serial_write(void *context, struct nkv_span bytes,
                                    uint32_t timeout_ms, size_t *size)
{
    const struct serial *serial = context;
    enum nkv_status status = nkv_fd_wait(serial->fd, POLLOUT, timeout_ms);
    if (status != NKV_OK)
        return status;
    enum sp_return count =
        sp_nonblocking_write(serial->port, bytes.data, bytes.size);
    if (count == 0)
        return NKV_DEADLINE_EXCEEDED;
    if (count < 0) {
        errno = error_number(count);
        return NKV_UNAVAILABLE;
    }
    *size = (size_t)count;
    return NKV_OK;
}

static void serial_close(void *context)
{
    struct serial *serial = context;
    (void)ioctl(serial->fd, TIOCNXCL);
    sp_close(serial->port);
    sp_free_port(serial->port);
    free(serial);
}

/* 8 data bits, no parity, 1 stop bit, no flow control: frames use all bytes. */
static enum sp_return configure(struct sp_port *port, uint32_t baud)
{
    enum sp_return result = sp_set_baudrate(port, (int)baud);
    if (result == SP_OK)
        result = sp_set_bits(port, 8);
    if (result == SP_OK)
        result = sp_set_parity(port, SP_PARITY_NONE);
    if (result == SP_OK)
        result = sp_set_stopbits(port, 1);
    if (result == SP_OK)
        result = sp_set_flowcontrol(port, SP_FLOWCONTROL_NONE);
    return result;
}

/* Locks and sets up an open port; fills serial->fd. */
static enum nkv_status prepare(struct serial *serial,
                               const struct nkv_port_request *request,
                               struct nkv_text *why)
{
    enum sp_return result = sp_get_port_handle(serial->port, &serial->fd);
    if (result != SP_OK)
        return nkv_port_explain(request->path, error_number(result), why);
    enum nkv_status status = nkv_port_lock(request, serial->fd, why);
    if (status != NKV_OK)
        return status;
    /* Keeps out those who ask for no lock. */
    (void)ioctl(serial->fd, TIOCEXCL);
    result = configure(serial->port, request->baud);
    if (result != SP_OK) {
        nkv_text_add(why, "cannot set %lu baud, 8N1: %s",
                     (unsigned long)request->baud,
                     strerror(error_number(result)));
        return NKV_INVALID_ARGUMENT;
    }
    (void)sp_flush(serial->port, SP_BUF_INPUT);
    return NKV_OK;
}

static enum nkv_status open_port(struct serial *serial,
                                 const struct nkv_port_request *request,
                                 struct nkv_text *why)
{
    enum sp_return result = sp_get_port_by_name(request->path, &serial->port);
    if (result != SP_OK)
        return nkv_port_explain(request->path, error_number(result), why);
    result = sp_open(serial->port, SP_MODE_READ_WRITE);
    if (result != SP_OK) {
        enum nkv_status status =
            nkv_port_explain(request->path, error_number(result), why);
        sp_free_port(serial->port);
        return status;
    }
    enum nkv_status status = prepare(serial, request, why);
    if (status != NKV_OK) {
        sp_close(serial->port);
        sp_free_port(serial->port);
    }
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
    struct serial *serial = calloc(1, sizeof(*serial));
    if (serial == NULL)
        return NKV_INTERNAL;
    enum nkv_status status = open_port(serial, request, why);
    if (status != NKV_OK) {
        free(serial);
        return status;
    }
    *transport = (struct nkv_client_transport){
        .read = serial_read,
        .write = serial_write,
        .close = serial_close,
        .context = serial,
        .baud = request->baud,
    };
    return NKV_OK;
}
