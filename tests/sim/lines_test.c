/* The lines: what a host sees that opens, closes and leaves them. */
#include "packet_frame.h"
#include "report.h"
#include "sim_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <norkv/ids.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    /* Only what hangs takes longer. */
    HANG_MS = 30000
};

/* A call of pw.rpc.EchoService/Echo with "hello", and the answer. */
static const uint8_t echo_request[] = {
    0x7E, 0xA5, 0x03, 0x10, 0x01, 0x1D, 0x52, 0xD0, 0xFB, 0x14, 0x25,
    0xE9, 0x0E, 0x47, 0x8B, 0x2A, 0x07, 0x0A, 0x05, 'h',  'e',  'l',
    'l',  'o',  0x38, 0x05, 0x32, 0x7D, 0x5E, 0x3A, 0x9D, 0x7E};
static const uint8_t echo_answer[] = {
    0x7E, 0xA5, 0x03, 0x08, 0x01, 0x10, 0x01, 0x1D, 0x52, 0xD0, 0xFB, 0x14,
    0x25, 0xE9, 0x0E, 0x47, 0x8B, 0x38, 0x05, 0x2A, 0x07, 0x0A, 0x05, 'h',
    'e',  'l',  'l',  'o',  'k',  0x7D, 0x5E, 0xD0, 0xD8, 0x7E};

static const char *const on_pty[] = {"--flash", "FLASH", "--pty", NULL};
static const char *const on_link[] = {"--flash", "FLASH", "--pty",
                                      "--link",  "LINK",  NULL};
static const char *const on_tcp[] = {"--flash", "FLASH", "--tcp", "0", NULL};

static int open_pty(const char *path)
{
    int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);

    assert_int_not_equal(fd, -1);
    return fd;
}

