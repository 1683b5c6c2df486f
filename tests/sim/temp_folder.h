/* A folder of a test's own, removed with all that is in it. */
#ifndef NKV_TEST_TEMP_FOLDER_H
#define NKV_TEST_TEMP_FOLDER_H

#include <stddef.h>
#include <stdint.h>

struct nkv_temp_folder {
    char path[128];
};

/* Fails the test when it cannot be made. */
void nkv_temp_folder_make(struct nkv_temp_folder *folder);
void nkv_temp_folder_remove(const struct nkv_temp_folder *folder);

/* Writes the path of a file in the folder to path, and returns it. */
const char *nkv_temp_path(const struct nkv_temp_folder *folder,
                          const char *name, char path[256]);

/* Makes a file of size bytes, all fill. */
void nkv_temp_fill(const char *path, int fill, size_t size);

/* Reads a file of up to capacity bytes; returns its size. */
size_t nkv_temp_read(const char *path, void *to, size_t capacity);

#endif
