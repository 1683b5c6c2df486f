/*
 * A survey of everything on the flash, place by place: for tools that check or
 * dump a partition. It reads, and never writes.
 */
#ifndef NORKV_SURVEY_H
#define NORKV_SURVEY_H

#include <norkv/store.h>

enum nkv_place_kind {
    /* A current entry: the key's value. */
    NKV_PLACE_LIVE,
    /* A current tombstone. */
    NKV_PLACE_TOMBSTONE,
    /* An intact entry that a newer one or another copy supersedes, or a gap
     * that can no longer be written. */
    NKV_PLACE_STALE,
    /* Erased and writable. */
    NKV_PLACE_FREE,
    /* An entry whose programming was interrupted. */
    NKV_PLACE_TORN,
    /* Bytes that are no entry, or no longer. */
    NKV_PLACE_CORRUPT,
    /* What an interrupted erase left. */
    NKV_PLACE_STALE_ERASE,
    /* An intact entry of an unknown format. */
    NKV_PLACE_FOREIGN,
    /* A current entry that has fewer copies than configured: reported once
     * for the key, besides its NKV_PLACE_LIVE or NKV_PLACE_TOMBSTONE, with
     * size 0. */
    NKV_PLACE_MISSING_COPY
};

struct nkv_place {
    enum nkv_place_kind kind;
    uint32_t sector;
    /* Bytes from the partition's start. */
    uint32_t offset;
    /* Bytes. The sizes of all places add up to the partition. */
    uint32_t size;
    /* Of an entry, and of a torn or corrupt one whose key can be read and
     * looks sound; key_size is 0 where it is not known. */
    uint8_t key[NKV_KEY_SIZE_MAX];
    uint8_t key_size;
    /* The transaction id, 0 where not known. */
    uint32_t version;
    /* Of NKV_PLACE_TORN and NKV_PLACE_CORRUPT: an intact entry with this key
     * and version lies elsewhere, so nothing is lost. */
    bool intact_elsewhere;
};

/*
 * Calls visit for each place on the flash of a mounted store, in the order of
 * offsets, until it returns false. place is valid during the call only. visit
 * is called within the store's lock and must not use the store.
 *
 * Every entry is read and verified, also after a fast mount. NKV_OK, also when
 * visit has ended it; NKV_FAILED_PRECONDITION: the store is not mounted; or a
 * status of the driver. After NKV_FAILED_PRECONDITION, NKV_RESOURCE_EXHAUSTED
 * or NKV_DATA_LOSS from nkv_mount the survey works too.
 */
NKV_MUST_USE enum nkv_status
nkv_survey(struct nkv_store *store,
           bool (*visit)(void *context, const struct nkv_place *place),
           void *context);

/*
 * nkv_survey of one sector, for a survey that leaves room for other work: of a
 * store that is not written meanwhile, the surveys of all sectors, one after
 * another, visit what one nkv_survey visits. What is written between them, or
 * moved by a collection, which verifies what it moves, may be visited not at
 * all or twice; what one survey tells of its sector is true.
 *
 * Statuses as nkv_survey; NKV_OUT_OF_RANGE: there is no such sector.
 */
NKV_MUST_USE enum nkv_status
nkv_survey_sector(struct nkv_store *store, uint32_t sector,
                  bool (*visit)(void *context, const struct nkv_place *place),
                  void *context);

#endif
