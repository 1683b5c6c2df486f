/* TCP: simulators, and bridges that serve a serial line like ser2net. */
#include "transport.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct address {
    char host[256];
    char port[16];
};

/* Takes HOST:PORT or [HOST]:PORT apart. */
static bool split(const char *text, struct address *address)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text || colon[1] == '\0')
        return false;
    size_t size = (size_t)(colon - text);
    if (text[0] == '[') {
        if (size < 3 || text[size - 1] != ']')
            return false;
        text++;
        size -= 2;
    } else if (memchr(text, ':', size) != NULL) {
        return false;
    }
    if (size >= sizeof(address->host) ||
        strlen(colon + 1) >= sizeof(address->port) ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1))
        return false;
    memcpy(address->host, text, size);
    address->host[size] = '\0';
    memcpy(address->port, colon + 1, strlen(colon + 1) + 1);
    return true;
}

/* getaddrinfo takes larger ones, too, and connects to another port. */
static bool is_port(const char *digits)
{
    /* No more digits than a long holds: see split. */
    long number = strtol(digits, NULL, 10);
    return number >= 1 && number <= UINT16_MAX;
}

static uint32_t left_ms(uint64_t until_ms)
{
    return nkv_ms_left(nkv_clock_ms(NULL), until_ms);
}

/* Waits for a connection that is being made. 0 or an errno value. */
static int finish_connect(int fd, uint64_t until_ms)
{
    enum nkv_status status;
    uint32_t left;
    do {
        left = left_ms(until_ms);
        status = nkv_fd_wait(fd, POLLOUT, left);
    } while (status == NKV_DEADLINE_EXCEEDED && left > 0);
    if (status != NKV_OK)
        return ETIMEDOUT;
    int error = 0;
    socklen_t size = sizeof(error);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        return errno;
    return error;
}

static void set(int fd, int level, int name, int value)
{
    /* A line that lacks it works, too. */
    (void)setsockopt(fd, level, name, &value, sizeof(value));
}

/* Small frames must not wait for one another. An end that vanished without a
 * word, its cable pulled, is noticed within half a minute: by probes while
 * nothing is said, by the lack of acknowledgements otherwise. */
static void set_options(int fd)
{
    enum { IDLE_S = 15, PAUSE_S = 5, PROBES = 3, PATIENCE_MS = 30000 };
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(fd, IPPROTO_TCP, TCP_KEEPIDLE, IDLE_S);
    set(fd, IPPROTO_TCP, TCP_KEEPINTVL, PAUSE_S);
    set(fd, IPPROTO_TCP, TCP_KEEPCNT, PROBES);
    set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, PATIENCE_MS);
}

/* A connected socket, or -1 with *error set to an errno value. */
static int connect_to(const struct addrinfo *to, uint64_t until_ms, int *error)
{
    int fd =
        socket(to->ai_family, to->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
               to->ai_protocol);
    if (fd < 0) {
        *error = errno;
        return -1;
    }
    *error = connect(fd, to->ai_addr, to->ai_addrlen) == 0 ? 0 : errno;
    if (*error == EINPROGRESS)
        *error = finish_connect(fd, until_ms);
    if (*error == 0) {
        set_options(fd);
        return fd;
    }
    close(fd);
    return -1;
}

/* The same with the first of a name's addresses that takes it. The time that is
 * left is shared out: one that hangs must not use up that of those behind. */
static int connect_to_any(const struct addrinfo *list, uint64_t until_ms,
                          int *error)
{
    uint32_t count = 0;
    int fd = -1;
    for (const struct addrinfo *to = list; to != NULL; to = to->ai_next)
        count++;
    *error = ETIMEDOUT;
    for (const struct addrinfo *to = list; count > 0 && fd < 0;
         to = to->ai_next) {
        uint32_t left = left_ms(until_ms);
        if (left == 0)
            break;
        fd = connect_to(to, until_ms - left + left / count, error);
        count--;
    }
    return fd;
}

static enum nkv_status explain(int error, struct nkv_text *why)
{
    if (error == ECONNREFUSED) {
        nkv_text_add(why, "connection refused: nothing listens there; is the "
                          "simulator or the bridge running?");
        return NKV_UNAVAILABLE;
    }
    if (error == ETIMEDOUT) {
        nkv_text_add(why, "no connection in time");
        return NKV_DEADLINE_EXCEEDED;
    }
    nkv_text_add(why, "cannot connect: %s", strerror(error));
    return NKV_UNAVAILABLE;
}

static enum nkv_status socket_write(void *context, struct nkv_span bytes,
                                    uint32_t timeout_ms, size_t *size)
{
    const int *fd = context;
    enum nkv_status status = nkv_fd_wait(*fd, POLLOUT, timeout_ms);
    if (status != NKV_OK)
        return status;
    /* A peer that is gone is an error, not a signal. */
    ssize_t count = send(*fd, bytes.data, bytes.size, MSG_NOSIGNAL);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return NKV_DEADLINE_EXCEEDED;
    if (count < 0)
        return NKV_UNAVAILABLE;
    *size = (size_t)count;
    return NKV_OK;
}

enum nkv_status nkv_tcp_open(const struct nkv_port_request *request,
                             struct nkv_client_transport *transport,
                             struct nkv_text *why)
{
    struct address address;
    if (!split(request->path, &address)) {
        nkv_text_add(why, "not of the form tcp:HOST:PORT");
        return NKV_INVALID_ARGUMENT;
    }
    if (!is_port(address.port)) {
        nkv_text_add(why, "a TCP port is a number from 1 to 65535");
        return NKV_INVALID_ARGUMENT;
    }
    uint64_t until_ms = nkv_clock_ms(NULL) + request->timeout_ms;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int code = getaddrinfo(address.host, address.port, &hints, &list);
    if (code != 0) {
        nkv_text_add(why, "no such host: %s", gai_strerror(code));
        return NKV_NOT_FOUND;
    }
    int error;
    int fd = connect_to_any(list, until_ms, &error);
    freeaddrinfo(list);
    if (fd < 0)
        return explain(error, why);
    enum nkv_status status = nkv_fd_transport(fd, transport);
    transport->write = socket_write;
    transport->baud = request->baud;
    return status;
}
