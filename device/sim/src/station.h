/*
 * A line with a server of its own at the end. Stations share the stores; each
 * has its own sessions, calls and boot id, so that a host which changes from
 * one line to another sees another device boot.
 */
#ifndef NORKV_SIM_STATION_H
#define NORKV_SIM_STATION_H

#include "line.h"

#include <norkv/server.h>
#include <norkv/status.h>

struct nkv_station {
    struct nkv_line line;
    struct nkv_server server;
    struct nkv_server_config config;
};

/* What stations have in common. */
struct nkv_station_setup {
    struct nkv_server_store *stores;
    size_t store_count;
    const char *unit_id;
    /* Content bytes. */
    uint32_t max_frame;
    /* 0: as much as the lines hold. */
    uint32_t rx_window;
    uint32_t baud;
    int stop_fd;
};

/*
 * Prepares a station with nobody on its line. setup's pointers are borrowed.
 * End it with nkv_station_close in any case.
 *
 * - NKV_RESOURCE_EXHAUSTED: no memory.
 * - NKV_UNAVAILABLE: no random numbers.
 * - NKV_INVALID_ARGUMENT: see nkv_server_init.
 */
NKV_MUST_USE enum nkv_status
nkv_station_open(struct nkv_station *station,
                 const struct nkv_station_setup *setup);

/* Hangs up a line whose other end has gone. */
void nkv_station_hang_up(struct nkv_station *station);

/* Closes the line and frees the memory. */
void nkv_station_close(struct nkv_station *station);

#endif
