/* How a tty is set: bytes pass as they are, in both directions. */
#include "transport.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <termios.h>

/* What of c_cflag must be set, and what must not. */
static const tcflag_t set = CS8 | CLOCAL | CREAD;
static const tcflag_t clear =
    PARENB | PARODD | CMSPAR | CSTOPB | CRTSCTS | HUPCL;

/* Frames use all 256 bytes. That rules out each flag of input, output and
 * line editing, parity marks and break signals among them. */
static void fill(struct termios *mode)
{
    mode->c_iflag = 0;
    mode->c_oflag = 0;
    mode->c_lflag = 0;
    mode->c_cflag = (mode->c_cflag & ~(clear | CSIZE)) | set;
    mode->c_cc[VMIN] = 1;
    mode->c_cc[VTIME] = 0;
}

static bool is_raw(const struct termios *mode)
{
    return mode->c_iflag == 0 && (mode->c_oflag & OPOST) == 0 &&
           (mode->c_lflag & (ICANON | ECHO | ISIG | IEXTEN)) == 0 &&
           (mode->c_cflag & (clear | CSIZE)) == CS8;
}

enum nkv_status nkv_tty_make_raw(int fd)
{
    struct termios mode;
    if (tcgetattr(fd, &mode) != 0)
        return NKV_INTERNAL;
    fill(&mode);
    if (tcsetattr(fd, TCSANOW, &mode) != 0 || tcgetattr(fd, &mode) != 0)
        return NKV_INTERNAL;
    /* It is a success, too, if some of it could be set. */
    if (!is_raw(&mode)) {
        errno = ENOTSUP;
        return NKV_INTERNAL;
    }
    return NKV_OK;
}

/* UARTs understand each other up to some 3 %. */
static bool is_near(uint32_t baud, uint32_t wanted)
{
    enum { TOLERANCE = 33 };
    uint32_t distance = baud > wanted ? baud - wanted : wanted - baud;
    return distance <= wanted / TOLERANCE;
}

/* A rate that has a name is set by it: then other programs can tell it. */
static bool has_set_by_name(int fd, uint32_t baud)
{
    struct termios mode;
    uint32_t got;
    /* cfsetspeed takes numbers, too, but some are those of names. */
    return tcgetattr(fd, &mode) == 0 && cfsetspeed(&mode, baud) == 0 &&
           tcsetattr(fd, TCSANOW, &mode) == 0 &&
           nkv_tty_get_speed(fd, &got) == NKV_OK && is_near(got, baud);
}

enum nkv_status nkv_tty_set_speed(int fd, uint32_t baud, uint32_t *got)
{
    if (!has_set_by_name(fd, baud) &&
        nkv_tty_set_other_speed(fd, baud) != NKV_OK)
        return NKV_INTERNAL;
    /* The driver says what its hardware made of it. */
    if (nkv_tty_get_speed(fd, got) != NKV_OK)
        return NKV_INTERNAL;
    return is_near(*got, baud) ? NKV_OK : NKV_OUT_OF_RANGE;
}

static int with_line(int lines, int line, enum nkv_line_state state)
{
    if (state == NKV_LINE_KEEP)
        return lines;
    return state == NKV_LINE_ON ? lines | line : lines & ~line;
}

enum nkv_status nkv_tty_set_lines(int fd, enum nkv_line_state dtr,
                                  enum nkv_line_state rts)
{
    int lines;
    if (dtr == NKV_LINE_KEEP && rts == NKV_LINE_KEEP)
        return NKV_OK;
    if (ioctl(fd, TIOCMGET, &lines) != 0)
        return NKV_INTERNAL;
    lines = with_line(lines, TIOCM_DTR, dtr);
    lines = with_line(lines, TIOCM_RTS, rts);
    /* Both at once: there are boards that reset when they differ. */
    return ioctl(fd, TIOCMSET, &lines) == 0 ? NKV_OK : NKV_INTERNAL;
}
