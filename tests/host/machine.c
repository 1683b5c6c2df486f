#include "machine.h"

#include "test.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

uint64_t nkv_machine_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void nkv_loopback_listen(struct nkv_loopback *loopback, int flags, int backlog)
{
    struct sockaddr *generic = (struct sockaddr *)(void *)&loopback->address;
    socklen_t size = sizeof(loopback->address);
    loopback->address = (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    loopback->fd = socket(AF_INET, SOCK_STREAM | flags, 0);
    assert_true(loopback->fd >= 0);
    assert_int_equal(bind(loopback->fd, generic, size), 0);
    assert_int_equal(listen(loopback->fd, backlog), 0);
    assert_int_equal(getsockname(loopback->fd, generic, &size), 0);
    snprintf(loopback->port, sizeof(loopback->port), "tcp:127.0.0.1:%u",
             (unsigned)ntohs(loopback->address.sin_port));
    for (int i = 0; i < NKV_LOOPBACK_FILLERS; i++)
        loopback->fillers[i] = -1;
}

void nkv_loopback_fill(struct nkv_loopback *loopback)
{
    struct sockaddr *generic = (struct sockaddr *)(void *)&loopback->address;
    for (int i = 0; i < NKV_LOOPBACK_FILLERS; i++) {
        loopback->fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(loopback->fillers[i], generic, sizeof(loopback->address));
    }
}

void nkv_loopback_close(struct nkv_loopback *loopback)
{
    for (int i = 0; i < NKV_LOOPBACK_FILLERS; i++) {
        if (loopback->fillers[i] >= 0)
            close(loopback->fillers[i]);
    }
    close(loopback->fd);
}
