/* A port that goes away while a command uses it: a cable was pulled, a bridge
 * or a simulator started again. */
#ifndef NORKV_CLI_REOPEN_H
#define NORKV_CLI_REOPEN_H

#include "options.h"
#include "report.h"

#include <norkv/client.h>

struct nkv_reopen {
    const struct nkv_options *options;
    /* The unit at the port: another one may be plugged in. */
    char *unit_id;
    uint64_t end_ms;
    /* How often the port came back, one time after another, and went away
     * before anything was done. */
    unsigned fruitless;
    /* What the client said of the last call that failed; NULL: no memory. */
    char *why;
};

/* The command ends timeout_ms from now at the latest. */
void nkv_reopen_begin(struct nkv_reopen *reopen,
                      const struct nkv_options *options, uint32_t timeout_ms);

/* Asks the device who it is, for it to be known again. Errors are reported. */
enum nkv_exit nkv_reopen_note_unit(struct nkv_reopen *reopen,
                                   struct nkv_client *client);

/* Milliseconds that are left. */
uint32_t nkv_reopen_left_ms(const struct nkv_reopen *reopen);

/*
 * Behind a call that failed with this status: if it did because the port is
 * gone, says so, with what is done so far, and waits until the port is there
 * again with the same unit.
 *
 * True: *client is a new one. False: the port is not gone, or it does not come
 * back in time, or goes away again and again; *client may be NULL then, and
 * nkv_reopen_why tells why the call failed.
 */
bool nkv_reopen(struct nkv_reopen *reopen, struct nkv_client **client,
                enum nkv_status status, const char *so_far);

/* The client's error when nkv_reopen was last called. Never NULL; holds until
 * the next call. */
const char *nkv_reopen_why(const struct nkv_reopen *reopen);

void nkv_reopen_end(struct nkv_reopen *reopen);

/* Has attempt open a port, again and again until end_ms or an interrupt. */
bool nkv_await_port(uint64_t end_ms, bool (*attempt)(void *context),
                    void *context);

#endif
