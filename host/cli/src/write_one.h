/* One put or one deletion on a device. */
#ifndef NORKV_CLI_WRITE_ONE_H
#define NORKV_CLI_WRITE_ONE_H

#include "options.h"
#include "report.h"

#include <norkv/client.h>

/* Connects, does it, and prints what was done. */
enum nkv_exit nkv_write_one(const struct nkv_options *options,
                            struct nkv_mutation *mutation);

#endif
