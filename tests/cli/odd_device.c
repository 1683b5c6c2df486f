/*
 * Something at the other end of the line that is no norkv device:
 * odd_device LINE KIND. LINE is pty or tcp; KIND is
 *   silent  reads and never answers
 *   deaf    does not even read
 *   text    prints a boot log, again and again
 *   http    answers what comes with an HTTP error
 *   echo    sends back what comes
 *   noise   sends bytes of no meaning
 *   hangup  closes the line as soon as something comes
 * Prints "listening on PORT". Ends by itself after two minutes.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

enum { LIFE_SECONDS = 120, PAUSE_MS = 20 };

static void give_up(const char *what)
{
    perror(what);
    exit(1);
}

static void say(int fd, const void *bytes, size_t size)
{
    /* A peer that went away is no error here. */
    if (write(fd, bytes, size) < 0) {
        return;
    }
}

/* Waits a little for input. Returns its size, 0 at the end, -1 for none. */
static ssize_t receive(int fd, char *to, size_t room)
{
    struct pollfd input = {.fd = fd, .events = POLLIN};

    if (poll(&input, 1, PAUSE_MS) <= 0) {
        return -1;
    }
    return read(fd, to, room);
}

static void say_noise(int fd)
{
    static uint32_t state = 1;
    uint8_t bytes[64];

    for (size_t i = 0; i < sizeof bytes; i++) {
        state = state * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(state >> 24);
    }
    say(fd, bytes, sizeof bytes);
}

static void talk(int fd, const char *kind)
{
    static const char log[] = "[    0.001] boot: rev 3, reset by watchdog\r\n";
    static const char http[] = "HTTP/1.1 400 Bad Request\r\n"
                               "Content-Length: 0\r\n\r\n";

    if (strcmp(kind, "text") == 0) {
        say(fd, log, sizeof log - 1);
    } else if (strcmp(kind, "noise") == 0) {
        say_noise(fd);
    } else if (strcmp(kind, "http") == 0) {
        say(fd, http, sizeof http - 1);
    }
}

/* Until the line is closed. */
static void serve(int fd, const char *kind)
{
    bool talks = strcmp(kind, "text") == 0 || strcmp(kind, "noise") == 0;
    char bytes[4096];

    for (;;) {
        ssize_t size = receive(fd, bytes, sizeof bytes);

        if (size == 0 || (size > 0 && strcmp(kind, "hangup") == 0)) {
            return;
        }
        if (size > 0 && strcmp(kind, "echo") == 0) {
            say(fd, bytes, (size_t)size);
        }
        if (talks || size > 0) {
            talk(fd, kind);
        }
    }
}

static void serve_or_wait(int fd, const char *kind)
{
    if (strcmp(kind, "deaf") == 0) {
        pause();
    }
    serve(fd, kind);
}

static void announce(const char *port)
{
    printf("listening on %s\n", port);
    fflush(stdout);
}

static void be_tcp(const char *kind)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char port[64];

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 ||
        listen(fd, 1) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        give_up("tcp");
    }
    snprintf(port, sizeof port, "tcp:127.0.0.1:%d", ntohs(address.sin_port));
    announce(port);
    for (;;) {
        int peer = accept(fd, NULL, NULL);

        if (peer < 0) {
            give_up("accept");
        }
        serve_or_wait(peer, kind);
        close(peer);
    }
}

static void be_pty(const char *kind)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY);
    struct termios settings;
    int line;

    if (fd < 0 || grantpt(fd) != 0 || unlockpt(fd) != 0) {
        give_up("pty");
    }
    /* Held open, so that the line is there before and after a client. */
    line = open(ptsname(fd), O_RDWR | O_NOCTTY);
    if (line < 0 || tcgetattr(line, &settings) != 0) {
        give_up("pty");
    }
    settings.c_lflag &= (tcflag_t) ~(ECHO | ICANON | ISIG);
    settings.c_iflag = 0;
    settings.c_oflag = 0;
    if (tcsetattr(line, TCSANOW, &settings) != 0) {
        give_up("pty");
    }
    announce(ptsname(fd));
    serve_or_wait(fd, kind);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "odd_device pty|tcp KIND\n");
        return 2;
    }
    alarm(LIFE_SECONDS);
    signal(SIGPIPE, SIG_IGN);
    if (strcmp(argv[1], "tcp") == 0) {
        be_tcp(argv[2]);
    } else {
        be_pty(argv[2]);
    }
    return 0;
}
