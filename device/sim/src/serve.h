/* The simulator at work: lines, servers, and waiting for either. */
#ifndef NORKV_SIM_SERVE_H
#define NORKV_SIM_SERVE_H

#include "options.h"
#include "station.h"

/*
 * Opens the lines of options, prints "listening on PORT" for each, and serves
 * until setup's stop_fd is readable. Waits without using the processor when
 * there is nothing to do.
 *
 * False: a line could not be opened, or standard output did not take its port;
 * standard error says why.
 */
bool nkv_serve(const struct nkv_sim_options *options,
               const struct nkv_station_setup *setup);

#endif
