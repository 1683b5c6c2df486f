/* Calls that block: who the device is, and its keys and values. */
#ifndef NORKV_CLIENT_CALLS_H
#define NORKV_CLIENT_CALLS_H

#include <norkv/bytes.h>
#include <norkv/client_error.h>
#include <norkv/client_port.h>
#include <norkv/fault.h>
#include <norkv/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    /* What this library speaks. */
    NKV_CLIENT_PROTOCOL_VERSION = 1,
    /* The longest key, bytes. */
    NKV_CLIENT_KEY_SIZE_MAX = 63,
    /* The largest value, bytes; a device may take less (max_value). */
    NKV_CLIENT_VALUE_SIZE_MAX = 65534
};

/* What every call takes; NULL is the same as all zero. */
struct nkv_call_options {
    /* The store's number. Ignored by echo and by nkv_client_device. */
    uint32_t store;
    /* Its name, in place of the number; borrowed for the call. NULL: the
     * number counts. */
    const char *store_name;
    /* Milliseconds for the whole call, retries included. 0: the client's. */
    uint32_t deadline_ms;
};

/* A store of a device. */
struct nkv_device_store {
    uint32_t number;
    const char *name;
    /* Bytes of flash. */
    uint32_t capacity;
    uint32_t max_keys;
    /* What mounting it said. */
    enum nkv_status mount_status;
    /* What keeps it from being used, with its detail (norkv/fault.h). A device
     * may send others. */
    enum nkv_fault fault;
    uint32_t fault_detail;
};

/* Who the device is and what it takes. Strings are never NULL. */
struct nkv_device {
    uint32_t protocol_version;
    /* Another one after each start of the device. */
    uint32_t boot_id;
    const char *product;
    const char *unit_id;
    const char *firmware;
    /* Content bytes of the largest frame it takes, and of all that may be
     * unanswered. */
    uint32_t max_frame;
    uint32_t rx_window;
    /* Mutations that may be unanswered. */
    uint32_t max_calls;
    uint32_t max_key;
    uint32_t max_value;
    /* The longest time it may not listen. */
    uint32_t stall_max_ms;
    uint32_t features;
    uint32_t access;
    const struct nkv_device_store *stores;
    size_t store_count;
};

/*
 * Asks the device who it is (Device.Open). *device belongs to the client and
 * holds until the next call on it. Other calls do this by themselves when it
 * was not done yet.
 */
NKV_MUST_USE enum nkv_status
nkv_client_device(struct nkv_client *client,
                  const struct nkv_call_options *call,
                  const struct nkv_device **device);

/*
 * Sends text to the device and gets it back (pw.rpc.EchoService), from any
 * device that speaks pw_rpc. *round_trip_ms, which may be NULL, is set to the
 * time from the call to its answer. text is UTF-8.
 *
 * - NKV_DATA_LOSS: what came back is something else, or text is no UTF-8.
 */
NKV_MUST_USE enum nkv_status
nkv_client_echo(struct nkv_client *client, const struct nkv_call_options *call,
                const char *text, uint32_t *round_trip_ms);

/*
 * Waits for remarks (see nkv_client_options) without sending anything: until
 * one has come, several perhaps, or timeout_ms have passed.
 * Deadlines and limit_ms do not count here. A line of text that is not ended
 * counts as one when nothing has come for a while.
 *
 * - NKV_DEADLINE_EXCEEDED: none came; there is no error text then.
 */
NKV_MUST_USE enum nkv_status nkv_client_listen(struct nkv_client *client,
                                               uint32_t timeout_ms);

/* A value that was read. */
struct nkv_client_value {
    /* Allocated; NULL when size is 0 or the call failed. */
    uint8_t *data;
    size_t size;
    /* Of the key: a conditional write's condition. */
    uint32_t version;
    uint32_t crc32;
};

/*
 * Reads a whole value, in parts when it is larger than a packet; all parts are
 * of one version, and the whole has the device's CRC-32. value is set in any
 * case; end it with nkv_client_value_clear.
 *
 * - NKV_NOT_FOUND: no such key.
 * - NKV_FAILED_PRECONDITION with NKV_REASON_STORE_READ_ONLY: no such key was
 *   found, but the store did not mount whole: it may be there.
 * - NKV_INVALID_ARGUMENT: the key is empty or too long.
 * - NKV_DATA_LOSS: the entry is damaged, or the value failed its CRC.
 * - NKV_ABORTED: the key was written faster than it could be read.
 */
NKV_MUST_USE enum nkv_status nkv_client_get(struct nkv_client *client,
                                            const struct nkv_call_options *call,
                                            struct nkv_span key,
                                            struct nkv_client_value *value);

/* Frees the data of value, and makes it empty. */
void nkv_client_value_clear(struct nkv_client_value *value);

/* What a key holds, without its value. */
struct nkv_client_key_info {
    uint32_t version;
    uint32_t value_size;
    /* CRC-32 of the value. */
    uint32_t crc32;
};

