/* A store and its server, put together: what a program of one's own calls. */
#ifndef NORKV_TEMPLATE_SERVICE_H
#define NORKV_TEMPLATE_SERVICE_H

#include <norkv/selftest.h>
#include <norkv/store.h>

#include <stdbool.h>
#include <stdint.h>

/*
 * Mounts the store and prepares the server; blocks as nkv_mount does. Then turn
 * on the UART's interrupt. boot_id is random, another number after each start;
 * unit_id, another one on each board, must stay. failed is what the self-test
 * found (template_selftest.h): with anything but NKV_SELFTEST_NONE the server
 * tells it as the store's fault, and leaves the flash alone.
 *
 * NKV_INVALID_ARGUMENT: constants of the template contradict each other. With
 * any fault of the flash the server runs, and tells it.
 */
NKV_MUST_USE enum nkv_status nkv_template_start(uint32_t boot_id,
                                                const char *unit_id,
                                                enum nkv_selftest_check failed);

/* Call over and over. True: there is more to do at once. False: sleep until the
 * next interrupt, 100 ms at most. */
bool nkv_template_poll(void);

/* The store, for the program's own keys, between two polls. */
struct nkv_store *nkv_template_store(void);

#endif
