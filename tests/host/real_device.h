/* The real server with real stores on simulated flash, as a bench's device. */
#ifndef NORKV_TESTS_HOST_REAL_DEVICE_H
#define NORKV_TESTS_HOST_REAL_DEVICE_H

#include "bench.h"
#include "flash_sim.h"
#include <norkv/receive_ring.h>
#include <norkv/server.h>

enum {
    NKV_DEVICE_STORES = 2,
    NKV_DEVICE_SLOTS = 4,
    NKV_DEVICE_CLIENTS = 2,
    NKV_DEVICE_ANSWERS = 8,
    NKV_DEVICE_FRAME = 2048,
    NKV_DEVICE_RING_MAX = 4096,
    NKV_DEVICE_PACKET_MAX = 4096
};

#define NKV_DEVICE_UNIT_ID "BENCH-0042"

/* How the device differs from the usual one; 0: not at all. */
struct nkv_device_options {
    uint32_t sector_size;
    uint32_t sector_count;
    uint32_t max_keys;
    /* The largest packet that it sends, up to NKV_DEVICE_PACKET_MAX. */
    size_t packet_size;
    /* The largest frame that it takes, up to NKV_DEVICE_FRAME. */
    size_t frame_size;
    /* What arrives goes into a ring of so many bytes, whatever the device does
     * meanwhile, and the window is what that has room for. Without one, bytes
     * lie on the line (nkv_line_sim's room) until they are read. */
    size_t ring_size;
    uint32_t rx_window;
    /* Bytes that wait to be sent while it goes on; 0: any number. */
    size_t transmit_size;
    /* How long a program unit and an erase take it; it does nothing else
     * meanwhile. */
    uint32_t program_us;
    uint32_t erase_us;
    /* What it says of how long it may hear nothing; 0: 50 ms. */
    uint32_t stall_max_ms;
    /* What arrives meanwhile is lost. */
    bool is_deaf;
};

struct nkv_device_part {
    struct nkv_real_device *device;
    /* The flash as the device has it: it takes its time. */
    struct nkv_flash timed;
    struct nkv_flash_sim flash;
    struct nkv_config config;
    struct nkv_store store;
};

struct nkv_real_device {
    struct nkv_bench *bench;
    struct nkv_device_options options;
    struct nkv_device_part parts[NKV_DEVICE_STORES];
    struct nkv_server_store served[NKV_DEVICE_STORES];
    struct nkv_server_config config;
    struct nkv_server server;
    struct nkv_rpc_call calls[NKV_DEVICE_SLOTS];
    struct nkv_server_work work[NKV_DEVICE_SLOTS];
    struct nkv_server_client clients[NKV_DEVICE_CLIENTS];
    struct nkv_server_answer answers[NKV_DEVICE_CLIENTS * NKV_DEVICE_ANSWERS];
    struct nkv_receive_ring ring;
    uint8_t ring_memory[NKV_DEVICE_RING_MAX];
    /* Until when it waits for what it sends to leave. */
    uint64_t sending_until_us;
    /* Bytes that it did not hear. */
    uint64_t unheard;
    uint8_t receive[NKV_DEVICE_FRAME];
    uint8_t transmit[NKV_DEVICE_PACKET_MAX];
    /* When not 0: as this many frames have left in all, the power fails: the
     * last of them gets no further than the device. It starts again at once. */
    uint32_t restart_at_frame;
    uint32_t frames_sent;
    /* So many of the next frames get lost on the line. */
    uint32_t lose_frames;
    /* When not 0: the frame of this number, counted in all, gets lost on the
     * line; 0 again when it has. */
    uint32_t lose_at_frame;
    /* When not 0: once as many frames have left in all, the line is cut, as
     * when the host goes without a word; 0 again when it is. */
    uint32_t cut_at_frame;
    bool failed;
    /* The frame that is being written: the line gets it whole. */
    uint8_t frame[2 * NKV_DEVICE_PACKET_MAX + 64];
    size_t frame_size;
    /* How often it was started. */
    uint32_t boots;
    /* Called before each poll when not NULL; true: restart first. */
    bool (*before_poll)(struct nkv_real_device *device);
    void *hook_context;
};

/* Makes a device with two blank stores and puts it on the bench. options may
 * be NULL. */
void nkv_real_device_init(struct nkv_real_device *device,
                          struct nkv_bench *bench,
                          const struct nkv_device_options *options);

void nkv_real_device_free(struct nkv_real_device *device);

/*
 * Cuts the device's power and starts it again on the same flash. What was on
 * its way to it is lost. A cut of a part's flash (nkv_flash_sim_cut) does the
 * same by itself once it happens: all that the device answers then is lost.
 */
void nkv_real_device_restart(struct nkv_real_device *device);

#endif
