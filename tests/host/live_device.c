#define _GNU_SOURCE
#include "live_device.h"

#include "machine.h"
#include "test.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

static size_t read_fd(void *context, uint8_t *to, size_t capacity)
{
    struct nkv_live_device *live = context;
    ssize_t size = live->fd < 0 ? -1 : read(live->fd, to, capacity);
    if (size == 0 && live->listener >= 0) {
        close(live->fd);
        live->fd = -1;
        nkv_server_disconnect(&live->device.server);
    }
    if (size <= 0 || atomic_load(&live->silent))
        return 0;
    return (size_t)size;
}

static enum nkv_status write_fd(void *context, const uint8_t *from, size_t size)
{
    struct nkv_live_device *live = context;
    while (size > 0 && live->fd >= 0 && !atomic_load(&live->stop)) {
        struct pollfd item = {.fd = live->fd, .events = POLLOUT};
        (void)poll(&item, 1, 10);
        ssize_t count = live->listener >= 0
                            ? send(live->fd, from, size, MSG_NOSIGNAL)
                            : write(live->fd, from, size);
        if (count < 0 && errno != EAGAIN && errno != EINTR)
            return NKV_UNAVAILABLE;
        from += count > 0 ? count : 0;
        size -= count > 0 ? (size_t)count : 0;
    }
    return size == 0 ? NKV_OK : NKV_UNAVAILABLE;
}

static uint32_t read_clock(void *context)
{
    (void)context;
    return (uint32_t)nkv_machine_ms();
}

static void take_connection(struct nkv_live_device *live)
{
    int on = 1;
    if (live->fd >= 0 || live->listener < 0)
        return;
    live->fd =
        accept4(live->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (live->fd >= 0)
        (void)setsockopt(live->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void *run(void *context)
{
    struct nkv_live_device *live = context;
    while (!atomic_load(&live->stop)) {
        struct pollfd item = {.events = POLLIN};
        take_connection(live);
        item.fd = live->fd >= 0 ? live->fd : live->listener;
        bool more = nkv_server_poll(&live->device.server);
        /* A pseudoterminal that nobody has open reports a hang-up at once. */
        if (!more && poll(&item, 1, 5) > 0 && (item.revents & POLLHUP) != 0)
            usleep(2000);
    }
    return NULL;
}

static void start(struct nkv_live_device *live)
{
    nkv_bench_init(&live->bench, 1);
    nkv_real_device_init(&live->device, &live->bench, NULL);
    live->device.config.stream = (struct nkv_byte_stream){
        .context = live, .read = read_fd, .write = write_fd};
    live->device.config.now_ms = read_clock;
    assert_int_equal(
        nkv_server_init(&live->device.server, &live->device.config), NKV_OK);
    assert_int_equal(pthread_create(&live->thread, NULL, run, live), 0);
    live->is_running = true;
}

void nkv_live_device_start_pty(struct nkv_live_device *live)
{
    struct termios mode;
    memset(live, 0, sizeof(*live));
    live->listener = -1;
    live->fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    assert_true(live->fd >= 0);
    assert_int_equal(grantpt(live->fd), 0);
    assert_int_equal(unlockpt(live->fd), 0);
    assert_int_equal(ptsname_r(live->fd, live->port, sizeof(live->port)), 0);
    assert_int_equal(tcgetattr(live->fd, &mode), 0);
    cfmakeraw(&mode);
    assert_int_equal(tcsetattr(live->fd, TCSANOW, &mode), 0);
    start(live);
}

void nkv_live_device_start_tcp(struct nkv_live_device *live)
{
    struct nkv_loopback loopback;
    nkv_loopback_listen(&loopback, SOCK_NONBLOCK | SOCK_CLOEXEC, 4);
    memset(live, 0, sizeof(*live));
    live->fd = -1;
    live->listener = loopback.fd;
    memcpy(live->port, loopback.port, sizeof(live->port));
    start(live);
}

void nkv_live_device_unplug(struct nkv_live_device *live)
{
    if (!live->is_running)
        return;
    atomic_store(&live->stop, true);
    pthread_join(live->thread, NULL);
    live->is_running = false;
    if (live->fd >= 0)
        close(live->fd);
    if (live->listener >= 0)
        close(live->listener);
    live->fd = -1;
    live->listener = -1;
}

void nkv_live_device_end(struct nkv_live_device *live)
{
    nkv_live_device_unplug(live);
    nkv_real_device_free(&live->device);
    nkv_bench_free(&live->bench);
}
