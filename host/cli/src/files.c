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

static enum nkv_exit fail_to_read(const char *path)
{
    return nkv_fail(NKV_EXIT_FAILED,
                    "cannot read '%s': %s: check the name and its permissions",
                    path, strerror(errno));
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

static enum nkv_exit read_all(int fd, const char *path, size_t limit,
                              struct nkv_blob *blob)
{
    size_t room = 0;

    for (;;) {
        ssize_t got;

        if (blob->size + 1 >= room && !grow(blob, &room)) {
            return nkv_fail_for_memory();
        }
        got = read(fd, blob->data + blob->size, room - blob->size - 1);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return fail_to_read(path);
        }
        blob->size += (size_t)got;
        blob->data[blob->size] = '\0';
        if (got == 0) {
            return NKV_EXIT_DONE;
        }
        if (blob->size > limit) {
            return nkv_fail(NKV_EXIT_FAILED,
                            "'%s' is too large: it may have %zu bytes at most",
                            path, limit);
        }
    }
}

enum nkv_exit nkv_read_file(const char *path, size_t limit,
                            struct nkv_blob *blob)
{
    bool is_input = strcmp(path, "-") == 0;
    int fd = is_input ? 0 : open(path, O_RDONLY | O_CLOEXEC);
    enum nkv_exit code;

    *blob = (struct nkv_blob){0};
    if (fd < 0) {
        return fail_to_read(path);
    }
    code = read_all(fd, is_input ? "standard input" : path, limit, blob);
    if (!is_input) {
        close(fd);
    }
    if (code != NKV_EXIT_DONE) {
        nkv_blob_free(blob);
    }
    return code;
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

/* For pipes and devices, which cannot be replaced. */
static bool write_in_place(const char *path, struct nkv_span bytes)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool good = fd >= 0 && write_all(fd, bytes);
    int cause = errno;

    if (fd >= 0 && close(fd) != 0 && good) {
        return false;
    }
    errno = cause;
    return good;
}

/* The folder must know of the new name before a power cut, too. */
static bool sync_folder(const char *path)
{
    char *copy = strdup(path);
    int fd = copy != NULL ? open(dirname(copy), O_RDONLY | O_DIRECTORY) : -1;
    bool good = fd >= 0;

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

static bool write_or_replace(const char *path, struct nkv_span bytes)
{
    struct stat old;
    char *target;
    bool good;

    if (stat(path, &old) != 0) {
        return errno == ENOENT && replace(path, NULL, bytes);
    }
    if (!S_ISREG(old.st_mode)) {
        return write_in_place(path, bytes);
    }
    target = realpath(path, NULL);
    good = target != NULL && replace(target, &old, bytes);
    free(target);
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
