/* One writer of a flash file at a time. */
#ifndef NORKV_CLI_FILE_LOCK_H
#define NORKV_CLI_FILE_LOCK_H

#include "report.h"

/*
 * Locks the file of this name as norkv-sim does, so that neither writes what
 * the other would lose. *lock is set to what nkv_unlock_file takes; -1 where
 * there is no such file: what follows reports that.
 */
enum nkv_exit nkv_lock_file(const char *path, int *lock);

/* lock may be -1. */
void nkv_unlock_file(int lock);

#endif
