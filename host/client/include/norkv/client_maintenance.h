/* Looking after a store and its flash. */
#ifndef NORKV_CLIENT_MAINTENANCE_H
#define NORKV_CLIENT_MAINTENANCE_H

#include <norkv/client_calls.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A store's state, its counters since it was mounted, and the line's since the
 * device started. Sizes in bytes. */
struct nkv_client_statistics {
    uint32_t keys;
    uint32_t max_keys;
    uint32_t tombstones;
    uint32_t max_tombstones;
    uint32_t transaction_count;
    uint32_t live_bytes;
    uint32_t stale_bytes;
    uint32_t free_bytes;
    uint32_t sector_size;
    uint32_t sector_count;
    uint32_t erased_sectors;
    uint32_t damaged_sectors;
    uint32_t missing_copies;
    uint32_t copies;
    uint32_t program_unit;

    uint32_t erases;
    uint32_t bytes_programmed;
    uint32_t collections;
    uint32_t entries_relocated;
    uint32_t corrupt_entries;
    uint32_t entries_healed;
    uint32_t read_errors;
    uint32_t program_errors;
    uint32_t erase_errors;

    uint32_t frames_received;
    uint32_t bad_frames;
    uint32_t oversize_frames;
    uint32_t bad_packets;
    uint32_t frames_sent;
    uint32_t replays;
    uint32_t overruns;
    /* Good frames to an address that nobody has; calls that found no free
     * slot; and calls that a client gave up while they ran. */
    uint32_t stray_frames;
    uint32_t calls_refused;
    uint32_t calls_cancelled;

    /* Of the free and stale bytes, those kept for collection, and those in
     * sectors that failed. */
    uint32_t reserved_bytes;
    uint32_t retired_bytes;
    uint32_t retired_sectors;
    /* A new key of any size finds room for a value of up to value_room. */
    bool has_room;
    uint32_t value_room;
    /* Steps of work that the idle device has left, at most; and, since the
     * store was mounted, steps done, by idle work and by writes, and the most
     * that one write did. */
    uint32_t pending_steps;
    uint32_t steps;
    uint32_t longest_write_steps;
    /* Since the store was mounted: entries moved out of damaged sectors, and
     * those that were damaged in all copies. */
    uint32_t entries_recovered;
    uint32_t entries_lost;

    uint32_t uptime_ms;
    /* What mounting the store said, and what keeps it from being used. */
    enum nkv_status mount_status;
    enum nkv_fault fault;
    uint32_t fault_detail;
};

/*
 * Reads the statistics, in two calls: what happens between them is in the
 * figures from stray_frames on, and not in the others.
 */
NKV_MUST_USE enum nkv_status
nkv_client_statistics(struct nkv_client *client,
                      const struct nkv_call_options *call,
                      struct nkv_client_statistics *statistics);

enum nkv_client_sector_state {
    NKV_CLIENT_SECTOR_ERASED,
    /* Takes entries. */
    NKV_CLIENT_SECTOR_OPEN,
    NKV_CLIENT_SECTOR_FULL,
    /* Waits to be erased: some bytes in it are no entries. */
    NKV_CLIENT_SECTOR_DAMAGED,
    /* Failed, and is left alone until the device starts again. */
    NKV_CLIENT_SECTOR_RETIRED
};

struct nkv_client_sector {
    uint32_t number;
    enum nkv_client_sector_state state;
    uint32_t used_bytes;
    uint32_t live_bytes;
    /* Since the store was mounted, up to 65535. */
    uint32_t erases;
    /* Transactions since it was last written. */
    uint32_t age;
};

struct nkv_client_sectors {
    /* Called for each sector, in order. Returning false ends the call. */
    bool (*sector)(void *context, const struct nkv_client_sector *sector);
    void *context;
    /* Set by the call, before the first sector. */
    uint32_t sector_size;
    uint32_t sector_count;
};

