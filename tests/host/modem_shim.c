/*
 * Preloaded by the serial port's test: answers the requests that a
 * pseudoterminal has no control lines and no speed limit for, so that it passes
 * for a serial port.
 */
#define _GNU_SOURCE
#include <asm/termbits.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

/* The lines, of all ports together. */
static int lines = TIOCM_DTR | TIOCM_RTS | TIOCM_DSR | TIOCM_CTS | TIOCM_CD;

/* What the pretended hardware can do at most. */
enum { SPEED_MAX = 3000000 };

/* Tells what they were set to, for tests of another process. */
static void note_lines(void)
{
    const char *path = getenv("NORKV_SHIM_LINES");
    FILE *file = path == NULL ? NULL : fopen(path, "w");
    if (file == NULL)
        return;
    fprintf(file, "DTR %s RTS %s\n", (lines & TIOCM_DTR) != 0 ? "on" : "off",
            (lines & TIOCM_RTS) != 0 ? "on" : "off");
    fclose(file);
}

static int call_next(int fd, unsigned long request, void *argument)
{
    int (*next)(int, unsigned long, ...) = NULL;
    void *symbol = dlsym(RTLD_NEXT, "ioctl");
    memcpy(&next, &symbol, sizeof(next));
    return next(fd, request, argument);
}

static int get_mode(int fd, struct termios2 *mode)
{
    int result = call_next(fd, TCGETS2, mode);
    if (result == 0 && mode->c_ospeed > SPEED_MAX)
        mode->c_ospeed = SPEED_MAX;
    return result;
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list list;
    va_start(list, request);
    void *argument = va_arg(list, void *);
    va_end(list);
    switch (request) {
    case TIOCMGET:
        memcpy(argument, &lines, sizeof(lines));
        return 0;
    case TIOCMSET:
        memcpy(&lines, argument, sizeof(lines));
        note_lines();
        return 0;
    case TCGETS2:
        return get_mode(fd, argument);
    default:
        return call_next(fd, request, argument);
    }
}
