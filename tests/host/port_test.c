/* Ports as the system has them: pseudoterminals, sockets, and what goes wrong
 * when one is opened or goes away. */
#include "exercise.h"
#include "live_device.h"
#include "machine.h"
#include "test.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static struct nkv_client *open_port(const char *port)
{
    struct nkv_client *client;
    assert_done(client, nkv_client_open(port, NULL, &client));
    return client;
}

/* Opening this port must fail with this status, and say this. */
static void assert_refuses(const char *port, enum nkv_status status,
                           const char *piece)
{
    struct nkv_client *client;
    assert_int_equal(nkv_client_open(port, NULL, &client), status);
    assert_says(client, piece);
    if (port[0] != '\0')
        assert_true(strncmp(nkv_client_error(client), port, strlen(port)) == 0);
    /* The handle is good for nothing else, and says so. */
    assert_int_equal(nkv_client_echo(client, NULL, "x", NULL), NKV_UNAVAILABLE);
    assert_says(client, "the port is not open");
    nkv_client_free(&client);
}

static void a_pseudoterminal_carries_calls(void **state)
{
    (void)state;
    struct nkv_live_device live;
    nkv_live_device_start_pty(&live);
    for (int i = 0; i < 3; i++) {
        struct nkv_client *client = open_port(live.port);
        nkv_exercise(client);
        nkv_client_free(&client);
    }
    nkv_live_device_end(&live);
}

/* Whatever the terminal did to bytes before. */
static void a_pseudoterminal_passes_all_bytes_as_they_are(void **state)
{
    (void)state;
    struct nkv_live_device live;
    struct termios mode;
    nkv_live_device_start_pty(&live);
    int fd = open(live.port, O_RDWR | O_NOCTTY | O_NONBLOCK);
    assert_int_equal(tcgetattr(fd, &mode), 0);
    mode.c_iflag = ICRNL | INLCR | IXON | IXOFF | ISTRIP | PARMRK | IUTF8;
    mode.c_oflag = OPOST | ONLCR | XTABS;
    mode.c_lflag = ICANON | ECHO | ISIG | IEXTEN;
    assert_int_equal(tcsetattr(fd, TCSANOW, &mode), 0);
    struct nkv_client *client = open_port(live.port);
    assert_int_equal(tcgetattr(fd, &mode), 0);
    assert_int_equal(mode.c_iflag, 0);
    assert_int_equal(mode.c_oflag, 0);
    assert_int_equal(mode.c_lflag, 0);
    assert_int_equal(mode.c_cflag & CSIZE, CS8);
    nkv_exercise(client);
    nkv_client_free(&client);
    close(fd);
    nkv_live_device_end(&live);
}

static void only_a_serial_port_has_control_lines(void **state)
{
    (void)state;
    const struct nkv_client_options options[] = {{.dtr = NKV_LINE_ON},
                                                 {.rts = NKV_LINE_OFF}};
    struct nkv_live_device live[2];
    nkv_live_device_start_pty(&live[0]);
    nkv_live_device_start_tcp(&live[1]);
    for (int i = 0; i < 4; i++) {
        struct nkv_client *client;
        assert_int_equal(
            nkv_client_open(live[i % 2].port, &options[i / 2], &client),
            NKV_INVALID_ARGUMENT);
        assert_says(client, "only a serial port has the lines DTR and RTS");
        nkv_client_free(&client);
    }
    nkv_live_device_end(&live[0]);
    nkv_live_device_end(&live[1]);
}

static void a_link_to_a_pseudoterminal_is_as_good(void **state)
{
    (void)state;
    char folder[] = "/tmp/norkv-port-XXXXXX";
    char link[64];
    struct nkv_live_device live;
    nkv_live_device_start_pty(&live);
    assert_non_null(mkdtemp(folder));
    snprintf(link, sizeof(link), "%s/device", folder);
    assert_int_equal(symlink(live.port, link), 0);
    struct nkv_client *client = open_port(link);
    nkv_exercise(client);
    nkv_client_free(&client);
    unlink(link);
    assert_refuses(link, NKV_NOT_FOUND, "no such port; 'norkv ports' lists");
    rmdir(folder);
    nkv_live_device_end(&live);
}

