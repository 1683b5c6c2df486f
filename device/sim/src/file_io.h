/* Files of a fixed size, read and written in place. */
#ifndef NORKV_SIM_FILE_IO_H
#define NORKV_SIM_FILE_IO_H

#include <norkv/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads size bytes at offset. NKV_UNAVAILABLE: the file could not be read, or
 * has become shorter. */
NKV_MUST_USE enum nkv_status nkv_read_file(int fd, uint64_t offset, void *to,
                                           size_t size);

/* Writes size bytes at offset. NKV_UNAVAILABLE: the file could not be
 * written. */
NKV_MUST_USE enum nkv_status nkv_write_file(int fd, uint64_t offset,
                                            const void *from, size_t size);

/*
 * Opens a file of size bytes to read and write, and locks it until it is
 * closed. One that is not there is created with all bytes 0xFF, whole or not at
 * all; *is_new tells.
 *
 * - NKV_INVALID_ARGUMENT: it has another size, or is no regular file.
 * - NKV_UNAVAILABLE: anything else; standard error says what.
 */
NKV_MUST_USE enum nkv_status
nkv_open_erased_file(const char *path, uint64_t size, int *fd, bool *is_new);

#endif
