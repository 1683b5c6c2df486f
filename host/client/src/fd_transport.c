/* Reading and writing a file descriptor that does not block. */
#include "transport.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

uint64_t nkv_clock_ms(void *context)
{
    (void)context;
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint32_t nkv_ms_left(uint64_t now_ms, uint64_t until_ms)
{
    if (until_ms <= now_ms)
        return 0;
    uint64_t left = until_ms - now_ms;
    return left > UINT32_MAX ? UINT32_MAX : (uint32_t)left;
}

enum nkv_status nkv_fd_wait(int fd, short events, uint32_t timeout_ms)
{
    struct pollfd item = {.fd = fd, .events = events};
    int timeout = timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms;
    int count = poll(&item, 1, timeout);
    if (count > 0)
        return NKV_OK;
    /* An interrupted wait is a short one: callers watch their deadlines. */
    if (count == 0 || errno == EINTR)
        return NKV_DEADLINE_EXCEEDED;
    return NKV_INTERNAL;
}

static int descriptor(const void *context)
{
    const int *fd = context;
    return *fd;
}

/* What a read or write that gave -1 means. */
static enum nkv_status failure(void)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        return NKV_DEADLINE_EXCEEDED;
    return NKV_UNAVAILABLE;
}

static enum nkv_status fd_read(void *context, struct nkv_buffer to,
                               uint32_t timeout_ms, size_t *size)
{
    int fd = descriptor(context);
    enum nkv_status status = nkv_fd_wait(fd, POLLIN, timeout_ms);
    if (status != NKV_OK)
        return status;
    ssize_t count = read(fd, to.data, to.capacity);
    if (count < 0)
        return failure();
    if (count == 0) {
        errno = 0;
        return NKV_UNAVAILABLE;
    }
    *size = (size_t)count;
    return NKV_OK;
}

static enum nkv_status fd_write(void *context, struct nkv_span bytes,
                                uint32_t timeout_ms, size_t *size)
{
    int fd = descriptor(context);
    enum nkv_status status = nkv_fd_wait(fd, POLLOUT, timeout_ms);
    if (status != NKV_OK)
        return status;
    ssize_t count = write(fd, bytes.data, bytes.size);
    if (count <= 0)
        return failure();
    *size = (size_t)count;
    return NKV_OK;
}

static int fd_descriptor(void *context)
{
    return descriptor(context);
}

void nkv_fd_close(void *context)
{
    close(descriptor(context));
    free(context);
}

enum nkv_status nkv_fd_transport(int fd, struct nkv_client_transport *transport)
{
    int *context = malloc(sizeof(*context));
    if (context == NULL) {
        close(fd);
        return NKV_INTERNAL;
    }
    *context = fd;
    *transport = (struct nkv_client_transport){
        .read = fd_read,
        .write = fd_write,
        .close = nkv_fd_close,
        .descriptor = fd_descriptor,
        .context = context,
    };
    return NKV_OK;
}
