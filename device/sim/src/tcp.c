#include "tcp.h"
#include "report.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct address {
    char host[64];
    char port[8];
};

static bool is_port(const char *text)
{
    size_t size = strlen(text);
    unsigned value = 0;

    if (size == 0 || size > 5 || strspn(text, "0123456789") != size)
        return false;
    for (; *text != '\0'; text++)
        value = value * 10 + (unsigned)(*text - '0');
    return value <= 65535;
}

static bool split(const char *text, struct address *address)
{
    const char *colon = strrchr(text, ':');
    const char *port = colon != NULL ? colon + 1 : text;
    const char *host = "127.0.0.1";
    size_t size = strlen(host);

    if (colon != NULL && colon != text) {
        host = text;
        size = (size_t)(colon - text);
        if (size > 2 && text[0] == '[' && text[size - 1] == ']') {
            host++;
            size -= 2;
        } else if (memchr(text, ':', size) != NULL) {
            return false;
        }
    }
    if (!is_port(port) || size >= sizeof address->host)
        return false;
    memcpy(address->host, host, size);
    address->host[size] = '\0';
    memcpy(address->port, port, strlen(port) + 1);
    return true;
}

/* A socket that listens at one of the addresses, or -1 with errno set. */
static int listen_at(const struct addrinfo *found)
{
    int fd = -1;
    int one = 1;

    for (; found != NULL && fd < 0; found = found->ai_next) {
        fd = socket(found->ai_family,
                    found->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
            continue;
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (bind(fd, found->ai_addr, found->ai_addrlen) != 0 ||
            listen(fd, 8) != 0) {
            int error = errno;

            close(fd);
            fd = -1;
            errno = error;
        }
    }
    return fd;
}

static bool name_port(struct nkv_tcp *tcp)
{
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    struct address address;
    bool has_colons;

    if (getsockname(tcp->fd, (struct sockaddr *)&bound, &size) != 0 ||
        getnameinfo((struct sockaddr *)&bound, size, address.host,
                    sizeof address.host, address.port, sizeof address.port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return false;
    has_colons = strchr(address.host, ':') != NULL;
    (void)snprintf(tcp->port, sizeof tcp->port,
                   has_colons ? "tcp:[%s]:%s" : "tcp:%s:%s", address.host,
                   address.port);
    return true;
}

bool nkv_tcp_is_address(const char *text)
{
    struct address address;

    return split(text, &address);
}

bool nkv_tcp_listen(struct nkv_tcp *tcp, const char *text)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    struct address address;
    int error = EAI_NONAME;

    tcp->fd = -1;
    if (split(text, &address))
        error = getaddrinfo(address.host, address.port, &hints, &found);
    if (error != 0) {
        nkv_sim_say("--tcp %s: no such host: %s", text, gai_strerror(error));
        return false;
    }
    tcp->fd = listen_at(found);
    freeaddrinfo(found);
    if (tcp->fd < 0 || !name_port(tcp)) {
        nkv_sim_say("--tcp %s: cannot listen there: %s", text, strerror(errno));
        nkv_tcp_close(tcp);
        return false;
    }
    return true;
}

int nkv_tcp_accept(const struct nkv_tcp *tcp)
{
    int one = 1;
    int fd = accept4(tcp->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    /* Answers are small and awaited. */
    if (fd >= 0)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

void nkv_tcp_refuse(const struct nkv_tcp *tcp)
{
    static const char text[] = "norkv-sim: another client is connected\r\n";
    int fd = nkv_tcp_accept(tcp);

    if (fd < 0)
        return;
    if (write(fd, text, sizeof text - 1) > 0)
        (void)shutdown(fd, SHUT_WR);
    close(fd);
}

void nkv_tcp_close(struct nkv_tcp *tcp)
{
    if (tcp->fd >= 0)
        close(tcp->fd);
    tcp->fd = -1;
}
