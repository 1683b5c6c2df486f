/* The real server on a real pseudoterminal or socket, in a thread, on the
 * machine's own clock. */
#ifndef NORKV_TESTS_HOST_LIVE_DEVICE_H
#define NORKV_TESTS_HOST_LIVE_DEVICE_H

#include "real_device.h"
#include <pthread.h>
#include <stdatomic.h>

struct nkv_live_device {
    struct nkv_bench bench;
    struct nkv_real_device device;
    pthread_t thread;
    bool is_running;
    atomic_bool stop;
    /* When set, what arrives is read and not answered. */
    atomic_bool silent;
    /* The line, and of TCP the socket that clients connect to; or -1. */
    int fd;
    int listener;
    /* What nkv_client_open takes. */
    char port[64];
};

/* Starts a device on a new pseudoterminal. */
void nkv_live_device_start_pty(struct nkv_live_device *live);

/* Starts a device on a loopback port; one client at a time. */
void nkv_live_device_start_tcp(struct nkv_live_device *live);

/* Closes the device's end of the line, as if it were unplugged. */
void nkv_live_device_unplug(struct nkv_live_device *live);

/* Ends the device, if need be, and frees what it has. */
void nkv_live_device_end(struct nkv_live_device *live);

#endif
