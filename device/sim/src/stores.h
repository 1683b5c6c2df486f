/* The stores of the device, each on a flash of its own. */
#ifndef NORKV_SIM_STORES_H
#define NORKV_SIM_STORES_H

#include "flash_file.h"
#include "options.h"

#include <norkv/server.h>
#include <stdbool.h>

struct nkv_sim_store {
    struct nkv_flash_file file;
    struct nkv_config config;
    struct nkv_store store;
};

struct nkv_sim_stores {
    struct nkv_sim_store all[NKV_SIM_STORES_MAX];
    /* What the servers get, in the same order. */
    struct nkv_server_store served[NKV_SIM_STORES_MAX];
    size_t count;
    /* Program units and erases of all of them. */
    uint64_t operations;
};

/*
 * Opens the flash files of options and mounts their stores. A store that does
 * not mount well is served as far as it goes; standard error says why.
 *
 * False with an exit code, and standard error says why: a file cannot be used,
 * or there is no memory. Files that were created are removed again.
 */
bool nkv_sim_stores_open(struct nkv_sim_stores *stores,
                         const struct nkv_sim_options *options, int *exit_code);

/* Closes all, and tells on standard error what the flash was asked for. */
void nkv_sim_stores_close(struct nkv_sim_stores *stores);

/* Closes all, and removes the files that were created: for what came to nothing
 * before they were of use. */
void nkv_sim_stores_discard(struct nkv_sim_stores *stores);

#endif
