/* realpath and mkstemp are of the X/Open part of POSIX. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_ROOM = 4096 };

void nkv_blob_free(struct nkv_blob *blob)
{
    free(blob->data);
    *blob = (struct nkv_blob){0};
}

static void say_errno(const char *path, char why[NKV_FILE_WHY_SIZE])
{
    snprintf(why, NKV_FILE_WHY_SIZE,
             "cannot read '%s': %s: check the name and its permissions", path,
             strerror(errno));
}

/* Doubles the room of a blob that is full but for the NUL. */
static bool grow(struct nkv_blob *blob, size_t *room)
{
    size_t wanted = *room > 0 ? 2 * *room : FIRST_ROOM;
    uint8_t *data = realloc(blob->data, wanted);

    if (data == NULL) {
        return false;
    }
    blob->data = data;
    *room = wanted;
    return true;
}

static bool read_all(int fd, const char *path, size_t limit,
                     struct nkv_blob *blob, char why[NKV_FILE_WHY_SIZE])
{
    size_t room = 0;

    for (;;) {
        ssize_t got;

        if (blob->size + 1 >= room && !grow(blob, &room)) {
            snprintf(why, NKV_FILE_WHY_SIZE,
                     "out of memory: close other programs and try again");
            return false;
        }
        got = read(fd, blob->data + blob->size, room - blob->size - 1);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            say_errno(path, why);
            return false;
        }
        blob->size += (size_t)got;
        blob->data[blob->size] = '\0';
        if (got == 0) {
            return true;
        }
        if (blob->size > limit) {
            snprintf(why, NKV_FILE_WHY_SIZE,
                     "'%s' is too large: it may have %zu bytes at most", path,
                     limit);
            return false;
        }
    }
}

bool nkv_load_file(const char *path, size_t limit, struct nkv_blob *blob,
                   char why[NKV_FILE_WHY_SIZE])
{
    bool is_input = strcmp(path, "-") == 0;
    int fd = is_input ? 0 : open(path, O_RDONLY | O_CLOEXEC);
    bool is_good;

    *blob = (struct nkv_blob){0};
    if (fd < 0) {
        say_errno(path, why);
        return false;
    }
    is_good =
        read_all(fd, is_input ? "standard input" : path, limit, blob, why);
    if (!is_input) {
        close(fd);
    }
    if (!is_good) {
        nkv_blob_free(blob);
    }
    return is_good;
}

enum nkv_exit nkv_read_file(const char *path, size_t limit,
                            struct nkv_blob *blob)
{
    char why[NKV_FILE_WHY_SIZE];

    return nkv_load_file(path, limit, blob, why)
               ? NKV_EXIT_DONE
               : nkv_fail(NKV_EXIT_FAILED, "%s", why);
}

static bool write_all(int fd, struct nkv_span bytes)
{
    while (bytes.size > 0) {
        ssize_t put = write(fd, bytes.data, bytes.size);

        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return false;
        }
        bytes.data += put;
        bytes.size -= (size_t)put;
    }
    return true;
}

/* Writes to a descriptor, which may be -1, and closes it. */
static bool write_and_close(int fd, struct nkv_span bytes)
{
    bool good = fd >= 0 && write_all(fd, bytes);
    int cause = errno;

    if (fd >= 0 && close(fd) != 0 && good) {
        return false;
    }
    errno = cause;
    return good;
}

/* The folder must know of the new name before a power cut, too. One that may be
 * written to, but not listed, cannot be opened for that: the file is there all
 * the same. */
static bool sync_folder(const char *path)
{
    char *copy = strdup(path);
    int fd = copy != NULL ? open(dirname(copy), O_RDONLY | O_DIRECTORY) : -1;
    bool good = true;

    free(copy);
    if (fd >= 0) {
        /* Some file systems cannot: EINVAL. */
        good = fsync(fd) == 0 || errno == EINVAL || errno == EROFS;
        close(fd);
    }
    return good;
}

static mode_t mode_for(const struct stat *old)
{
    mode_t mask = umask(0);

    umask(mask);
    return old != NULL ? old->st_mode & 07777 : 0666 & ~mask;
}

/* Fills, names and keeps a temporary file that stands open. */
static bool finish_replacement(int fd, const char *temporary, const char *path,
                               const struct stat *old, struct nkv_span bytes)
{
    bool good = write_all(fd, bytes);

    if (good && old != NULL && fchown(fd, old->st_uid, old->st_gid) != 0) {
        /* Only root may give files away: the new one is the caller's then. */
        errno = 0;
    }
    good = good && fchmod(fd, mode_for(old)) == 0 && fsync(fd) == 0;
    if (close(fd) != 0) {
        good = false;
    }
    return good && rename(temporary, path) == 0 && sync_folder(path);
}