/*
 * Tells what each sector of a store holds.
 *
 * - NKV_CANCELLED: the callback returned false.
 */
NKV_MUST_USE enum nkv_status
nkv_client_sectors(struct nkv_client *client,
                   const struct nkv_call_options *call,
                   struct nkv_client_sectors *sectors);

enum nkv_client_finding_kind {
    /* An entry whose programming was interrupted: no loss, it was never
     * acknowledged. */
    NKV_CLIENT_FINDING_TORN,
    /* Bytes that are no entry, or no longer. */
    NKV_CLIENT_FINDING_CORRUPT,
    /* What an interrupted erase left. */
    NKV_CLIENT_FINDING_STALE_ERASE,
    /* An intact entry of a format that the device does not know. */
    NKV_CLIENT_FINDING_FOREIGN,
    /* An entry with fewer copies than configured. */
    NKV_CLIENT_FINDING_MISSING_COPY
};

struct nkv_client_finding {
    enum nkv_client_finding_kind kind;
    uint32_t sector;
    /* Bytes from the store's start; and how many are concerned. */
    uint32_t offset;
    uint32_t size;
    /* Empty where it is not known. Borrowed for the call of the callback. */
    struct nkv_span key;
    /* Another copy is intact: nothing is lost. */
    bool intact_elsewhere;
};

struct nkv_client_check {
    /* Called for each finding, in the order of offsets. Returning false ends
     * the check. */
    bool (*finding)(void *context, const struct nkv_client_finding *finding);
    /* Tells how many sectors are done, from time to time; may be NULL. */
    void (*progress)(void *context, uint32_t sectors, uint32_t sector_count);
    void *context;
    /* Set by the call: sectors in all, intact entries (tombstones and copies
     * included) and findings in those that were checked. */
    uint32_t sector_count;
    uint32_t entries;
    uint32_t findings;
};

/*
 * Has a device read and verify everything on a store's flash. Nothing is
 * changed, and other clients are served meanwhile; what they write may be
 * looked at or not. After a loss the check goes on with the sector where it
 * was: each finding is told once.
 *
 * - NKV_CANCELLED: the callback returned false.
 */
NKV_MUST_USE enum nkv_status
nkv_client_check(struct nkv_client *client, const struct nkv_call_options *call,
                 struct nkv_client_check *check);

enum nkv_collect_kind {
    NKV_COLLECT_PARTIAL = 0,
    NKV_COLLECT_FULL = 1,
    NKV_COLLECT_HEAVY = 2
};

/*
 * Collects garbage: PARTIAL the sector that gains most; FULL repairs and
 * upgrades entries, and collects when the store is rather full; HEAVY collects
 * all that gains, and drops tombstones. progress, which may be NULL, tells
 * steps of the device's own.
 *
 * - NKV_NOT_FOUND without a reason: PARTIAL found no sector that gains.
 * - NKV_RESOURCE_EXHAUSTED: there is no room to move entries.
 * - NKV_FAILED_PRECONDITION with NKV_REASON_STORE_READ_ONLY.
 */
NKV_MUST_USE enum nkv_status nkv_client_collect(
    struct nkv_client *client, const struct nkv_call_options *call,
    enum nkv_collect_kind kind, const struct nkv_client_progress *progress);

/*
 * Erases a store with all its keys. unit_id is the device's own, so that
 * nobody wipes the wrong board. progress, which may be NULL, tells steps of the
 * device's own.
 *
 * - NKV_INVALID_ARGUMENT with NKV_REASON_WRONG_UNIT_ID.
 * - NKV_UNKNOWN: the device's answer was lost, and the store has been written
 *   since: it was erased before that, or not. It is not erased again.
 */
NKV_MUST_USE enum nkv_status
nkv_client_erase_all(struct nkv_client *client,
                     const struct nkv_call_options *call, const char *unit_id,
                     const struct nkv_client_progress *progress);

#ifdef __cplusplus
}
#endif

#endif
