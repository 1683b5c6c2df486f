#include "line.h"
#include "clock.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    BITS_PER_BYTE = 10,
    /* How long bytes wait for room before they are lost. */
    ROOM_WAIT_S = 2,
    /* Bytes go in pieces of this time where they are shorter than it. */
    PIECE_NS = NKV_NS_PER_MS
};

void nkv_line_init(struct nkv_line *line, uint32_t baud, int stop_fd)
{
    *line = (struct nkv_line){.fd = -1, .stop_fd = stop_fd, .baud = baud};
}

void nkv_line_attach(struct nkv_line *line, int fd)
{
    nkv_line_init(line, line->baud, line->stop_fd);
    line->fd = fd;
}

void nkv_line_detach(struct nkv_line *line)
{
    if (line->fd >= 0)
        close(line->fd);
    nkv_line_init(line, line->baud, line->stop_fd);
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

/* How many of the bytes noticed have come over the line. */
static size_t arrived(const struct nkv_line *line, uint64_t now)
{
    uint64_t byte_ns = duration_ns(line, 1);
    uint64_t left;

    if (line->receive_end_ns <= now)
        return line->noticed;
    left = (line->receive_end_ns - now + byte_ns - 1) / byte_ns;
    return left < line->noticed ? line->noticed - (size_t)left : 0;
}

size_t nkv_line_read(void *context, uint8_t *to, size_t capacity)
{
    struct nkv_line *line = context;
    ssize_t size;

    if (line->fd < 0 || line->gone)
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
    if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR))
        line->gone = true;
    if (size <= 0)
        return 0;
    if (line->baud != 0)
        line->noticed -= (size_t)size;
    return (size_t)size;
}

/* Waits until time, noticing what arrives meanwhile. False: it is time to
 * end. */
static bool wait_until(struct nkv_line *line, uint64_t time)
{
    struct pollfd stop = {.fd = line->stop_fd, .events = POLLIN};
    uint64_t now;

    while ((now = nkv_clock_ns()) < time) {
        uint64_t wait = time - now < PIECE_NS ? time - now : PIECE_NS;

        if (nkv_poll_ns(&stop, 1, (int64_t)wait) != 0)
            return false;
        notice_bytes(line, nkv_clock_ns());
    }
    return true;
}

static enum nkv_status wait_for_room(struct nkv_line *line)
{
    struct pollfd entries[] = {
        {.fd = line->fd, .events = POLLOUT},
        {.fd = line->stop_fd, .events = POLLIN},
    };
    int64_t timeout = line->stuck ? 0 : (int64_t)ROOM_WAIT_S * NKV_NS_PER_S;
    int found = nkv_poll_ns(entries, 2, timeout);

    if (entries[1].revents != 0)
        return NKV_CANCELLED;
    if (found <= 0) {
        line->stuck = true;
        return NKV_UNAVAILABLE;
    }
    return NKV_OK;
}

static enum nkv_status send_all(struct nkv_line *line, const uint8_t *from,
                                size_t size)
{
    enum nkv_status status = NKV_OK;

    while (size > 0 && status == NKV_OK) {
        ssize_t sent = write(line->fd, from, size);

        if (sent > 0) {
            line->stuck = false;
            from += sent;
            size -= (size_t)sent;
        } else if (errno == EAGAIN) {
            status = wait_for_room(line);
        } else if (errno != EINTR) {
            status = NKV_UNAVAILABLE;
        }
    }
    return status;
}

/* Sends a piece and takes the time for it. */
static enum nkv_status send_paced(struct nkv_line *line, const uint8_t *from,
                                  size_t size)
{
    uint64_t now = nkv_clock_ns();

    if (line->send_end_ns < now)
        line->send_end_ns = now;
    line->send_end_ns += duration_ns(line, size);
    if (!wait_until(line, line->send_end_ns))
        return NKV_CANCELLED;
    return send_all(line, from, size);
}

enum nkv_status nkv_line_write(void *context, const uint8_t *from, size_t size)
{
    struct nkv_line *line = context;
    enum nkv_status status = NKV_OK;
    size_t piece;

    if (line->fd < 0 || line->gone)
        return NKV_UNAVAILABLE;
    if (line->baud == 0)
        return send_all(line, from, size);
    piece = 1 + (size_t)(PIECE_NS / duration_ns(line, 1));
    while (size > 0 && status == NKV_OK) {
        size_t part = size < piece ? size : piece;

        status = send_paced(line, from, part);
        from += part;
        size -= part;
    }
    return status;
}

void nkv_line_before_poll(struct nkv_line *line, struct pollfd *entry,
                          int64_t *timeout_ns)
{
    uint64_t now, next;

    *entry = (struct pollfd){.fd = line->fd, .events = POLLIN | POLLRDHUP};
    if (line->fd < 0 || line->baud == 0)
        return;
    now = nkv_clock_ns();
    notice_bytes(line, now);
    if (line->noticed == 0)
        return;
    /* The descriptor is ready before the line is. */
    entry->fd = -1;
    next = arrived(line, now) > 0 ? 0 : duration_ns(line, 1);
    if (next > 0 && next < PIECE_NS && line->noticed > 1)
        next = PIECE_NS;
    if (*timeout_ns < 0 || (uint64_t)*timeout_ns > next)
        *timeout_ns = (int64_t)next;
}

void nkv_line_after_poll(struct nkv_line *line, const struct pollfd *entry)
{
    const short closed = POLLHUP | POLLERR | POLLNVAL | POLLRDHUP;

    if ((entry->revents & closed) != 0 && pending(line) == 0)
        line->gone = true;
}

bool nkv_line_is_closing(const struct nkv_line *line)
{
    struct pollfd entry = {.fd = line->fd, .events = POLLRDHUP};

    return line->gone || (poll(&entry, 1, 0) > 0 && entry.revents != 0);
}
