/*
 * A TCP connection whose other end vanishes without a word: half-open. In a
 * network namespace of its own the test takes the loopback interface down, so
 * that nothing comes through any more, neither data nor a FIN nor a RST. The
 * times that the kernel waits are made short on their way to it; port_test.c
 * looks at those that the library asks for. Where namespaces are not allowed,
 * this is skipped (77).
 */
#define _GNU_SOURCE
#include "machine.h"
#include "test.h"
#include <dlfcn.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SKIPPED = 77,
    /* Instead of half a minute. */
    SHORT_SECONDS = 1,
    SHORT_MS = 1000,
    /* What would be waited for without any of it. */
    LONG_MS = 100000
};

/* The library's own, but for the times. */
int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
    static const int seconds = SHORT_SECONDS;
    static const int milliseconds = SHORT_MS;
    int (*next)(int, int, int, const void *, socklen_t) = NULL;
    void *symbol = dlsym(RTLD_NEXT, "setsockopt");
    memcpy(&next, &symbol, sizeof(next));
    if (level == IPPROTO_TCP && (name == TCP_KEEPIDLE || name == TCP_KEEPINTVL))
        value = &seconds;
    if (level == IPPROTO_TCP && name == TCP_USER_TIMEOUT)
        value = &milliseconds;
    return next(fd, level, name, value, size);
}

static bool set_loopback(bool is_up)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool good = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0;
    if (is_up)
        request.ifr_flags |= IFF_UP;
    else
        request.ifr_flags &= ~IFF_UP;
    good = good && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    if (fd >= 0)
        close(fd);
    return good;
}

/* A client and the other end of its line, on which nobody answers. */
struct line {
    struct nkv_client *client;
    struct nkv_loopback loopback;
    int peer;
};

static void connect_line(struct line *line)
{
    assert_true(set_loopback(true));
    nkv_loopback_listen(&line->loopback, SOCK_CLOEXEC, 1);
    assert_done(line->client,
                nkv_client_open(line->loopback.port, NULL, &line->client));
    line->peer = accept(line->loopback.fd, NULL, NULL);
    assert_true(line->peer >= 0);
}

static void end_line(struct line *line)
{
    nkv_client_free(&line->client);
    close(line->peer);
    nkv_loopback_close(&line->loopback);
}

/* What was sent is never acknowledged. */
static void a_call_ends_when_the_peer_has_vanished(void **state)
{
    (void)state;
    const struct nkv_call_options call = {.deadline_ms = LONG_MS};
    struct line line;
    connect_line(&line);
    assert_true(set_loopback(false));
    uint64_t begin_ms = nkv_machine_ms();
    assert_int_equal(
        nkv_client_put(line.client, &call, text_span("k"), text_span("v")),
        NKV_UNAVAILABLE);
    assert_says(line.client, "the port is gone");
    assert_true(nkv_machine_ms() - begin_ms < LONG_MS / 2);
    end_line(&line);
}

/* Nothing was sent, so that only probes can tell. */
static void waiting_ends_when_the_peer_has_vanished(void **state)
{
    (void)state;
    struct line line;
    connect_line(&line);
    assert_true(set_loopback(false));
    uint64_t begin_ms = nkv_machine_ms();
    assert_int_equal(nkv_client_listen(line.client, LONG_MS), NKV_UNAVAILABLE);
    assert_says(line.client, "the port is gone");
    assert_true(nkv_machine_ms() - begin_ms < LONG_MS / 2);
    end_line(&line);
}

static bool enter_namespace(void)
{
    return unshare(CLONE_NEWNET) == 0 ||
           unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_ends_when_the_peer_has_vanished),
        cmocka_unit_test(waiting_ends_when_the_peer_has_vanished),
    };
    if (!enter_namespace() || !set_loopback(true)) {
        printf("skipped: no network namespace: %s\n", strerror(errno));
        return SKIPPED;
    }
    return cmocka_run_group_tests_name("vanished_peer", tests, NULL, NULL);
}
