/* What a restore has to do: the file against what is on the device. */
#ifndef NORKV_CLI_RESTORE_PLAN_H
#define NORKV_CLI_RESTORE_PLAN_H

#include "fetch.h"
#include "report.h"

#include <backup_file.h>
#include <norkv/client.h>

struct nkv_restore_plan {
    /* Reads what the device has; its prefix is the file's. */
    struct nkv_fetch *fetch;
    /* As messages name it. */
    const char *path;
    /* Sorted, each key once. */
    const struct nkv_backup *file;
    /* Keys that are not in the file are deleted, as far as they have its
     * prefix. */
    bool is_replace;

    /* What the device has under the file's prefix. */
    struct nkv_backup device;
    /* Records of the file that are missing or differ, and those of the device
     * that are not in the file. Borrowed from both. */
    const struct nkv_record **writes;
    size_t write_count;
    const struct nkv_record **extras;
    size_t extra_count;
    /* So many of the latter are to be deleted: all or none. */
    size_t delete_count;
    /* What the device holds in the end. */
    struct nkv_digest digest;
};

/*
 * Reads what the device has and finds out what there is to do; checks that the
 * device takes each key and value, that its table holds the keys that it will
 * have then, and its flash the entries. What it does not take was reported.
 * Free plan in either case.
 */
enum nkv_exit nkv_restore_plan_make(struct nkv_restore_plan *plan);

void nkv_restore_plan_free(struct nkv_restore_plan *plan);

#endif