/* Connects to "tcp:127.0.0.1:PORT". */
static int connect_to(const char *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_not_equal(fd, -1);
    assert_memory_equal(port, "tcp:127.0.0.1:", 14);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons((uint16_t)strtoul(port + 14, NULL, 10));
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

/* Reads size bytes, or fewer when the other end closes. */
static size_t read_fully(int fd, void *to, size_t size)
{
    uint8_t *bytes = to;
    size_t done = 0;

    while (done < size) {
        struct pollfd entry = {.fd = fd, .events = POLLIN};
        ssize_t got;

        assert_int_equal(poll(&entry, 1, HANG_MS), 1);
        got = read(fd, bytes + done, size - done);
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return done;
}

static void send_echo(int fd)
{
    assert_int_equal(write(fd, echo_request, sizeof echo_request),
                     sizeof echo_request);
}

static void assert_echo(int fd)
{
    uint8_t answer[sizeof echo_answer];

    send_echo(fd);
    assert_int_equal(read_fully(fd, answer, sizeof answer), sizeof answer);
    assert_memory_equal(answer, echo_answer, sizeof answer);
}

static void end_well(struct sim *sim)
{
    assert_int_equal(nkv_sim_end(sim, SIGTERM), NKV_SIM_DONE);
}

static void a_pty_answers(void **state)
{
    struct sim *sim = *state;
    char port[256];
    int fd;

    nkv_sim_start(sim, on_pty);
    nkv_sim_port(sim, port);
    fd = open_pty(port);
    assert_echo(fd);
    close(fd);
    end_well(sim);
}

static void a_pty_can_be_closed_and_opened_again(void **state)
{
    struct sim *sim = *state;
    char port[256];

    nkv_sim_start(sim, on_pty);
    nkv_sim_port(sim, port);
    for (int i = 0; i < 20; i++) {
        int fd = open_pty(port);

        assert_echo(fd);
        close(fd);
    }
    end_well(sim);
}

static void a_stale_link_is_replaced_and_removed_at_the_end(void **state)
{
    struct sim *sim = *state;
    char port[256];
    int fd;

    assert_int_equal(symlink("/dev/pts/999999", sim->link), 0);
    nkv_sim_start(sim, on_link);
    nkv_sim_port(sim, port);
    assert_string_equal(port, sim->link);
    fd = open_pty(port);
    assert_echo(fd);
    close(fd);
    end_well(sim);
    assert_int_equal(readlink(sim->link, port, sizeof port), -1);
}

static void a_link_is_replaced_after_a_kill(void **state)
{
    struct sim *sim = *state;
    char port[256];
    int fd;

    nkv_sim_start(sim, on_link);
    nkv_sim_port(sim, port);
    assert_int_equal(nkv_sim_end(sim, SIGKILL), 128 + SIGKILL);
    nkv_sim_start(sim, on_link);
    nkv_sim_port(sim, port);
    fd = open_pty(sim->link);
    assert_echo(fd);
    close(fd);
    end_well(sim);
}

static void what_is_no_link_is_not_replaced(void **state)
{
    struct sim *sim = *state;
    char text[1024];
    uint8_t bytes[11];

    nkv_temp_fill(sim->link, 'x', 10);
    nkv_sim_start(sim, on_link);
    assert_int_equal(nkv_sim_end(sim, 0), NKV_SIM_FAILED);
    nkv_sim_errors(sim, text, sizeof text);
    assert_non_null(strstr(text, "is no link"));
    assert_int_equal(nkv_temp_read(sim->link, bytes, sizeof bytes), 10);
}

static void a_link_that_another_took_over_is_left_alone(void **state)
{
    struct sim *sim = *state;
    struct sim second = *sim;
    char port[256];
    int fd;

    nkv_temp_path(&sim->folder, "flash2.bin", second.flash);
    nkv_temp_path(&sim->folder, "errors2", second.errors);
    second.output = -1;
    nkv_sim_start(sim, on_link);
    nkv_sim_port(sim, port);
    nkv_sim_start(&second, on_link);
    nkv_sim_port(&second, port);
    end_well(sim);
    fd = open_pty(sim->link);
    assert_echo(fd);
    close(fd);
    end_well(&second);
    close(second.output);
    assert_int_equal(readlink(sim->link, port, sizeof port), -1);
}

static void a_tcp_port_is_picked_and_answers(void **state)
{
    struct sim *sim = *state;
    char port[256];
    int fd;

    nkv_sim_start(sim, on_tcp);
    nkv_sim_port(sim, port);
    fd = connect_to(port);
    assert_echo(fd);
    close(fd);
    end_well(sim);
}

static void a_second_tcp_client_is_sent_away(void **state)
{
    static const char text[] = "norkv-sim: another client is connected\r\n";
    struct sim *sim = *state;
    char port[256], got[sizeof text];
    int first, second;

    nkv_sim_start(sim, on_tcp);
    nkv_sim_port(sim, port);
    first = connect_to(port);
    assert_echo(first);
    second = connect_to(port);
    assert_int_equal(read_fully(second, got, sizeof got), sizeof text - 1);
    assert_memory_equal(got, text, sizeof text - 1);
    close(second);
    assert_echo(first);
    close(first);
    end_well(sim);
}

static void the_next_tcp_client_is_served_when_one_has_gone(void **state)
{
    struct sim *sim = *state;
    char port[256];

    nkv_sim_start(sim, on_tcp);
    nkv_sim_port(sim, port);
    for (int i = 0; i < 50; i++) {
        int fd = connect_to(port);

        assert_echo(fd);
        close(fd);
    }
    end_well(sim);
}

static void a_tcp_client_may_leave_without_reading(void **state)
{
    const struct linger reset = {.l_onoff = 1};
    struct sim *sim = *state;
    char port[256];

    nkv_sim_start(sim, on_tcp);
    nkv_sim_port(sim, port);
    for (int i = 0; i < 20; i++) {
        int fd = connect_to(port);

        send_echo(fd);
        /* Half of them leave by a reset, and half in the middle of a frame. */
        if (i % 2 == 0)
            assert_int_equal(
                setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
        else
            assert_int_equal(write(fd, echo_request, 10), 10);
        close(fd);
        fd = connect_to(port);
        assert_echo(fd);
        close(fd);
    }
    end_well(sim);
}

struct frame {
    uint8_t *data;
    size_t size;
};

static enum nkv_status put_in_buffer(void *context, const uint8_t *data,
                                     size_t size)
{
    struct frame *made = context;

    memcpy(made->data + made->size, data, size);
    made->size += size;
    return NKV_OK;
}

/* The frame of a call of Collect, heavy, of store 0. */
static size_t make_collect(uint8_t frame[128])
{
    static const uint8_t heavy[] = {0x10, 2};
    const struct nkv_packet packet = {
        .type = NKV_PACKET_REQUEST,
        .channel_id = 1,
        .service_id = NKV_SERVICE_MAINTENANCE,
        .method_id = NKV_METHOD_MAINTENANCE_COLLECT,
        .call_id = 9,
        .payload = {heavy, sizeof heavy},
    };
    struct frame made = {frame, 0};
    const struct nkv_hdlc_sink sink = {put_in_buffer, &made};

    assert_int_equal(nkv_packet_frame_send(&sink, &packet), NKV_OK);
    return made.size;
}

/* The type of the last packet among these bytes. */
static uint32_t last_packet_type(const uint8_t *bytes, size_t size)
{
    uint8_t content[256];
    struct nkv_packet packet;

    assert_int_equal(nkv_packet_frame_last(
                         (struct nkv_span){bytes, size},
                         (struct nkv_buffer){content, sizeof content}, &packet),
                     NKV_OK);
    return packet.type;
}

/* As one that is piped into a network tool. */
static void a_client_that_sends_no_more_gets_all_of_its_answer(void **state)
{
    struct sim *sim = *state;
    char port[256];
    uint8_t frame[128], answer[4096];
    size_t size = make_collect(frame);

    nkv_sim_start(sim, on_tcp);
    nkv_sim_port(sim, port);
    for (int i = 0; i < 20; i++) {
        int fd = connect_to(port);

        assert_int_equal(write(fd, frame, size), (ssize_t)size);
        assert_int_equal(shutdown(fd, SHUT_WR), 0);
        assert_int_equal(
            last_packet_type(answer, read_fully(fd, answer, sizeof answer)),
            NKV_PACKET_RESPONSE);
        close(fd);
    }
    end_well(sim);
}

static void a_host_that_does_not_read_cannot_stop_the_device(void **state)
{
    static const char *const arguments[] = {"--flash", "FLASH", "--pty",
                                            "--tcp",   "0",     NULL};
    struct sim *sim = *state;
    char port[256], tcp[256];
    int fd, other;

    nkv_sim_start(sim, arguments);
    nkv_sim_port(sim, port);
    nkv_sim_port(sim, tcp);
    fd = open_pty(port);
    /* More answers than a pseudo terminal holds. */
    for (int i = 0; i < 4000; i++)
        send_echo(fd);
    other = connect_to(tcp);
    assert_echo(other);
    close(other);
    close(fd);
    end_well(sim);
}

static void a_pty_and_a_tcp_port_are_served_together(void **state)
{
    static const char *const arguments[] = {
        "--flash", "FLASH", "--pty", "--link", "LINK", "--tcp", ":0", NULL};
    struct sim *sim = *state;
    char port[256], tcp[256];
    int on_port, on_socket;

    nkv_sim_start(sim, arguments);
    nkv_sim_port(sim, port);
    nkv_sim_port(sim, tcp);
    on_port = open_pty(port);
    on_socket = connect_to(tcp);
    for (int i = 0; i < 5; i++) {
        assert_echo(on_port);
        assert_echo(on_socket);
    }
    close(on_socket);
    assert_echo(on_port);
    close(on_port);
    end_well(sim);
}

static void
sigterm_and_sigint_end_it_cleanly_and_tell_the_counters(void **state)
{
    const int signals[] = {SIGTERM, SIGINT};
    struct sim *sim = *state;
    char port[256], text[1024];

    for (size_t i = 0; i < 2; i++) {
        nkv_sim_start(sim, on_pty);
        nkv_sim_port(sim, port);
        assert_int_equal(nkv_sim_end(sim, signals[i]), NKV_SIM_DONE);
        nkv_sim_errors(sim, text, sizeof text);
        assert_string_equal(text, "norkv-sim: ended; flash: 0 units "
                                  "programmed, 0 sectors erased, 0 programs "
                                  "refused\n");
    }
}

/* It ends, and leaves neither its link nor a flash that it made. */
static void expect_no_output(struct sim *sim, int output,
                             const char *const *arguments, const char *why)
{
    char text[1024];
    struct stat file;

    nkv_sim_start_into(sim, output, arguments);
    assert_int_equal(nkv_sim_end(sim, 0), NKV_SIM_FAILED);
    nkv_sim_errors(sim, text, sizeof text);
    assert_non_null(strstr(text, "cannot tell the port"));
    assert_non_null(strstr(text, why));
    assert_int_equal(lstat(sim->link, &file), -1);
    assert_int_equal(lstat(sim->flash, &file), -1);
}

static void a_port_that_cannot_be_told_ends_it(void **state)
{
    struct sim *sim = *state;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    int ends[2];

    assert_int_not_equal(full, -1);
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    expect_no_output(sim, full, on_pty, "No space left");
    expect_no_output(sim, full, on_tcp, "No space left");
    expect_no_output(sim, ends[1], on_link, "Broken pipe");
    expect_no_output(sim, -1, on_link, "Bad file descriptor");
    close(full);
    close(ends[1]);
}

static void a_flash_does_not_become_the_standard_output(void **state)
{
    struct sim *sim = *state;
    uint8_t bytes[65536];

    /* One that is there stays. */
    nkv_temp_fill(sim->flash, 0xFF, sizeof bytes);
    nkv_sim_start_into(sim, -1, on_pty);
    assert_int_equal(nkv_sim_end(sim, 0), NKV_SIM_FAILED);
    assert_int_equal(nkv_temp_read(sim->flash, bytes, sizeof bytes), 65536);
    for (size_t i = 0; i < sizeof bytes; i++)
        assert_int_equal(bytes[i], 0xFF);
}

static void a_flash_that_is_not_ours_is_told_and_served(void **state)
{
    struct sim *sim = *state;
    char port[256], text[1024];
    int fd;

    nkv_temp_fill(sim->flash, 0x55, 65536);
    nkv_sim_start(sim, on_pty);
    nkv_sim_port(sim, port);
    fd = open_pty(port);
    assert_echo(fd);
    close(fd);
    nkv_sim_errors(sim, text, sizeof text);
    assert_non_null(strstr(text, "FAILED_PRECONDITION"));
    assert_non_null(strstr(text, "erase-all"));
    end_well(sim);
}

static int64_t now_ns(void)
{
    struct timespec now;

    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* No machine is too slow for a lower bound. */
static void a_rate_takes_its_time_each_way(void **state)
{
    const char *arguments[] = {"--flash", "FLASH", "--tcp", "0",
                               "--baud",  "2400",  NULL};
    const int64_t bits =
        (int64_t)(sizeof echo_request + sizeof echo_answer) * 10;
    struct sim *sim = *state;
    char port[256];
    int64_t start;
    int fd;

    nkv_sim_start(sim, arguments);
    nkv_sim_port(sim, port);
    fd = connect_to(port);
    start = now_ns();
    assert_echo(fd);
    assert_true(now_ns() - start >= bits * 1000000000 / 2400);
    close(fd);
    end_well(sim);
    arguments[2] = "--pty";
    arguments[3] = "--baud";
    arguments[4] = "2400";
    arguments[5] = NULL;
    nkv_sim_start(sim, arguments);
    nkv_sim_port(sim, port);
    fd = open_pty(port);
    start = now_ns();
    assert_echo(fd);
    assert_true(now_ns() - start >= bits * 1000000000 / 2400);
    close(fd);
    end_well(sim);
}

static long voluntary_switches(pid_t pid)
{
    char path[64], line[256];
    long count = -1;
    FILE *file;

    (void)snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL)
        (void)sscanf(line, "voluntary_ctxt_switches: %ld", &count);
    assert_int_equal(fclose(file), 0);
    return count;
}

static void an_idle_simulator_sleeps(void **state)
{
    struct sim *sim = *state;
    char port[256];
    long before, after = -1;
    int fd;

    nkv_sim_start(sim, on_pty);
    nkv_sim_port(sim, port);
    fd = open_pty(port);
    assert_echo(fd);
    /* Half a frame, which it waits for, and gives up. */
    assert_int_equal(write(fd, echo_request, 10), 10);
    for (int tries = 0; tries < 20; tries++) {
        before = after;
        (void)poll(NULL, 0, 1000);
        after = voluntary_switches(sim->pid);
        if (after == before)
            break;
    }
    assert_int_equal(after, before);
    close(fd);
    end_well(sim);
}

#define A_TEST(name)                                                           \
    cmocka_unit_test_setup_teardown(name, nkv_sim_setup, nkv_sim_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        A_TEST(a_pty_answers),
        A_TEST(a_pty_can_be_closed_and_opened_again),
        A_TEST(a_stale_link_is_replaced_and_removed_at_the_end),
        A_TEST(a_link_is_replaced_after_a_kill),
        A_TEST(what_is_no_link_is_not_replaced),
        A_TEST(a_link_that_another_took_over_is_left_alone),
        A_TEST(a_tcp_port_is_picked_and_answers),
        A_TEST(a_second_tcp_client_is_sent_away),
        A_TEST(the_next_tcp_client_is_served_when_one_has_gone),
        A_TEST(a_tcp_client_may_leave_without_reading),
        A_TEST(a_client_that_sends_no_more_gets_all_of_its_answer),
        A_TEST(a_host_that_does_not_read_cannot_stop_the_device),
        A_TEST(a_pty_and_a_tcp_port_are_served_together),
        A_TEST(sigterm_and_sigint_end_it_cleanly_and_tell_the_counters),
        A_TEST(a_port_that_cannot_be_told_ends_it),
        A_TEST(a_flash_does_not_become_the_standard_output),
        A_TEST(a_flash_that_is_not_ours_is_told_and_served),
        A_TEST(a_rate_takes_its_time_each_way),
        A_TEST(an_idle_simulator_sleeps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
