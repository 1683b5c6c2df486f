/* Puts and deletions on a device: one, or many with their progress. */
#ifndef NORKV_CLI_WRITE_H
#define NORKV_CLI_WRITE_H

#include "options.h"
#include "progress.h"
#include "report.h"

#include <norkv/client.h>

/* Connects, does it, and prints what was done. */
enum nkv_exit nkv_write_one(const struct nkv_options *options,
                            struct nkv_mutation *mutation);

/* nkv_client_apply, shown by a progress that has begun, and ends. */
enum nkv_status nkv_write_many(struct nkv_client *client,
                               const struct nkv_call_options *call,
                               struct nkv_progress *progress,
                               struct nkv_mutation *mutations, size_t count);

#endif
