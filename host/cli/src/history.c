#include "history.h"

#include "files.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINES_MAX = 1000, FILE_MAX_SIZE = 1 << 20 };

/* Makes the folders on the way to path that are not there. */
static void make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, S_IRWXU);
        *slash = '/';
    }
}

/* False: there is no place for it. */
static bool find_file(char path[PATH_MAX])
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    int size;

    if (state != NULL && state[0] == '/') {
        size = snprintf(path, PATH_MAX, "%s/norkv/history", state);
    } else if (home != NULL && home[0] == '/') {
        size = snprintf(path, PATH_MAX, "%s/.local/state/norkv/history", home);
    } else {
        return false;
    }
    return size > 0 && size < PATH_MAX;
}

static bool read_all(const char *path, char **text)
{
    struct stat file;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = -1;

    *text = NULL;
    if (fd < 0) {
        return false;
    }
    if (fstat(fd, &file) == 0 && S_ISREG(file.st_mode) &&
        file.st_size <= FILE_MAX_SIZE) {
        *text = calloc(1, (size_t)file.st_size + 1);
        got = *text != NULL ? read(fd, *text, (size_t)file.st_size) : -1;
    }
    close(fd);
    return got >= 0;
}

/* The last of text's lines, as many as are kept. */
static char *newest_lines(char *text)
{
    char *from = text + strlen(text);
    unsigned lines = 0;

    while (from > text) {
        if (from[-1] == '\n' && lines++ == LINES_MAX) {
            break;
        }
        from--;
    }
    return from;
}

void nkv_history_load(void (*line)(void *context, const char *line),
                      void *context)
{
    char path[PATH_MAX];
    char *text = NULL;
    char *from;

    if (find_file(path) && read_all(path, &text)) {
        from = newest_lines(text);
        if (from - text > FILE_MAX_SIZE / 4) {
            (void)nkv_write_file(
                path, (struct nkv_span){(const uint8_t *)from, strlen(from)});
        }
        for (char *end = strchr(from, '\n'); end != NULL;
             end = strchr(from, '\n')) {
            *end = '\0';
            line(context, from);
            from = end + 1;
        }
    }
    free(text);
}

void nkv_history_add(const char *line)
{
    char path[PATH_MAX];
    int fd;

    if (!find_file(path)) {
        return;
    }
    make_folders(path);
    fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC,
              S_IRUSR | S_IWUSR);
    if (fd >= 0) {
        dprintf(fd, "%s\n", line);
        close(fd);
    }
}
