/*
 * The path of a real port, on a machine without one. So the first process makes
 * a mount namespace of its own, in which a pseudoterminal has another name and
 * a place in sysfs, serves a device on it, and runs itself a second time with
 * the control lines answered by a preloaded shim: that one is the client, and
 * does the tests. Where namespaces are not allowed, this is skipped (77).
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
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define PORT "/dev/ttyNORKV0"
#define USB_SERIAL "/sys/bus/usb-serial"
#define TIMER USB_SERIAL "/devices/ttyNORKV0/latency_timer"
/* A USB device, and the port that it has. */
#define USB_DEVICE "/sys/class/usb1/1-1"

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

/* The port, beside a client that has it: opened before. */
static int open_beside(void)
{
    int fd = open(PORT, O_RDWR | O_NOCTTY | O_NONBLOCK);
    assert_true(fd >= 0);
    return fd;
}

static void set_lines(int fd, int lines)
{
    assert_int_equal(ioctl(fd, TIOCMSET, &lines), 0);
}

static int get_lines(int fd)
{
    int lines;
    assert_int_equal(ioctl(fd, TIOCMGET, &lines), 0);
    return lines & (TIOCM_DTR | TIOCM_RTS);
}

/* All that a tty may do to bytes is on: line editing, echo, translation, flow
 * control, parity. */
static void spoil(int fd)
{
    struct termios mode;
    assert_int_equal(tcgetattr(fd, &mode), 0);
    mode.c_iflag = IGNBRK | BRKINT | IGNPAR | PARMRK | INPCK | ISTRIP | INLCR |
                   IGNCR | ICRNL | IUCLC | IXON | IXANY | IXOFF | IMAXBEL |
                   IUTF8;
    mode.c_oflag = OPOST | OLCUC | ONLCR | OCRNL | ONOCR | ONLRET | XTABS;
    mode.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHONL | IEXTEN;
    mode.c_cflag |= CRTSCTS | HUPCL | CSTOPB | PARODD;
    mode.c_cc[VMIN] = 7;
    mode.c_cc[VTIME] = 3;
    assert_int_equal(tcsetattr(fd, TCSANOW, &mode), 0);
}

static void a_serial_port_passes_all_bytes_as_they_are(void **state)
{
    (void)state;
    struct termios mode;
    int fd = open_beside();
    spoil(fd);
    struct nkv_client *client = open_port(230400);
    assert_int_equal(tcgetattr(fd, &mode), 0);
    assert_int_equal(cfgetospeed(&mode), B230400);
    assert_int_equal(mode.c_cflag & CSIZE, CS8);
    assert_int_equal(mode.c_cflag & (PARENB | PARODD | CSTOPB | CRTSCTS), 0);
    /* Closing the port drops no line. */
    assert_int_equal(mode.c_cflag & HUPCL, 0);
    assert_true((mode.c_cflag & CLOCAL) != 0 && (mode.c_cflag & CREAD) != 0);
    assert_int_equal(mode.c_iflag, 0);
    assert_int_equal(mode.c_oflag, 0);
    assert_int_equal(mode.c_lflag, 0);
    assert_int_equal(mode.c_cc[VMIN], 1);
    assert_int_equal(mode.c_cc[VTIME], 0);
    nkv_exercise(client);
    nkv_client_free(&client);
    close(fd);
}

static void any_speed_that_the_port_can_do_is_set(void **state)
{
    (void)state;
    struct nkv_client_options options = {.baud = 4000000};
    struct nkv_client *client;
    static const uint32_t speeds[] = {1200, 115200, 250000, 921600, 1234567};
    for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++) {
        client = open_port(speeds[i]);
        nkv_exercise(client);
        nkv_client_free(&client);
    }
    assert_int_equal(nkv_client_open(PORT, &options, &client),
                     NKV_INVALID_ARGUMENT);
    assert_says(client, "the port cannot do 4000000 baud; the nearest that it "
                        "offers is 3000000");
    nkv_client_free(&client);
}

