/*
 * A host and a device that both start anew at any time, over a line that loses,
 * doubles and delays, and a ledger of what must be in the stores by what was
 * acknowledged.
 *
 * A write that was acknowledged is in the ledger alone. One that may have been
 * done, because its host was gone or out of time, is in it beside what was
 * there before. Every read must find what the ledger has.
 */
#ifndef NORKV_TESTS_HOST_STORM_H
#define NORKV_TESTS_HOST_STORM_H

#include "real_device.h"

enum {
    NKV_STORM_KEYS = 24,
    NKV_STORM_COUNTERS = 6,
    NKV_STORM_BATCH_MAX = 16,
    /* What a key may hold at once, by the ledger. */
    NKV_STORM_MAYBE_MAX = 64,
    NKV_STORM_VALUE_MAX = 200
};

/* How bad it is. */
struct nkv_storm_setup {
    uint64_t seed;
    struct nkv_line_faults faults;
    struct nkv_line_speed speed;
    struct nkv_device_options device;
    /* One in so many operations; 0: never. The host is gone in the middle of
     * a call; the device starts anew in the middle of what it does, or its
     * power fails in the middle of a flash operation; a call has little time.
     */
    uint32_t host_restart_every;
    uint32_t device_restart_every;
    uint32_t power_cut_every;
    uint32_t brief_every;
};

/* What a key may hold: numbers of values, 0 for none. */
struct nkv_storm_entry {
    uint32_t ids[NKV_STORM_MAYBE_MAX];
    size_t count;
};

/* A key whose value is raised by one, on condition that nobody else has. */
struct nkv_storm_counter {
    uint32_t acknowledged;
    /* Reported as not known, and given up by a host that was gone or had no
     * time. */
    uint32_t unknown;
    uint32_t abandoned;
};

struct nkv_storm {
    struct nkv_bench bench;
    struct nkv_real_device device;
    struct nkv_client *client;
    struct nkv_storm_setup setup;
    struct nkv_storm_entry entries[NKV_DEVICE_STORES][NKV_STORM_KEYS];
    struct nkv_storm_counter counters[NKV_DEVICE_STORES][NKV_STORM_COUNTERS];
    uint64_t random;
    uint32_t id;
    bool restart_device;
    /* Of the call that is being made. */
    uint64_t call_ends_ms;
    bool call_is_brief;
    /* What happened. */
    unsigned mutations;
    unsigned acknowledged;
    unsigned hosts;
    unsigned power_cuts;
    unsigned out_of_time;
    unsigned late;
    uint64_t retries;
};

/* Ends the test when there is no memory. */
struct nkv_storm *nkv_storm_open(const struct nkv_storm_setup *setup);

void nkv_storm_close(struct nkv_storm *storm);

/* A number below limit. */
uint32_t nkv_storm_below(struct nkv_storm *storm, uint32_t limit);

/*
 * What stands around every call: begin draws what is to go wrong in it and
 * gives its options; end checks that it kept its deadline, and replaces a host
 * that was to be gone. True: the call was not disturbed by that, so that its
 * status means what it says. tests of other calls use these.
 */
struct nkv_call_options nkv_storm_begin(struct nkv_storm *storm);
bool nkv_storm_end(struct nkv_storm *storm, enum nkv_status status);

/* Puts, deletions and increments of counters, up to NKV_STORM_BATCH_MAX in one
 * call, and their outcome into the ledger. */
void nkv_storm_write(struct nkv_storm *storm);

/* Uploads records under some of the keys, and their outcome into the ledger. */
void nkv_storm_upload(struct nkv_storm *storm);

/* Reads a key or a counter and looks it up in the ledger. */
void nkv_storm_read(struct nkv_storm *storm);

/* What a key of a store holds: a value, or NULL for none. Fails the test when
 * the ledger does not have it. Keys that are not the storm's are passed over.
 * Returns whether it is one of a value's. */
bool nkv_storm_check(struct nkv_storm *storm, uint32_t store,
                     struct nkv_span key, const struct nkv_span *value);

/* Whether a key of a store is there, by the ledger; only when that is certain
 * is *known set. */
bool nkv_storm_is_there(const struct nkv_storm *storm, uint32_t store,
                        uint32_t number, bool *known);

/* Ends all trouble, checks every key and counter, over the line and in the
 * stores themselves, and closes the client. */
void nkv_storm_settle(struct nkv_storm *storm);

#endif