static void a_socket_carries_calls(void **state)
{
    (void)state;
    struct nkv_live_device live;
    nkv_live_device_start_tcp(&live);
    for (int i = 0; i < 3; i++) {
        struct nkv_client *client = open_port(live.port);
        nkv_exercise(client);
        nkv_client_free(&client);
    }
    nkv_live_device_end(&live);
}

/* An IPv6 address in brackets; skipped where there is no IPv6. */
static void an_ipv6_address_is_taken(void **state)
{
    (void)state;
    struct sockaddr_in6 address = {
        .sin6_family = AF_INET6,
        .sin6_addr = IN6ADDR_LOOPBACK_INIT,
    };
    struct sockaddr *generic = (struct sockaddr *)(void *)&address;
    socklen_t size = sizeof(address);
    char port[64];
    int listener = socket(AF_INET6, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, generic, size) != 0)
        skip();
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, generic, &size), 0);
    snprintf(port, sizeof(port), "tcp:[::1]:%u",
             (unsigned)ntohs(address.sin6_port));
    struct nkv_client *client = open_port(port);
    int peer = accept(listener, NULL, NULL);
    assert_true(peer >= 0);
    close(peer);
    assert_int_equal(nkv_client_echo(client, NULL, "x", NULL), NKV_UNAVAILABLE);
    assert_true(strncmp(nkv_client_error(client), port, strlen(port)) == 0);
    nkv_client_free(&client);
    close(listener);
}

/* This process's socket that is connected to a port, or -1. */
static int find_socket(const struct sockaddr_in *wanted)
{
    for (int fd = 3; fd < 256; fd++) {
        struct sockaddr_in peer;
        socklen_t size = sizeof(peer);
        if (getpeername(fd, (struct sockaddr *)(void *)&peer, &size) == 0 &&
            peer.sin_family == AF_INET && peer.sin_port == wanted->sin_port)
            return fd;
    }
    return -1;
}

/* Nothing can be unplugged here, but what notices it is on. */
static void an_end_that_vanishes_is_probed_for(void **state)
{
    (void)state;
    static const int options[][2] = {
        {SOL_SOCKET, SO_KEEPALIVE},      {IPPROTO_TCP, TCP_KEEPIDLE},
        {IPPROTO_TCP, TCP_KEEPINTVL},    {IPPROTO_TCP, TCP_KEEPCNT},
        {IPPROTO_TCP, TCP_USER_TIMEOUT}, {IPPROTO_TCP, TCP_NODELAY}};
    static const int wanted[] = {1, 15, 5, 3, 30000, 1};
    struct nkv_loopback loopback;
    nkv_loopback_listen(&loopback, 0, 0);
    struct nkv_client *client = open_port(loopback.port);
    int fd = find_socket(&loopback.address);
    assert_true(fd >= 0);
    for (int i = 0; i < 6; i++) {
        int value = -1;
        socklen_t size = sizeof(value);
        assert_int_equal(
            getsockopt(fd, options[i][0], options[i][1], &value, &size), 0);
        assert_int_equal(value, wanted[i]);
    }
    nkv_client_free(&client);
    nkv_loopback_close(&loopback);
}

