/* What apply makes sure of before it writes anything. */
#ifndef NORKV_CLI_APPLY_CHECK_H
#define NORKV_CLI_APPLY_CHECK_H

#include "report.h"

#include <norkv/client.h>
#include <settings.h>

struct nkv_apply_check {
    /* As messages name it. */
    const char *path;
    const struct nkv_settings *settings;
    struct nkv_client *client;
    const struct nkv_call_options *call;
    /* One a setting: set to the version of its key on the device, 0 if there is
     * no such key. */
    uint32_t *versions;
};

/*
 * Checks that the device takes each key and value, and that its table holds all
 * the keys that it will have then. What it does not take was reported.
 */
enum nkv_exit nkv_apply_check(const struct nkv_apply_check *check);

#endif
