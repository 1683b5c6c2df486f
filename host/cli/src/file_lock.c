#include "file_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that is replaced keeps its lock, but has lost its name. */
static bool has_name(int fd, const char *path)
{
    struct stat opened;
    struct stat named;

    return fstat(fd, &opened) == 0 && stat(path, &named) == 0 &&
           opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

enum nkv_exit nkv_lock_file(const char *path, int *lock)
{
    int fd;

    *lock = -1;
    while ((fd = open(path, O_RDONLY | O_CLOEXEC)) >= 0) {
        if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
            close(fd);
            return nkv_fail(NKV_EXIT_FAILED,
                            "'%s' is in use by norkv-sim or another norkv: end "
                            "that first; the file was not changed",
                            path);
        }
        if (has_name(fd, path)) {
            *lock = fd;
            return NKV_EXIT_DONE;
        }
        close(fd);
    }
    return NKV_EXIT_DONE;
}

void nkv_unlock_file(int lock)
{
    if (lock >= 0) {
        close(lock);
    }
}
