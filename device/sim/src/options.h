/* What norkv-sim is told on its command line. */
#ifndef NORKV_SIM_OPTIONS_H
#define NORKV_SIM_OPTIONS_H

#include "power_cut.h"

#include <norkv/fault.h>
#include <norkv/geometry.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Stores that a device may have; their names, told in an answer to Open. */
enum { NKV_SIM_STORES_MAX = 8, NKV_SIM_STORE_NAME_MAX = 16 };

struct nkv_sim_store_option {
    const char *name;
    const char *path;
};

/* Texts are borrowed from the command line. */
struct nkv_sim_options {
    struct nkv_geometry geometry;
    /* Store 0 is that of --flash. */
    struct nkv_sim_store_option stores[NKV_SIM_STORES_MAX];
    size_t store_count;
    const char *unit_id;
    const char *link;
    /* NULL: none. */
    const char *tcp;
    struct nkv_power_cut cut;
    /* What is wrong with store 0's flash. */
    enum nkv_fault fault;
    uint32_t fault_detail;
    uint32_t max_frame;
    /* 0: as much as the lines hold. */
    uint32_t rx_window;
    /* 0: not paced. */
    uint32_t baud;
    bool pty;
};

/*
 * Reads the command line. Returns true when the simulator is to run, and false
 * with an exit code when it is to end: after --help and --version, or with
 * NKV_SIM_USAGE after one line on standard error that says what is wrong.
 */
bool nkv_sim_options_parse(struct nkv_sim_options *options, int count,
                           char **arguments, int *exit_code);

#endif
