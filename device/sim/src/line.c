#include "line.h"
#include "clock.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    BITS_PER_BYTE = 10,
    /* Bytes go in pieces of this time where they are shorter than it. */
    PIECE_NS = NKV_NS_PER_MS
};

/* How long bytes wait for room before they are lost. */
static const uint64_t room_wait_ns = 2 * (uint64_t)NKV_NS_PER_S;

void nkv_line_init(struct nkv_line *line, uint32_t baud)
{
    *line = (struct nkv_line){.fd = -1, .baud = baud};
}

void nkv_line_attach(struct nkv_line *line, int fd)
{
    nkv_line_init(line, line->baud);
    line->fd = fd;
}

void nkv_line_detach(struct nkv_line *line)
{
    if (line->fd >= 0)
        close(line->fd);
    nkv_send_queue_clear(&line->queue);
    nkv_line_init(line, line->baud);
}

static uint64_t duration_ns(const struct nkv_line *line, size_t bytes)
{
    return (uint64_t)bytes * BITS_PER_BYTE * NKV_NS_PER_S / line->baud;
}

/* Bytes that the descriptor holds. */
static size_t pending(const struct nkv_line *line)
{
    int count = 0;

    if (ioctl(line->fd, FIONREAD, &count) != 0 || count < 0)
        return 0;
    return (size_t)count;
}

/* Puts bytes that the other end has written since on the line, behind those
 * that are on it. */
static void notice_bytes(struct nkv_line *line, uint64_t now)
{
    size_t held = line->fd >= 0 ? pending(line) : 0;

    if (held <= line->noticed)
        return;
    if (line->receive_end_ns < now)
        line->receive_end_ns = now;
    line->receive_end_ns += duration_ns(line, held - line->noticed);
    line->noticed = held;
}

/* How many of count bytes, the last of which will have gone over the line at
 * end, have done so. */
static size_t passed(const struct nkv_line *line, size_t count, uint64_t end,
                     uint64_t now)
{
    uint64_t byte_ns = duration_ns(line, 1);
    uint64_t left;

    if (end <= now)
        return count;
    left = (end - now + byte_ns - 1) / byte_ns;
    return left < count ? count - (size_t)left : 0;
}

static size_t arrived(const struct nkv_line *line, uint64_t now)
{
    return passed(line, line->noticed, line->receive_end_ns, now);
}

/* How many of the bytes that wait may leave. */
static size_t due(const struct nkv_line *line, uint64_t now)
{
    if (line->baud == 0)
        return line->queue.size;
    return passed(line, line->queue.size, line->send_end_ns, now);
}

size_t nkv_line_read(void *context, uint8_t *to, size_t capacity)
{
    struct nkv_line *line = context;
    ssize_t size;

    if (line->fd < 0 || line->gone || line->ended)
        return 0;
    if (line->baud != 0) {
        uint64_t now = nkv_clock_ns();
        size_t ready;

        notice_bytes(line, now);
        ready = arrived(line, now);
        capacity = capacity < ready ? capacity : ready;
    }
    if (capacity == 0)
        return 0;
    size = read(line->fd, to, capacity);
    if (size == 0)
        line->ended = true;
    if (size < 0 && errno != EAGAIN && errno != EINTR)
        line->gone = true;
    if (size <= 0)
        return 0;
    if (line->baud != 0)
        line->noticed -= (size_t)size;
    return (size_t)size;
}

static enum nkv_status lose(struct nkv_line *line)
{
    nkv_send_queue_take(&line->queue, line->queue.size);
    line->blocked_ns = 0;
    line->send_end_ns = 0;
    return NKV_UNAVAILABLE;
}

/* There is no room. */
static enum nkv_status wait_for_room(struct nkv_line *line, uint64_t now)
{
    if (line->blocked_ns == 0)
        line->blocked_ns = now;
    if (!line->stuck && now - line->blocked_ns < room_wait_ns)
        return NKV_OK;
    line->stuck = true;
    return lose(line);
}

/* Sends what is due. NKV_UNAVAILABLE: what waits is lost. */
static enum nkv_status send_due(struct nkv_line *line)
{
    uint64_t now = nkv_clock_ns();
    size_t size = due(line, now);

