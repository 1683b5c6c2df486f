/* All records of a device's store. */
#ifndef NORKV_CLI_FETCH_H
#define NORKV_CLI_FETCH_H

#include "options.h"
#include "report.h"

#include <backup_file.h>
#include <norkv/client.h>

struct nkv_fetch {
    const struct nkv_options *options;
    struct nkv_client *client;
    /* The command's name, for its progress. */
    const char *what;
    struct nkv_span prefix;
};

/*
 * Asks what the records amount to. *partial: the store did not mount whole.
 * Errors are reported.
 */
enum nkv_exit nkv_fetch_digest(const struct nkv_fetch *fetch,
                               struct nkv_client_digest *digest, bool *partial);

/* Whether these are the records that a digest was told of. */
bool nkv_fetch_is_same(const struct nkv_digest *records,
                       const struct nkv_client_digest *told);

/*
 * Reads all records into backup, sorted, and sets its prefix, changed, partial
 * and damaged. They are what the device's digest says; when the store is
 * written meanwhile, they are read again, and changed says that this did not
 * help. digest is what nkv_fetch_digest just told.
 *
 * NKV_EXIT_DONE: free backup. Otherwise the error was reported, and backup is
 * all zero.
 */
enum nkv_exit nkv_fetch_records(const struct nkv_fetch *fetch,
                                const struct nkv_client_digest *digest,
                                struct nkv_backup *backup);

#endif