static void ports_that_are_none_are_refused(void **state)
{
    (void)state;
    assert_refuses("/dev/no-such-port", NKV_NOT_FOUND, "no such port");
    assert_refuses("/dev/pts/99999", NKV_NOT_FOUND, "no such port");
    assert_refuses("", NKV_INVALID_ARGUMENT, "name is empty");
    assert_refuses("/dev/null", NKV_INVALID_ARGUMENT, "no serial port");
    assert_refuses("/proc/version", NKV_INVALID_ARGUMENT, "no serial port");
    assert_refuses("/tmp", NKV_INVALID_ARGUMENT, "no serial port");
    assert_refuses("tcp:", NKV_INVALID_ARGUMENT, "tcp:HOST:PORT");
    assert_refuses("tcp:localhost", NKV_INVALID_ARGUMENT, "tcp:HOST:PORT");
    assert_refuses("tcp:localhost:", NKV_INVALID_ARGUMENT, "tcp:HOST:PORT");
    assert_refuses("tcp:localhost:http", NKV_INVALID_ARGUMENT, "tcp:HOST:PORT");
    assert_refuses("tcp:::1:80", NKV_INVALID_ARGUMENT, "tcp:HOST:PORT");
    assert_refuses("tcp:[::1:80", NKV_INVALID_ARGUMENT, "tcp:HOST:PORT");
    assert_refuses("tcp:127.0.0.1:0", NKV_INVALID_ARGUMENT, "1 to 65535");
    assert_refuses("tcp:127.0.0.1:65536", NKV_INVALID_ARGUMENT, "1 to 65535");
    assert_refuses("tcp:127.0.0.1:999999999999999", NKV_INVALID_ARGUMENT,
                   "1 to 65535");
}

/* A port on which nothing listens: it was free a moment ago. */
static void a_refused_connection_says_so(void **state)
{
    (void)state;
    struct nkv_live_device live;
    char port[64];
    nkv_live_device_start_tcp(&live);
    snprintf(port, sizeof(port), "%s", live.port);
    nkv_live_device_end(&live);
    assert_refuses(port, NKV_UNAVAILABLE, "connection refused");
}

static void a_connection_that_hangs_ends_at_the_deadline(void **state)
{
    (void)state;
    struct nkv_client_options options = {.deadline_ms = 300};
    struct nkv_client *client;
    struct nkv_loopback loopback;
    nkv_loopback_listen(&loopback, 0, 0);
    nkv_loopback_fill(&loopback);
    assert_int_equal(nkv_client_open(loopback.port, &options, &client),
                     NKV_DEADLINE_EXCEEDED);
    assert_says(client, "no connection in time");
    nkv_client_free(&client);
    nkv_loopback_close(&loopback);
}

/* The connection is reset before the client writes anything: what it was told
 * is not lost with it. */
