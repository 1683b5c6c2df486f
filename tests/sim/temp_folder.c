#include "temp_folder.h"
#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void nkv_temp_folder_make(struct nkv_temp_folder *folder)
{
    const char *parent = getenv("TMPDIR");
    int size = snprintf(folder->path, sizeof folder->path, "%s/norkv-XXXXXX",
                        parent != NULL ? parent : "/tmp");

    assert_in_range(size, 1, sizeof folder->path - 1);
    assert_non_null(mkdtemp(folder->path));
}

void nkv_temp_folder_remove(const struct nkv_temp_folder *folder)
{
    DIR *files = opendir(folder->path);
    struct dirent *file;
    char path[256];

    assert_non_null(files);
    while ((file = readdir(files)) != NULL) {
        if (strcmp(file->d_name, ".") != 0 && strcmp(file->d_name, "..") != 0)
            (void)remove(nkv_temp_path(folder, file->d_name, path));
    }
    closedir(files);
    assert_int_equal(rmdir(folder->path), 0);
}

const char *nkv_temp_path(const struct nkv_temp_folder *folder,
                          const char *name, char path[256])
{
    int size = snprintf(path, 256, "%s/%s", folder->path, name);

    assert_in_range(size, 1, 255);
    return path;
}

void nkv_temp_fill(const char *path, int fill, size_t size)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    for (size_t i = 0; i < size; i++)
        assert_int_not_equal(fputc(fill, file), EOF);
    assert_int_equal(fclose(file), 0);
}

size_t nkv_temp_read(const char *path, void *to, size_t capacity)
{
    FILE *file = fopen(path, "rb");
    size_t size;

    assert_non_null(file);
    size = fread(to, 1, capacity, file);
    assert_int_equal(fclose(file), 0);
    return size;
}
