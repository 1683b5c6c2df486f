/*
 * Runs a fuzz target over files, so that the committed corpus is a test under
 * every compiler: replay PATH..., each a file or a folder of files.
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Larger than any corpus file. */
enum { INPUT_SIZE_MAX = 1 << 20 };

static unsigned inputs;

static void fail(const char *what, const char *path)
{
    fprintf(stderr, "replay: %s %s: %s\n", what, path, strerror(errno));
    exit(1);
}

/* The input is copied to memory of just its size: a read behind it shows. */
static void run_input(const uint8_t *bytes, size_t size)
{
    uint8_t *exact = malloc(size > 0 ? size : 1);

    if (exact == NULL) {
        fail("cannot hold", "the input");
    }
    memcpy(exact, bytes, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    inputs++;
}

static void run_file(const char *path)
{
    uint8_t *bytes = malloc(INPUT_SIZE_MAX);
    FILE *file = fopen(path, "rb");
    size_t size = 0;

    if (bytes == NULL || file == NULL) {
        fail("cannot open", path);
    }
    size = fread(bytes, 1, INPUT_SIZE_MAX, file);
    if (ferror(file) || size == INPUT_SIZE_MAX) {
        fail("cannot read the whole of", path);
    }
    fclose(file);
    run_input(bytes, size);
    free(bytes);
}

static void run_folder(const char *path)
{
    DIR *folder = opendir(path);
    char name[4096];

    if (folder == NULL) {
        fail("cannot open", path);
    }
    for (struct dirent *it = readdir(folder); it != NULL;
         it = readdir(folder)) {
        int length = snprintf(name, sizeof name, "%s/%s", path, it->d_name);

        if (it->d_name[0] == '.') {
            continue;
        }
        if (length < 0 || (size_t)length >= sizeof name) {
            errno = ENAMETOOLONG;
            fail("cannot open", path);
        }
        run_file(name);
    }
    closedir(folder);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct stat info;

        if (stat(argv[i], &info) != 0) {
            fail("cannot find", argv[i]);
        }
        if (S_ISDIR(info.st_mode)) {
            run_folder(argv[i]);
        } else {
            run_file(argv[i]);
        }
    }
    printf("%u inputs\n", inputs);
    return inputs > 0 ? 0 : 1;
}