static void a_connection_that_is_reset_says_what_it_was_told(void **state)
{
    (void)state;
    static const char text[] = "bridge: another client is connected\r\n";
    const struct linger reset = {.l_onoff = 1};
    struct nkv_loopback loopback;
    nkv_loopback_listen(&loopback, 0, 0);
    struct nkv_client *client = open_port(loopback.port);
    int peer = accept(loopback.fd, NULL, NULL);
    assert_int_equal(write(peer, text, sizeof(text) - 1), sizeof(text) - 1);
    assert_int_equal(
        setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
    close(peer);
    assert_int_equal(nkv_client_echo(client, NULL, "x", NULL), NKV_UNAVAILABLE);
    assert_says(client,
                "the other end hung up, saying \"bridge: another client "
                "is connected\"");
    nkv_client_free(&client);
    nkv_loopback_close(&loopback);
}

static void a_port_in_use_names_who_has_it(void **state)
{
    (void)state;
    struct nkv_live_device live;
    char holder[64];
    nkv_live_device_start_pty(&live);
    struct nkv_client *first = open_port(live.port);
    snprintf(holder, sizeof(holder), "(process %ld); end that program first",
             (long)getpid());
    assert_refuses(live.port, NKV_UNAVAILABLE, "in use by ");
    assert_refuses(live.port, NKV_UNAVAILABLE, holder);
    nkv_exercise(first);
    nkv_client_free(&first);
    struct nkv_client *second = open_port(live.port);
    nkv_exercise(second);
    nkv_client_free(&second);
    nkv_live_device_end(&live);
}

/* A process that locks a port and leaves the lock to a child of its own, which
 * nobody can find then. The child ends when told, or, if it is to be brief,
 * soon. Returns where to tell it. */
static int start_hidden_holder(const char *port, bool is_brief)
{
    int ends[2];
    int result = -1;
    char byte;
    assert_int_equal(pipe(ends), 0);
    pid_t process = fork();
    if (process == 0) {
        int fd = open(port, O_RDWR | O_NOCTTY);
        bool good = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
        close(ends[1]);
        if (!good || fork() != 0)
            _exit(good ? 0 : 1);
        if (is_brief)
            usleep(100000);
        else if (read(ends[0], &byte, 1) != 0)
            _exit(1);
        _exit(0);
    }
    close(ends[0]);
    assert_int_equal(waitpid(process, &result, 0), process);
    assert_true(WIFEXITED(result) && WEXITSTATUS(result) == 0);
    return ends[1];
}

static void a_lock_whose_holder_vanishes_is_tried_again(void **state)
{
    (void)state;
    struct nkv_live_device live;
    nkv_live_device_start_pty(&live);
    int end = start_hidden_holder(live.port, true);
    struct nkv_client *client = open_port(live.port);
    nkv_exercise(client);
    nkv_client_free(&client);
    close(end);
    nkv_live_device_end(&live);
}

/* Whoever has the port open without the lock, as a simulator at the other end
 * does, is not the one to end. */
static void a_port_in_use_blames_only_who_has_the_lock(void **state)
{
    (void)state;
    struct nkv_live_device live;
    struct nkv_client_options options = {.deadline_ms = 100};
    struct nkv_client *client;
    char byte;
    int ends[2];
    nkv_live_device_start_pty(&live);
    int holder = start_hidden_holder(live.port, false);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    pid_t bystander = fork();
    if (bystander == 0) {
        bool good = open(live.port, O_RDWR | O_NOCTTY) >= 0;
        close(holder);
        close(ends[0]);
        /* Until the test closes its end, or is gone. */
        good = good && write(ends[1], "", 1) == 1;
        _exit(good && read(ends[1], &byte, 1) == 0 ? 0 : 1);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_int_equal(nkv_client_open(live.port, &options, &client),
                     NKV_UNAVAILABLE);
    assert_says(client, "in use by another program; end that program first");
    nkv_client_free(&client);
    close(ends[0]);
    assert_int_equal(waitpid(bystander, NULL, 0), bystander);
    close(holder);
    nkv_live_device_end(&live);
}

/* A child that bears another program's name has the lock. */
static void a_port_that_modem_manager_tries_says_so(void **state)
{
    (void)state;
    struct nkv_live_device live;
    char byte;
    int ends[2];
    nkv_live_device_start_pty(&live);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    pid_t holder = fork();
    if (holder == 0) {
        int fd = open(live.port, O_RDWR | O_NOCTTY);
        bool good = prctl(PR_SET_NAME, "ModemManager") == 0 &&
                    flock(fd, LOCK_EX | LOCK_NB) == 0;
        close(ends[0]);
        good = good && write(ends[1], "", 1) == 1;
        _exit(good && read(ends[1], &byte, 1) == 0 ? 0 : 1);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_refuses(live.port, NKV_UNAVAILABLE, "in use by ModemManager (");
    assert_refuses(
        live.port, NKV_UNAVAILABLE,
        ", which tries new ports for modems: repeat in some seconds");
    close(ends[0]);
    assert_int_equal(waitpid(holder, NULL, 0), holder);
    nkv_live_device_end(&live);
}

/* Root may open anything, so a child that is nobody tries. */
static void a_port_that_is_not_ours_names_its_group(void **state)
{
    (void)state;
    struct nkv_live_device live;
    nkv_live_device_start_pty(&live);
    assert_int_equal(chmod(live.port, 0), 0);
    pid_t child = fork();
    if (child == 0) {
        struct nkv_client *client;
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(2);
        enum nkv_status status = nkv_client_open(live.port, NULL, &client);
        const char *error = nkv_client_error(client);
        bool good = status == NKV_PERMISSION_DENIED &&
                    strstr(error, "permission denied: it belongs to the "
                                  "group ") != NULL;
        _exit(good ? 0 : 1);
    }
    int result = -1;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), 0);
    nkv_live_device_end(&live);
}

/* ---- In mid-call ------------------------------------------------------ */

static void *unplug_soon(void *context)
{
    usleep(200000);
    nkv_live_device_unplug(context);
    return NULL;
}

static void assert_death_is_noticed(struct nkv_live_device *live)
{
    pthread_t thread;
    struct nkv_call_options call = {.deadline_ms = 60000};
    struct nkv_client *client = open_port(live->port);
    assert_done(client,
                nkv_client_put(client, NULL, text_span("k"), text_span("v")));
    atomic_store(&live->silent, true);
    time_t begin = time(NULL);
    assert_int_equal(pthread_create(&thread, NULL, unplug_soon, live), 0);
    assert_int_equal(
        nkv_client_put(client, &call, text_span("k"), text_span("w")),
        NKV_UNAVAILABLE);
    assert_says(client, "put k: the port is gone");
    /* Long before the deadline. */
    assert_true(time(NULL) - begin < 30);
    pthread_join(thread, NULL);
    nkv_client_free(&client);
    nkv_live_device_end(live);
}

static void a_pseudoterminal_that_dies_is_noticed(void **state)
{
    (void)state;
    struct nkv_live_device live;
    nkv_live_device_start_pty(&live);
    assert_death_is_noticed(&live);
}

static void a_socket_that_dies_is_noticed(void **state)
{
    (void)state;
    struct nkv_live_device live;
    nkv_live_device_start_tcp(&live);
    assert_death_is_noticed(&live);
}

static void a_silent_port_ends_at_the_deadline(void **state)
{
    (void)state;
    struct nkv_live_device live;
    struct nkv_call_options call = {.deadline_ms = 300};
    nkv_live_device_start_tcp(&live);
    atomic_store(&live.silent, true);
    struct nkv_client *client = open_port(live.port);
    const struct nkv_device *device;
    time_t begin = time(NULL);
    assert_int_equal(nkv_client_device(client, &call, &device),
                     NKV_DEADLINE_EXCEEDED);
    assert_null(device);
    assert_says(client, "not a byte came back");
    assert_true(time(NULL) - begin < 30);
    nkv_client_free(&client);
    nkv_live_device_end(&live);
}

/* ---- The list --------------------------------------------------------- */

static void the_list_of_ports_can_be_had(void **state)
{
    (void)state;
    struct nkv_port *ports;
    size_t count;
    enum nkv_status status = nkv_ports_list(&ports, &count);
    assert_int_equal(status, NKV_OK);
    for (size_t i = 0; i < count; i++) {
        assert_non_null(ports[i].name);
        assert_true(strncmp(ports[i].name, "/dev/", 5) == 0);
        assert_true(ports[i].usb_vendor >= -1);
    }
    nkv_ports_free(ports, count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pseudoterminal_carries_calls),
        cmocka_unit_test(a_pseudoterminal_passes_all_bytes_as_they_are),
        cmocka_unit_test(only_a_serial_port_has_control_lines),
        cmocka_unit_test(a_link_to_a_pseudoterminal_is_as_good),
        cmocka_unit_test(a_socket_carries_calls),
        cmocka_unit_test(an_ipv6_address_is_taken),
        cmocka_unit_test(an_end_that_vanishes_is_probed_for),
        cmocka_unit_test(ports_that_are_none_are_refused),
        cmocka_unit_test(a_refused_connection_says_so),
        cmocka_unit_test(a_connection_that_hangs_ends_at_the_deadline),
        cmocka_unit_test(a_connection_that_is_reset_says_what_it_was_told),
        cmocka_unit_test(a_port_in_use_names_who_has_it),
        cmocka_unit_test(a_lock_whose_holder_vanishes_is_tried_again),
        cmocka_unit_test(a_port_in_use_blames_only_who_has_the_lock),
        cmocka_unit_test(a_port_that_modem_manager_tries_says_so),
        cmocka_unit_test(a_port_that_is_not_ours_names_its_group),
        cmocka_unit_test(a_pseudoterminal_that_dies_is_noticed),
        cmocka_unit_test(a_socket_that_dies_is_noticed),
        cmocka_unit_test(a_silent_port_ends_at_the_deadline),
        cmocka_unit_test(the_list_of_ports_can_be_had),
    };
    return cmocka_run_group_tests_name("port", tests, NULL, NULL);
}