static void control_lines_are_kept_or_set_as_asked(void **state)
{
    (void)state;
    static const int before[] = {0, TIOCM_DTR, TIOCM_RTS,
                                 TIOCM_DTR | TIOCM_RTS};
    int fd = open_beside();
    for (int i = 0; i < 4 * 9; i++) {
        int dtr = i / 4 % 3;
        int rts = i / 12;
        struct nkv_client *client;
        struct nkv_client_options options = {
            .dtr = (enum nkv_line_state)dtr,
            .rts = (enum nkv_line_state)rts,
        };
        int wanted = before[i % 4];
        if (dtr != NKV_LINE_KEEP)
            wanted &= ~TIOCM_DTR;
        if (rts != NKV_LINE_KEEP)
            wanted &= ~TIOCM_RTS;
        wanted |= dtr == NKV_LINE_ON ? TIOCM_DTR : 0;
        wanted |= rts == NKV_LINE_ON ? TIOCM_RTS : 0;
        set_lines(fd, before[i % 4]);
        assert_done(client, nkv_client_open(PORT, &options, &client));
        assert_int_equal(get_lines(fd), wanted);
        assert_done(client, nkv_client_echo(client, NULL, "x", NULL));
        nkv_client_free(&client);
        assert_int_equal(get_lines(fd), wanted);
    }
    close(fd);
}

/* What the first process has put into sysfs can be written, so that no hint is
 * needed any more. */
static void the_latency_timer_of_an_adapter_is_lowered(void **state)
{
    (void)state;
    char text[8] = "";
    FILE *timer = fopen(TIMER, "r");
    assert_non_null(timer);
    assert_non_null(fgets(text, sizeof(text), timer));
    assert_string_equal(text, "16\n");
    fclose(timer);
    struct nkv_client *client = open_port(0);
    assert_string_equal(nkv_client_hint(client), "");
    nkv_client_free(&client);
    timer = fopen(TIMER, "r");
    assert_non_null(timer);
    assert_non_null(fgets(text, sizeof(text), timer));
    assert_string_equal(text, "1\n");
    fclose(timer);
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

static void a_port_is_listed_with_its_ids(void **state)
{
    (void)state;
    struct nkv_port *ports;
    size_t count;
    assert_int_equal(nkv_ports_list(&ports, &count), NKV_OK);
    assert_int_equal(count, 1);
    assert_string_equal(ports[0].name, PORT);
    assert_int_equal(ports[0].usb_vendor, 0x1209);
    assert_int_equal(ports[0].usb_product, 0x4e56);
    assert_string_equal(ports[0].manufacturer, "Norkv");
    assert_string_equal(ports[0].product, "Board");
    assert_string_equal(ports[0].serial_number, "UNIT-7");
    nkv_ports_free(ports, count);
}

/* Runs norkv with these words, which must end with this exit code, and keeps
 * what it says in *output. */
static void run_norkv(const char *words, int wanted, char output[256])
{
    char line[4500];
    snprintf(line, sizeof(line), "exec '%s' %s 2>&1", getenv("NORKV_CLI"),
             words);
    FILE *pipe = popen(line, "r");
    assert_non_null(pipe);
    output[fread(output, 1, 255, pipe)] = '\0';
    int result = pclose(pipe);
    if (!WIFEXITED(result) || WEXITSTATUS(result) != wanted)
        fail_msg("norkv %s: %s", words, output);
}

static void assert_lines_were_set(const char *path, const char *wanted)
{
    char text[64] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof(text), file));
    assert_string_equal(text, wanted);
    fclose(file);
}