    while (size > 0) {
        const uint8_t *from = line->queue.bytes + line->queue.start;
        ssize_t sent = write(line->fd, from, size);

        if (sent > 0) {
            line->stuck = false;
            line->blocked_ns = 0;
            nkv_send_queue_take(&line->queue, (size_t)sent);
            size -= (size_t)sent;
        } else if (sent < 0 && errno == EAGAIN) {
            return wait_for_room(line, now);
        } else if (sent == 0 || errno != EINTR) {
            return lose(line);
        }
    }
    return NKV_OK;
}

enum nkv_status nkv_line_write(void *context, const uint8_t *from, size_t size)
{
    struct nkv_line *line = context;
    uint64_t now = nkv_clock_ns();
    enum nkv_status status;

    if (line->fd < 0 || line->gone)
        return NKV_UNAVAILABLE;
    status = nkv_send_queue_add(&line->queue, from, size);
    if (status != NKV_OK)
        return status;
    if (line->baud != 0) {
        if (line->send_end_ns < now)
            line->send_end_ns = now;
        line->send_end_ns += duration_ns(line, size);
        return NKV_OK;
    }
    return send_due(line);
}

bool nkv_line_is_sending(const struct nkv_line *line)
{
    return line->queue.size > 0;
}

static void lower(int64_t *timeout_ns, uint64_t to)
{
    if (*timeout_ns < 0 || (uint64_t)*timeout_ns > to)
        *timeout_ns = (int64_t)to;
}

/* The time that a piece of count bytes takes, of which some have passed. */
static uint64_t piece_ns(const struct nkv_line *line, size_t count, size_t some)
{
    uint64_t byte_ns = duration_ns(line, 1);

    if (some > 0)
        return 0;
    return byte_ns < PIECE_NS && count > 1 ? PIECE_NS : byte_ns;
}

static void await_received(struct nkv_line *line, struct pollfd *entry,
                           int64_t *timeout_ns, uint64_t now)
{
    /* Nothing is read while sending. */
    if (!line->ended && !nkv_line_is_sending(line))
        entry->events = POLLIN | POLLRDHUP;
    if (line->baud == 0)
        return;
    notice_bytes(line, now);
    if (line->noticed == 0 || nkv_line_is_sending(line))
        return;
    /* The descriptor is ready before the line is. */
    entry->events = 0;
    lower(timeout_ns, piece_ns(line, line->noticed, arrived(line, now)));
}

static void await_sent(const struct nkv_line *line, struct pollfd *entry,
                       int64_t *timeout_ns, uint64_t now)
{
    uint64_t blocked = now - line->blocked_ns;

    if (line->queue.size == 0)
        return;
    if (line->blocked_ns != 0) {
        entry->events |= POLLOUT;
        lower(timeout_ns, blocked < room_wait_ns ? room_wait_ns - blocked : 0);
    } else {
        lower(timeout_ns, piece_ns(line, line->queue.size, due(line, now)));
    }
}

void nkv_line_before_poll(struct nkv_line *line, struct pollfd *entry,
                          int64_t *timeout_ns)
{
    uint64_t now = nkv_clock_ns();

    *entry = (struct pollfd){.fd = line->fd};
    if (line->fd < 0)
        return;
    await_received(line, entry, timeout_ns, now);
    await_sent(line, entry, timeout_ns, now);
    /* Also an end that has closed is awaited by time alone. */
    if (entry->events == 0 && line->noticed > 0)
        entry->fd = -1;
}

void nkv_line_after_poll(struct nkv_line *line, const struct pollfd *entry)
{
    const short closed = POLLHUP | POLLERR | POLLNVAL;

    if (line->fd < 0)
        return;
    if ((entry->revents & (closed | POLLRDHUP)) != 0 && pending(line) == 0) {
        line->ended = true;
        line->gone = line->gone || (entry->revents & closed) != 0;
    }
    (void)send_due(line);
}

bool nkv_line_is_closing(const struct nkv_line *line)
{
    struct pollfd entry = {.fd = line->fd, .events = POLLRDHUP};

    return line->gone || (poll(&entry, 1, 0) > 0 && entry.revents != 0);
}
