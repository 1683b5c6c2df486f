#include "station.h"
#include "clock.h"

#include <norkv/services.h>

#include <stdlib.h>
#include <sys/random.h>

enum {
    CALLS = 8,
    CLIENTS = 8,
    ANSWERS = 16,
    /* What a pseudo terminal holds for us; a socket holds more. */
    LINE_HOLDS = 4095,
    /* Flash in a file is fast; what takes time is a busy machine. */
    STALL_MAX_MS = 50
};

static bool allocate(struct nkv_server_memory *memory, uint32_t max_frame)
{
    *memory = (struct nkv_server_memory){
        .receive = {malloc(max_frame), max_frame},
        .transmit = {malloc(NKV_SERVER_PACKET_MAX), NKV_SERVER_PACKET_MAX},
        .calls = calloc(CALLS, sizeof *memory->calls),
        .work = calloc(CALLS, sizeof *memory->work),
        .call_count = CALLS,
        .clients = calloc(CLIENTS, sizeof *memory->clients),
        .client_count = CLIENTS,
        .answers = calloc((size_t)CLIENTS * ANSWERS, sizeof *memory->answers),
        .answers_per_client = ANSWERS,
    };
    return memory->receive.data != NULL && memory->transmit.data != NULL &&
           memory->calls != NULL && memory->work != NULL &&
           memory->clients != NULL && memory->answers != NULL;
}

static void release(struct nkv_server_memory *memory)
{
    free(memory->receive.data);
    free(memory->transmit.data);
    free(memory->calls);
    free(memory->work);
    free(memory->clients);
    free(memory->answers);
    *memory = (struct nkv_server_memory){0};
}

static uint32_t window_of(const struct nkv_station_setup *setup)
{
    if (setup->rx_window != 0)
        return setup->rx_window;
    return setup->max_frame > LINE_HOLDS ? setup->max_frame : LINE_HOLDS;
}

enum nkv_status nkv_station_open(struct nkv_station *station,
                                 const struct nkv_station_setup *setup)
{
    uint32_t boot_id;

    *station = (struct nkv_station){.line.fd = -1};
    if (!allocate(&station->config.memory, setup->max_frame))
        return NKV_RESOURCE_EXHAUSTED;
    if (getrandom(&boot_id, sizeof boot_id, 0) != sizeof boot_id)
        return NKV_UNAVAILABLE;
    nkv_line_init(&station->line, setup->baud);
    station->config = (struct nkv_server_config){
        .services = &nkv_services_all,
        .product = "norkv-sim",
        .unit_id = setup->unit_id,
        .firmware = NKV_VERSION,
        .stores = setup->stores,
        .store_count = setup->store_count,
        .stream = {.context = &station->line,
                   .read = nkv_line_read,
                   .write = nkv_line_write},
        .now_ms = nkv_clock_ms,
        .boot_id = boot_id,
        .rx_window = window_of(setup),
        .stall_max_ms = STALL_MAX_MS,
        .memory = station->config.memory,
    };
    return nkv_server_init(&station->server, &station->config);
}

void nkv_station_hang_up(struct nkv_station *station)
{
    nkv_line_detach(&station->line);
    nkv_server_disconnect(&station->server);
}

void nkv_station_close(struct nkv_station *station)
{
    nkv_line_detach(&station->line);
    release(&station->config.memory);
}
