/* All records of a device's store, over a port that may go away meanwhile. */
#ifndef NORKV_CLI_FETCH_H
#define NORKV_CLI_FETCH_H

#include "options.h"
#include "reopen.h"
#include "report.h"

#include <backup_file.h>
#include <norkv/client.h>

/* Asks what the records with a prefix amount to, and shows how far the device
 * is. Statuses as nkv_client_digest. */
enum nkv_status nkv_ask_digest(const struct nkv_options *options,
                               struct nkv_client *client,
                               const struct nkv_call_options *call,
                               struct nkv_span prefix,
                               struct nkv_client_digest *digest);

struct nkv_fetch {
    const struct nkv_options *options;
    /* How long the command may take where there is no --timeout. */
    uint32_t timeout_ms;
    struct nkv_client *client;
    /* What the progress of reading is called. */
    const char *what;
    struct nkv_span prefix;
    struct nkv_reopen reopen;
};

/*
 * Connects, and learns who is at the port: should it go away meanwhile, it is
 * waited for, and what was asked is asked again. Options, timeout_ms, what and
 * prefix are set by the caller. Errors are reported; nkv_fetch_end in any case.
 */
enum nkv_exit nkv_fetch_begin(struct nkv_fetch *fetch);

/* The options of a call that is made now, with the time that is left. */
struct nkv_call_options nkv_fetch_call(const struct nkv_fetch *fetch);

/*
 * Behind a call that failed, with count records read so far. True: the port had
 * gone, and is there again with the same unit: repeat the call. False: the
 * error was reported.
 */
bool nkv_fetch_again(struct nkv_fetch *fetch, enum nkv_status status,
                     size_t count);

void nkv_fetch_end(struct nkv_fetch *fetch);

/*
 * Asks what the records amount to. *partial: the store did not mount whole.
 * Errors are reported.
 */
enum nkv_exit nkv_fetch_digest(struct nkv_fetch *fetch,
                               struct nkv_client_digest *digest, bool *partial);

/*
 * Reads all records into backup, sorted, and sets its prefix, partial and
 * damaged. It must be all zero, or hold records, which are freed. total says
 * how many there will be; 0: not known.
 *
 * NKV_EXIT_DONE, or the error was reported: free backup in any case.
 */
enum nkv_exit nkv_fetch_once(struct nkv_fetch *fetch, uint32_t total,
                             struct nkv_backup *backup);

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
enum nkv_exit nkv_fetch_records(struct nkv_fetch *fetch,
                                const struct nkv_client_digest *digest,
                                struct nkv_backup *backup);

#endif