/* Statuses as nkv_client_get. */
NKV_MUST_USE enum nkv_status
nkv_client_describe(struct nkv_client *client,
                    const struct nkv_call_options *call, struct nkv_span key,
                    struct nkv_client_key_info *info);

enum nkv_mutation_kind { NKV_MUTATION_PUT = 0, NKV_MUTATION_DELETE = 1 };

/* One write: what to do, and what became of it. */
struct nkv_mutation {
    enum nkv_mutation_kind kind;
    struct nkv_span key;
    /* Of a put. */
    struct nkv_span value;
    /* Write only if the key's version is if_version; 0: only if there is no
     * such key. */
    bool conditional;
    uint32_t if_version;

    /* Set by the call from here on. NKV_CANCELLED: it was never sent. */
    enum nkv_status status;
    enum nkv_reason reason;
    /* The key's version now, of a deletion the tombstone's; with
     * NKV_REASON_VERSION_MISMATCH the version that it has. */
    uint32_t version;
    /* An earlier copy of the request had done it. */
    bool replayed;
};

/* Follows an operation that takes long. progress may be NULL. */
struct nkv_client_progress {
    /* done: how much by now; what is counted stands at the call. */
    void (*progress)(void *context, uint32_t done);
    void *context;
};

/*
 * Does mutations in their order, as many in flight at once as the device
 * allows. Each is applied once, though its request be sent several times. One
 * that the device refuses does not stop the others; a line that fails does.
 * All members below "set by the call" are set in any case. progress, which may
 * be NULL, tells how many were done, refused ones left out.
 *
 * When the device restarts meanwhile, what it had not answered is done again:
 * the same end state. A conditional write is not: the key is read, and when
 * that does not tell whether the write was done, it gets NKV_UNKNOWN.
 *
 * Returns NKV_OK when all were done; else the status of the first that was
 * not, or, when that is for the line's sake, the line's failure. The error text
 * describes it. The statuses of a mutation:
 * - NKV_NOT_FOUND: a deletion's key is not there.
 * - NKV_INVALID_ARGUMENT: the key is empty or too long, or the value is larger
 *   than the device takes.
 * - NKV_FAILED_PRECONDITION with NKV_REASON_VERSION_MISMATCH or
 *   NKV_REASON_STORE_READ_ONLY.
 * - NKV_RESOURCE_EXHAUSTED: the store or its table of keys is full.
 * - NKV_UNKNOWN: a conditional write of which it is not known whether it was
 *   done.
 * - NKV_DEADLINE_EXCEEDED, NKV_UNAVAILABLE: it may have been done.
 * - NKV_CANCELLED: it was not sent.
 */
NKV_MUST_USE enum nkv_status
nkv_client_apply(struct nkv_client *client, const struct nkv_call_options *call,
                 struct nkv_mutation *mutations, size_t count,
                 const struct nkv_client_progress *progress);

/* One put, as nkv_client_apply does it. */
NKV_MUST_USE enum nkv_status nkv_client_put(struct nkv_client *client,
                                            const struct nkv_call_options *call,
                                            struct nkv_span key,
                                            struct nkv_span value);

/* One deletion, as nkv_client_apply does it. */
NKV_MUST_USE enum nkv_status
nkv_client_delete(struct nkv_client *client,
                  const struct nkv_call_options *call, struct nkv_span key);

/* A record of a scan. Pointers hold until the callback returns. */
struct nkv_client_record {
    struct nkv_span key;
    struct nkv_span value;
    uint32_t version;
    uint32_t value_size;
    /* The value is not here although it was asked for: it fits no packet, get
     * it by nkv_client_get after the scan. */
    bool value_omitted;
    /* NKV_DATA_LOSS: the entry is damaged; value is empty, and key may be. */
    enum nkv_status status;
};

/* What to scan. */
struct nkv_client_scan {
    /* Only keys that start with this; empty: all. */
    struct nkv_span prefix;
    bool keys_only;
    /* Called for each record, in the store's own order. Returning false ends
     * the scan. */
    bool (*record)(void *context, const struct nkv_client_record *record);
    void *context;
    /* Set by the call: the store was written meanwhile, so that what was seen
     * is no snapshot. */
    bool changed;
};

/*
 * Reads all records whose keys start with a prefix. A key that is there
 * throughout comes at least once: a second time only after the device
 * restarted in mid-scan.
 *
 * - NKV_CANCELLED: the callback returned false.
 * - NKV_FAILED_PRECONDITION with NKV_REASON_STORE_READ_ONLY, after all records:
 *   the store did not mount whole, there may be more.
 */
NKV_MUST_USE enum nkv_status
nkv_client_scan(struct nkv_client *client, const struct nkv_call_options *call,
                struct nkv_client_scan *scan);

/* The number of the last call's store: what its name stands for. */
uint32_t nkv_client_store(const struct nkv_client *client);

#ifdef __cplusplus
}
#endif

#endif
