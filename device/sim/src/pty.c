#include "pty.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* Bytes pass as they are, also until a host sets its own mode. */
static bool make_raw(int slave)
{
    struct termios mode;

    if (tcgetattr(slave, &mode) != 0)
        return false;
    cfmakeraw(&mode);
    return tcsetattr(slave, TCSANOW, &mode) == 0;
}

static bool open_ends(struct nkv_pty *pty)
{
    pty->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (pty->master < 0 || grantpt(pty->master) != 0 ||
        unlockpt(pty->master) != 0 ||
        ptsname_r(pty->master, pty->name, sizeof pty->name) != 0)
        return false;
    pty->slave = open(pty->name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    return pty->slave >= 0 && make_raw(pty->slave);
}

/* Gives the terminal its link in one step: a host that looks finds the old or
 * the new one. */
static bool make_link(const struct nkv_pty *pty)
{
    char temporary[PATH_MAX];
    struct stat found;
    int size = snprintf(temporary, sizeof temporary, "%s.%ld", pty->link,
                        (long)getpid());

    if (size < 0 || (size_t)size >= sizeof temporary) {
        errno = ENAMETOOLONG;
        return false;
    }
    if (lstat(pty->link, &found) == 0 && !S_ISLNK(found.st_mode)) {
        errno = EEXIST;
        return false;
    }
    if (symlink(pty->name, temporary) != 0)
        return false;
    if (rename(temporary, pty->link) == 0)
        return true;
    size = errno;
    (void)unlink(temporary);
    errno = size;
    return false;
}

static void close_ends(struct nkv_pty *pty)
{
    if (pty->slave >= 0)
        close(pty->slave);
    if (pty->master >= 0)
        close(pty->master);
    pty->master = -1;
    pty->slave = -1;
}

bool nkv_pty_open(struct nkv_pty *pty, const char *link)
{
    *pty = (struct nkv_pty){.master = -1, .slave = -1, .link = link};
    if (!open_ends(pty)) {
        nkv_sim_say("cannot open a pseudo terminal: %s", strerror(errno));
        close_ends(pty);
        return false;
    }
    if (link != NULL && !make_link(pty)) {
        nkv_sim_say(errno == EEXIST
                        ? "%s is there and is no link: remove it, or give "
                          "--link another path (%s)"
                        : "cannot make the link %s: %s",
                    link, strerror(errno));
        close_ends(pty);
        return false;
    }
    return true;
}

void nkv_pty_close(struct nkv_pty *pty)
{
    char target[sizeof pty->name];
    ssize_t size;

    if (pty->master >= 0 && pty->link != NULL) {
        size = readlink(pty->link, target, sizeof target);
        if (size == (ssize_t)strlen(pty->name) &&
            memcmp(target, pty->name, (size_t)size) == 0)
            (void)unlink(pty->link);
    }
    close_ends(pty);
}

const char *nkv_pty_port(const struct nkv_pty *pty)
{
    return pty->link != NULL ? pty->link : pty->name;
}
