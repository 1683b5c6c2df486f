/* All records of a store at a time: backup, digest and restore. */
#ifndef NORKV_CLIENT_TRANSFER_H
#define NORKV_CLIENT_TRANSFER_H

#include <norkv/client_calls.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What to back up. */
struct nkv_client_backup {
    /* Only keys that start with this; empty: all. */
    struct nkv_span prefix;
    /*
     * Called for each record, with its value, in no order; version is 0, as a
     * backup says nothing of versions. Of a damaged entry there is only its
     * status, and its key where that is known. Returning false ends the backup.
     */
    bool (*record)(void *context, const struct nkv_client_record *record);
    void *context;
    /* Set by the call: the store was written meanwhile, so that what came is
     * no snapshot. It may have been while false, too, when a part had to be
     * asked for again: nkv_client_digest tells. */
    bool changed;
    /* Damaged entries among those that came. */
    uint32_t damaged;
};

/*
 * Reads all records whose keys start with a prefix, many in each packet. A key
 * that is there throughout comes once, also when parts get lost on the line or
 * the device restarts: the stream goes on behind the last key that came, for
 * as long as the deadline allows. Records that fit no packet come last.
 *
 * - NKV_CANCELLED: the callback returned false.
 * - NKV_FAILED_PRECONDITION with NKV_REASON_STORE_READ_ONLY, after all records:
 *   the store did not mount whole, there may be more.
 */
NKV_MUST_USE enum nkv_status
nkv_client_backup(struct nkv_client *client,
                  const struct nkv_call_options *call,
                  struct nkv_client_backup *backup);

/* What the records of a store amount to. */
struct nkv_client_digest {
    uint32_t records;
    /* Of their keys and values, modulo 2^32. */
    uint32_t bytes;
    /* docs/protocol.md, "Records": it does not depend on their order. */
    uint64_t digest;
    /* Entries that cannot be read, and are in none of these. */
    uint32_t damaged;
    /* The store was written meanwhile: the figures may be those of no moment.
     */
    bool changed;
};

/*
 * Has the device read all records whose keys start with a prefix, and tell what
 * they amount to: two ends are compared without a copy. progress, which may be
 * NULL, tells how many were read; fewer again when the device had to begin
 * anew. digest is all zero after a failure, but after this one:
 *
 * - NKV_FAILED_PRECONDITION with NKV_REASON_STORE_READ_ONLY: the store did not
 *   mount whole, there may be more.
 */
NKV_MUST_USE enum nkv_status
nkv_client_digest(struct nkv_client *client,
                  const struct nkv_call_options *call, struct nkv_span prefix,
                  struct nkv_client_digest *digest,
                  const struct nkv_client_progress *progress);

/* Records to put, and what became of them. */
struct nkv_client_restore {
    /*
     * Gives the next record, or NKV_NOT_FOUND when there are no more; any other
     * status ends the upload with it. The bytes are copied.
     */
    enum nkv_status (*next)(void *context, struct nkv_span *key,
                            struct nkv_span *value);
    /* Called when the device has acknowledged more. NULL: nobody looks. */
    void (*progress)(void *context, const struct nkv_client_restore *restore);
    void *context;
    /* Bytes of records in a chunk, as far as the device takes so much. 0: what
     * is best for its buffers and the line. */
    uint32_t chunk_size;

    /* Set by the call from here on, also when it fails. The first so many
     * records are on the device's flash: an upload that failed can go on behind
     * them. */
    uint32_t records;
    /* At least so many of them were not there already. */
    uint32_t written;
    /* Of their keys and values. */
    uint64_t bytes;
    /* How often it went on with a new call, because the device was restarted
     * or had given the old one up. */
    uint32_t resumed;
    /* The key that failed; size 0: none did, or it is not known. */
    uint8_t failed_key[NKV_CLIENT_KEY_SIZE_MAX];
    size_t failed_key_size;
};

/*
 * Puts records, as many in flight as the device's receive buffer and the line
 * have room for (Store.Restore). What the line loses is sent again; all is
 * checked by the device with a CRC-32 of the whole, beside that of each frame.
 * A record that is there already costs no flash. There is one upload at a time
 * on a device.
 *
 * - a status of next.
 * - NKV_UNIMPLEMENTED: the device has no such method (an older firmware,
 *   or one built without it):
 *   nkv_client_apply does the same, slower. Nothing was put.
 * - NKV_INVALID_ARGUMENT: a record has no key, a key that is too long, or a
 *   value that fits no frame or no sector; failed_key tells which.
 * - NKV_RESOURCE_EXHAUSTED: the store or its table of keys is full.
 * - NKV_FAILED_PRECONDITION with NKV_REASON_STORE_READ_ONLY.
 * - NKV_ABORTED: another client has erased the store, or began an upload.
 * - NKV_DATA_LOSS: what arrived is not what was sent, or the device failed at
 *   its flash.
 */
NKV_MUST_USE enum nkv_status
nkv_client_restore(struct nkv_client *client,
                   const struct nkv_call_options *call,
                   struct nkv_client_restore *restore);

#ifdef __cplusplus
}
#endif

#endif
