#include "file_io.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum nkv_status nkv_read_file(int fd, uint64_t offset, void *to, size_t size)
{
    uint8_t *bytes = to;

    while (size > 0) {
        ssize_t got = pread(fd, bytes, size, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return NKV_UNAVAILABLE;
        bytes += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return NKV_OK;
}

enum nkv_status nkv_write_file(int fd, uint64_t offset, const void *from,
                               size_t size)
{
    const uint8_t *bytes = from;

    while (size > 0) {
        ssize_t put = pwrite(fd, bytes, size, (off_t)offset);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return NKV_UNAVAILABLE;
        bytes += put;
        offset += (uint64_t)put;
        size -= (size_t)put;
    }
    return NKV_OK;
}

static enum nkv_status fail(const char *what, const char *path)
{
    nkv_sim_say("cannot %s %s: %s", what, path, strerror(errno));
    return NKV_UNAVAILABLE;
}

static enum nkv_status fill_erased(int fd, uint64_t size)
{
    enum { BLOCK = 4096 };
    uint8_t erased[BLOCK];
    enum nkv_status status = NKV_OK;

    memset(erased, 0xFF, sizeof erased);
    for (uint64_t done = 0; status == NKV_OK && done < size; done += BLOCK) {
        uint64_t left = size - done;

        status = nkv_write_file(fd, done, erased,
                                left < BLOCK ? (size_t)left : BLOCK);
    }
    return status;
}

/* The mode that open gives a new file. */
static mode_t new_file_mode(void)
{
    mode_t mask = umask(0);

    (void)umask(mask);
    return 0666 & ~mask;
}

/* False: errno says why not. */
static bool give_name(const char *temporary, const char *path, bool *is_new)
{
    *is_new = link(temporary, path) == 0;
    return *is_new || errno == EEXIST;
}

/* Fills a temporary file beside path and gives it its name; a file that has
 * that name by then stays, and is as good, but not new. */
static enum nkv_status create_erased(const char *path, uint64_t size,
                                     bool *is_new)
{
    char temporary[PATH_MAX];
    enum nkv_status status = NKV_OK;
    int length = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    int fd;

    if (length < 0 || (size_t)length >= sizeof temporary) {
        errno = ENAMETOOLONG;
        return fail("create", path);
    }
    fd = mkstemp(temporary);
    if (fd < 0)
        return fail("create", path);
    if (fchmod(fd, new_file_mode()) != 0 || fill_erased(fd, size) != NKV_OK ||
        !give_name(temporary, path, is_new))
        status = fail("create", path);
    (void)unlink(temporary);
    close(fd);
    return status;
}

static enum nkv_status check_file(int fd, const char *path, uint64_t size)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return fail("read", path);
    if (!S_ISREG(status.st_mode) || (uint64_t)status.st_size != size)
        return NKV_INVALID_ARGUMENT;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        nkv_sim_say("%s is in use by another norkv-sim: end that, or give "
                    "another file",
                    path);
        return NKV_UNAVAILABLE;
    }
    return NKV_OK;
}

enum nkv_status nkv_open_erased_file(const char *path, uint64_t size, int *fd,
                                     bool *is_new)
{
    /* What is no file must not make us wait, nor become our terminal. */
    const int flags = O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    enum nkv_status status;

    *is_new = false;
    *fd = open(path, flags);
    if (*fd < 0 && errno == ENOENT) {
        status = create_erased(path, size, is_new);
        if (status != NKV_OK)
            return status;
        *fd = open(path, flags);
    }
    if (*fd < 0 && errno == EISDIR)
        return NKV_INVALID_ARGUMENT;
    if (*fd < 0)
        return fail("open", path);
    status = check_file(*fd, path, size);
    if (status != NKV_OK) {
        close(*fd);
        *fd = -1;
    }
    return status;
}