/* Gives the bytes the name of path by way of a temporary file. */
static bool replace_by(char *temporary, const char *path,
                       const struct stat *old, struct nkv_span bytes)
{
    int fd = mkstemp(temporary);
    int cause;

    if (fd < 0) {
        return false;
    }
    if (finish_replacement(fd, temporary, path, old, bytes)) {
        return true;
    }
    cause = errno;
    unlink(temporary);
    errno = cause;
    return false;
}

static bool replace(const char *path, const struct stat *old,
                    struct nkv_span bytes)
{
    static const char suffix[] = ".XXXXXX";
    size_t size = strlen(path) + sizeof suffix;
    char *temporary = malloc(size);
    bool good = false;

    if (temporary != NULL) {
        snprintf(temporary, size, "%s%s", path, suffix);
        good = replace_by(temporary, path, old, bytes);
        free(temporary);
    }
    return good;
}

/* "FOLDER/NAME", allocated; NAME alone if it is absolute. */
static char *join(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *joined = malloc(size);

    if (joined != NULL && name[0] == '/') {
        snprintf(joined, size, "%s", name);
    } else if (joined != NULL) {
        snprintf(joined, size, "%s/%s", folder, name);
    }
    return joined;
}

/* The path with the links in its folder's name followed, allocated; NULL with
 * errno set. */
static char *settle_folder(const char *path)
{
    char *for_folder = strdup(path);
    char *for_name = strdup(path);
    char *folder = NULL;
    char *settled = NULL;

    if (for_folder != NULL && for_name != NULL) {
        folder = realpath(dirname(for_folder), NULL);
    }
    if (folder != NULL) {
        settled = join(folder, basename(for_name));
    }
    free(folder);
    free(for_folder);
    free(for_name);
    return settled;
}

/* The descriptor of ours that a settled path means, or -1. */
static int descriptor_of(const char *settled)
{
    char folder[64];
    int size = snprintf(folder, sizeof folder, "/proc/%ld/fd/", (long)getpid());
    char *end;
    long number;

    if (strncmp(settled, folder, (size_t)size) != 0) {
        return -1;
    }
    number = strtol(settled + size, &end, 10);
    return *end == '\0' && end != settled + size ? (int)number : -1;
}

/*
 * Follows path to what is no link, whether that is there or not, or to a
 * descriptor of ours, as /dev/stdout is: allocated; NULL with errno set.
 */
static char *follow(const char *path)
{
    enum { LINKS_MAX = 40 };
    char *settled = settle_folder(path);

    for (int i = 0; settled != NULL; i++) {
        char target[4096];
        ssize_t size = readlink(settled, target, sizeof target - 1);
        char *next;

        if (size < 0 || descriptor_of(settled) >= 0) {
            return settled;
        }
        target[size] = '\0';
        if (i == LINKS_MAX) {
            free(settled);
            errno = ELOOP;
            return NULL;
        }
        /* Relative to the folder that the link is in. */
        next = strrchr(settled, '/');
        next[1] = '\0';
        next = join(settled, target);
        free(settled);
        settled = next != NULL ? settle_folder(next) : NULL;
        free(next);
    }
    return NULL;
}

static bool write_target(const char *target, struct nkv_span bytes)
{
    struct stat old;
    int descriptor = descriptor_of(target);

    if (descriptor >= 0) {
        return write_and_close(fcntl(descriptor, F_DUPFD_CLOEXEC, 3), bytes);
    }
    if (stat(target, &old) != 0) {
        return errno == ENOENT && replace(target, NULL, bytes);
    }
    if (!S_ISREG(old.st_mode)) {
        /* Pipes and devices cannot be replaced. */
        return write_and_close(open(target, O_WRONLY | O_CLOEXEC), bytes);
    }
    return replace(target, &old, bytes);
}

static bool write_or_replace(const char *path, struct nkv_span bytes)
{
    char *target = follow(path);
    bool good = target != NULL && write_target(target, bytes);
    int cause = errno;

    free(target);
    errno = cause;
    return good;
}

enum nkv_exit nkv_write_file(const char *path, struct nkv_span bytes)
{
    if (write_or_replace(path, bytes)) {
        return NKV_EXIT_DONE;
    }
    return nkv_fail(NKV_EXIT_FAILED,
                    "cannot write '%s': %s: check the folder, its permissions "
                    "and its room",
                    path, strerror(errno));
}
