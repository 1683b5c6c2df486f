/*
 * The path through libserialport, on a machine without a serial port. It wants
 * a device under /dev that /sys/class/tty knows, and modem lines. So the first
 * process makes a mount namespace of its own, in which a pseudoterminal has
 * another name and a place in sysfs, serves a device on it, and runs itself a
 * second time with the modem lines answered by a preloaded shim: that one is
 * the client, and does the tests. Where namespaces are not allowed, this is
 * skipped (77).
 */
#define _GNU_SOURCE
#include "exercise.h"
#include "live_device.h"
#include "test.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define PORT "/dev/ttyNORKV0"

enum { SKIPPED = 77 };

/* ---- The client ------------------------------------------------------- */

static struct nkv_client *open_port(uint32_t baud)
{
    struct nkv_client *client;
    struct nkv_client_options options = {.baud = baud};
    assert_done(client, nkv_client_open(PORT, &options, &client));
    return client;
}

static void a_serial_port_carries_calls(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct nkv_client *client = open_port(0);
        nkv_exercise(client);
        nkv_client_free(&client);
    }
}

static void the_line_is_set_as_asked(void **state)
{
    (void)state;
    struct termios mode;
    struct nkv_client *client = open_port(230400);
    int fd = open(PORT, O_RDWR | O_NOCTTY | O_NONBLOCK);
    /* Only root gets past TIOCEXCL. */
    if (fd < 0) {
        assert_int_equal(errno, EBUSY);
    } else {
        assert_int_equal(tcgetattr(fd, &mode), 0);
        assert_int_equal(cfgetospeed(&mode), B230400);
        assert_int_equal(mode.c_cflag & CSIZE, CS8);
        assert_int_equal(mode.c_cflag & (PARENB | CSTOPB), 0);
        assert_int_equal(mode.c_iflag & (IXON | IXOFF | ICRNL), 0);
        assert_int_equal(mode.c_lflag & (ICANON | ECHO | ISIG), 0);
        close(fd);
    }
    nkv_exercise(client);
    nkv_client_free(&client);
}

static void a_serial_port_in_use_is_refused(void **state)
{
    (void)state;
    struct nkv_client *second;
    struct nkv_client *first = open_port(0);
    assert_int_equal(nkv_client_open(PORT, NULL, &second), NKV_UNAVAILABLE);
    assert_says(second, PORT ": in use by ");
    nkv_client_free(&second);
    nkv_exercise(first);
    nkv_client_free(&first);
    second = open_port(0);
    nkv_exercise(second);
    nkv_client_free(&second);
}

static void a_baud_rate_that_is_none_is_refused(void **state)
{
    (void)state;
    struct nkv_client *client;
    struct nkv_client_options options = {.baud = UINT32_MAX};
    assert_int_equal(nkv_client_open(PORT, &options, &client),
                     NKV_INVALID_ARGUMENT);
    assert_says(client, "no such baud rate");
    nkv_client_free(&client);
}

static void a_serial_port_that_dies_is_noticed(void **state)
{
    (void)state;
    struct nkv_client *client = open_port(0);
    enum nkv_status status;
    assert_done(client, nkv_client_echo(client, NULL, "x", NULL));
    /* The first process unplugs the device now. */
    kill(getppid(), SIGUSR1);
    do {
        status = nkv_client_put(client, NULL, text_span("k"), text_span("v"));
    } while (status == NKV_OK);
    assert_int_equal(status, NKV_UNAVAILABLE);
    assert_says(client, "put k: the port is gone");
    nkv_client_free(&client);
}

static int be_the_client(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_serial_port_carries_calls),
        cmocka_unit_test(the_line_is_set_as_asked),
        cmocka_unit_test(a_serial_port_in_use_is_refused),
        cmocka_unit_test(a_baud_rate_that_is_none_is_refused),
        cmocka_unit_test(a_serial_port_that_dies_is_noticed),
    };
    return cmocka_run_group_tests_name("serial", tests, NULL, NULL);
}

/* ---- The device and its namespace ------------------------------------- */

static int say_skipped(const char *what)
{
    printf("skipped: %s: %s\n", what, strerror(errno));
    return SKIPPED;
}

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool good =
        fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        close(fd);
    return good;
}

/* Without privileges, a user namespace of our own gives those we need. */
static bool enter_namespace(void)
{
    char map[64];
    unsigned user = (unsigned)geteuid();
    unsigned group = (unsigned)getegid();
    if (unshare(CLONE_NEWNS) == 0)
        return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return false;
    snprintf(map, sizeof(map), "%u %u 1", user, user);
    if (!write_file("/proc/self/uid_map", map) ||
        !write_file("/proc/self/setgroups", "deny"))
        return false;
    snprintf(map, sizeof(map), "%u %u 1", group, group);
    return write_file("/proc/self/gid_map", map) &&
           mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* Gives the pseudoterminal its name: a folder with nothing else in it goes in
 * the place of /dev. */
static bool rename_device(const char *pseudoterminal, const char *folder)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, strrchr(PORT, '/') + 1);
    if (mount("none", folder, "tmpfs", 0, NULL) != 0)
        return false;
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    close(fd);
    return mount(pseudoterminal, path, NULL, MS_BIND, NULL) == 0 &&
           mount(folder, "/dev", NULL, MS_BIND | MS_REC, NULL) == 0;
}

static bool fake_sysfs(void)
{
    char path[128];
    if (mount("none", "/sys/class/tty", "tmpfs", 0, NULL) != 0)
        return false;
    snprintf(path, sizeof(path), "/sys/class/tty/%s", strrchr(PORT, '/') + 1);
    return symlink("../../devices/platform/norkv/tty/ttyNORKV0", path) == 0;
}

static pid_t start_client(char *program, char *shim)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    setenv("LD_PRELOAD", shim, 1);
    setenv("NORKV_SERIAL_CLIENT", "1", 1);
    /* The sanitizer's library wants to be the first; the shim may be. */
    setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
    execl(program, program, (char *)NULL);
    _exit(126);
}

/* Waits for the client to end; unplugs the device when it asks for it. */
static int serve(struct nkv_live_device *live, pid_t child)
{
    sigset_t signals;
    int result = 0;
    int number;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGCHLD);
    for (;;) {
        sigwait(&signals, &number);
        if (number == SIGUSR1)
            nkv_live_device_unplug(live);
        else if (waitpid(child, &result, WNOHANG) == child)
            break;
    }
    return WIFEXITED(result) ? WEXITSTATUS(result) : 1;
}

static void hold_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &signals, NULL);
}

int main(int argc, char **argv)
{
    static struct nkv_live_device live;
    char folder[] = "/tmp/norkv-serial-XXXXXX";
    char program[4096];
    if (getenv("NORKV_SERIAL_CLIENT") != NULL)
        return be_the_client();
    if (argc != 2 || realpath("/proc/self/exe", program) == NULL)
        return 2;
    if (!enter_namespace())
        return say_skipped("no namespace");
    if (mkdtemp(folder) == NULL)
        return 2;
    hold_signals();
    nkv_live_device_start_pty(&live);
    int result;
    if (!rename_device(live.port, folder) || !fake_sysfs())
        result = say_skipped("no mounts");
    else
        result = serve(&live, start_client(program, argv[1]));
    nkv_live_device_end(&live);
    umount2("/dev", MNT_DETACH);
    umount2(folder, MNT_DETACH);
    rmdir(folder);
    return result;
}
