/* What norkv-sim is told on its command line. */
#ifndef NORKV_SIM_OPTIONS_H
#define NORKV_SIM_OPTIONS_H

#include "power_cut.h"

#include <norkv/geometry.h>
#include <stdbool.h>
#include <stdint.h>

/* Texts are borrowed from the command line. */
struct nkv_sim_options {
    struct nkv_geometry geometry;
    const char *flash;
    const char *unit_id;
    const char *link;
    /* NULL: none. */
    const char *tcp;
    struct nkv_power_cut cut;
    uint32_t max_frame;
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
