/* The file of a backup, read and checked. */
#ifndef NORKV_CLI_BACKUP_LOAD_H
#define NORKV_CLI_BACKUP_LOAD_H

#include "report.h"

#include <backup_file.h>

/*
 * Reads a file, or standard input if path is "-", as nkv_backup_read does. What
 * is wrong with it is reported, with otherwise as what becomes of it: "nothing
 * was written".
 *
 * NKV_EXIT_DONE: free backup. Otherwise NKV_EXIT_FAILED, and backup is all
 * zero.
 */
enum nkv_exit nkv_backup_load(const char *path, const char *otherwise,
                              struct nkv_backup *backup);

#endif