/* Not a word of --port. */
static void norkv_finds_it_by_its_ids_and_sets_its_lines(void **state)
{
    (void)state;
    char path[] = "/tmp/norkv-lines-XXXXXX";
    char output[256];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    setenv("NORKV_SHIM_LINES", path, 1);
    unsetenv("NORKV_PORT");
    run_norkv("put k of-the-port --serial-number UNIT-7 --dtr off --rts on", 0,
              output);
    assert_lines_were_set(path, "DTR off RTS on\n");
    run_norkv("get k --vid-pid 1209:4e56 --dtr on --rts off", 0, output);
    assert_string_equal(output, "of-the-port");
    assert_lines_were_set(path, "DTR on RTS off\n");
    run_norkv("get k --vid-pid 1209:4e56 --serial-number UNIT-8", 1, output);
    assert_non_null(strstr(output, "is the device plugged in?"));
    unlink(path);
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
        cmocka_unit_test(the_latency_timer_of_an_adapter_is_lowered),
        cmocka_unit_test(a_serial_port_carries_calls),
        cmocka_unit_test(a_serial_port_passes_all_bytes_as_they_are),
        cmocka_unit_test(any_speed_that_the_port_can_do_is_set),
        cmocka_unit_test(control_lines_are_kept_or_set_as_asked),
        cmocka_unit_test(a_serial_port_in_use_is_refused),
        cmocka_unit_test(a_baud_rate_that_is_none_is_refused),
        cmocka_unit_test(a_port_is_listed_with_its_ids),
        cmocka_unit_test(norkv_finds_it_by_its_ids_and_sets_its_lines),
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

static bool make_file(const char *path, const char *text)
{
    return close(open(path, O_CREAT | O_WRONLY, 0644)) == 0 &&
           write_file(path, text);
}

/* An adapter with a latency timer, on a bus of its own. */
static bool fake_adapter(void)
{
    return mount("none", "/sys/bus", "tmpfs", 0, NULL) == 0 &&
           mkdir(USB_SERIAL, 0755) == 0 &&
           mkdir(USB_SERIAL "/devices", 0755) == 0 &&
           mkdir(USB_SERIAL "/devices/ttyNORKV0", 0755) == 0 &&
           make_file(TIMER, "16\n");
}

/* The one port of this machine, at a USB device. */
static bool fake_ports(void)
{
    static const char *const texts[][2] = {
        {USB_DEVICE "/busnum", "1\n"},
        {USB_DEVICE "/devnum", "2\n"},
        {USB_DEVICE "/idVendor", "1209\n"},
        {USB_DEVICE "/idProduct", "4e56\n"},
        {USB_DEVICE "/manufacturer", "Norkv\n"},
        {USB_DEVICE "/product", "Board\n"},
        {USB_DEVICE "/serial", "UNIT-7\n"},
    };
    bool good =
        mount("none", "/sys/class", "tmpfs", 0, NULL) == 0 &&
        mkdir("/sys/class/tty", 0755) == 0 &&
        mkdir("/sys/class/usb1", 0755) == 0 && mkdir(USB_DEVICE, 0755) == 0 &&
        mkdir(USB_DEVICE "/ttyNORKV0", 0755) == 0 &&
        mkdir(USB_DEVICE "/ttyNORKV0/device", 0755) == 0 &&
        symlink("../usb1/1-1/ttyNORKV0", "/sys/class/tty/ttyNORKV0") == 0;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        good = good && make_file(texts[i][0], texts[i][1]);
    return good;
}

static bool fake_sysfs(void)
{
    return fake_adapter() && fake_ports();
}

static pid_t start_client(char *program, char *shim, char *norkv)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    setenv("LD_PRELOAD", shim, 1);
    setenv("NORKV_SERIAL_CLIENT", "1", 1);
    setenv("NORKV_CLI", norkv, 1);
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
    if (argc != 3 || realpath("/proc/self/exe", program) == NULL)
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
        result = serve(&live, start_client(program, argv[1], argv[2]));
    nkv_live_device_end(&live);
    umount2("/sys/class", MNT_DETACH);
    umount2("/sys/bus", MNT_DETACH);
    umount2("/dev", MNT_DETACH);
    umount2(folder, MNT_DETACH);
    rmdir(folder);
    return result;
}
