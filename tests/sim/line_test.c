/* A line alone: it never waits, and loses only what nobody reads. */
#include "line.h"
#include "test.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    TOTAL = 1 << 20,
    PIECE = 1000,
    /* Only what hangs takes longer. */
    HANG_MS = 30000
};

struct ends {
    struct nkv_line line;
    int other;
};

static int set_up(void **state)
{
    static struct ends ends;
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair),
                     0);
    assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
    nkv_line_init(&ends.line, 0);
    nkv_line_attach(&ends.line, pair[0]);
    ends.other = pair[1];
    *state = &ends;
    return 0;
}

static int tear_down(void **state)
{
    struct ends *ends = *state;

    nkv_line_detach(&ends->line);
    if (ends->other >= 0)
        close(ends->other);
    return 0;
}

/* The byte at a place of what is sent. */
static uint8_t byte_at(size_t place)
{
    return (uint8_t)(place * 7 + place / 256);
}

/* Lets the line do what is to be done now. */
static void turn(struct nkv_line *line)
{
    struct pollfd entry;
    int64_t timeout_ns = -1;

    nkv_line_before_poll(line, &entry, &timeout_ns);
    assert_true(poll(&entry, 1, 0) >= 0);
    nkv_line_after_poll(line, &entry);
}

static size_t write_pieces(struct nkv_line *line, size_t total)
{
    size_t written = 0;

    while (written < total) {
        uint8_t piece[PIECE];

        for (size_t i = 0; i < sizeof piece; i++)
            piece[i] = byte_at(written + i);
        assert_int_equal(nkv_line_write(line, piece, sizeof piece), NKV_OK);
        written += sizeof piece;
    }
    return written;
}

static void a_write_without_room_waits_in_the_line(void **state)
{
    struct ends *ends = *state;
    size_t written = write_pieces(&ends->line, TOTAL);
    size_t got = 0;

    assert_true(nkv_line_is_sending(&ends->line));
    while (got < written) {
        struct pollfd entry = {.fd = ends->other, .events = POLLIN};
        uint8_t bytes[4096];
        ssize_t size;

        turn(&ends->line);
        assert_int_equal(poll(&entry, 1, HANG_MS), 1);
        size = read(ends->other, bytes, sizeof bytes);
        assert_true(size > 0);
        for (size_t i = 0; i < (size_t)size; i++)
            assert_int_equal(bytes[i], byte_at(got + i));
        got += (size_t)size;
    }
    assert_int_equal(got, written);
    assert_false(nkv_line_is_sending(&ends->line));
}

static void while_it_sends_only_room_is_awaited(void **state)
{
    struct ends *ends = *state;
    struct pollfd entry;
    int64_t timeout_ns = -1;

    (void)write_pieces(&ends->line, TOTAL);
    assert_int_equal(write(ends->other, "x", 1), 1);
    nkv_line_before_poll(&ends->line, &entry, &timeout_ns);
    assert_int_equal(entry.events, POLLOUT);
    assert_true(timeout_ns >= 0);
    assert_int_equal(poll(&entry, 1, 0), 0);
}

static void who_sends_no_more_may_still_read(void **state)
{
    struct ends *ends = *state;
    uint8_t bytes[8];

    assert_int_equal(write(ends->other, "ask", 3), 3);
    assert_int_equal(shutdown(ends->other, SHUT_WR), 0);
    turn(&ends->line);
    assert_false(ends->line.ended);
    assert_true(nkv_line_is_closing(&ends->line));
    assert_int_equal(nkv_line_read(&ends->line, bytes, sizeof bytes), 3);
    turn(&ends->line);
    assert_true(ends->line.ended);
    assert_false(ends->line.gone);
    assert_int_equal(nkv_line_write(&ends->line, (const uint8_t *)"told", 4),
                     NKV_OK);
    assert_int_equal(read(ends->other, bytes, sizeof bytes), 4);
    assert_memory_equal(bytes, "told", 4);
}

static void who_has_closed_is_gone(void **state)
{
    struct ends *ends = *state;

    close(ends->other);
    ends->other = -1;
    turn(&ends->line);
    assert_true(ends->line.gone);
    assert_int_equal(nkv_line_write(&ends->line, (const uint8_t *)"x", 1),
                     NKV_UNAVAILABLE);
}

#define A_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        A_TEST(a_write_without_room_waits_in_the_line),
        A_TEST(while_it_sends_only_room_is_awaited),
        A_TEST(who_sends_no_more_may_still_read),
        A_TEST(who_has_closed_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
