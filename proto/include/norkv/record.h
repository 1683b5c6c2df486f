/*
 * Records, as Backup and Restore carry them and as a digest sees them
 * (docs/protocol.md, Records):
 *
 *     varint key size | varint value size | key | value
 *
 * A digest does not depend on the order of records: it is the sum modulo 2^64
 * of the FNV-1a hash of each.
 */
#ifndef NORKV_RECORD_H
#define NORKV_RECORD_H

#include <norkv/bytes.h>
#include <norkv/status.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NKV_RECORD_KEY_MAX = 63,
    NKV_RECORD_VALUE_MAX = 65535,
    /* What stands in front of the value. */
    NKV_RECORD_HEAD_MAX = 1 + 3 + NKV_RECORD_KEY_MAX
};

struct nkv_record {
    struct nkv_span key;
    struct nkv_span value;
};

/* Bytes of a record with a key and a value of these sizes. */
size_t nkv_record_size(size_t key_size, size_t value_size);

/*
 * Writes what stands in front of the value, the key included, and returns its
 * size. key has 1 to NKV_RECORD_KEY_MAX bytes, value_size is
 * NKV_RECORD_VALUE_MAX at most.
 */
size_t nkv_record_head(uint8_t head[NKV_RECORD_HEAD_MAX], struct nkv_span key,
                       size_t value_size);

/*
 * Takes the first record off records, which then begins behind it. Its pieces
 * lie in records.
 *
 * - NKV_NOT_FOUND: records is empty.
 * - NKV_DATA_LOSS: these bytes are no whole record; records stays as it is.
 */
NKV_MUST_USE enum nkv_status nkv_record_next(struct nkv_span *records,
                                             struct nkv_record *record);

/* What a number of records amount to. All zero: none. */
struct nkv_digest {
    uint64_t sum;
    uint32_t records;
    /* Of keys and values. */
    uint64_t bytes;
};

/* FNV-1a, 64 bits: start with this, and go over the bytes in any pieces. The
 * hash of "foobar" is 85944171F73967E8 (draft-eastlake-fnv). */
#define NKV_FNV64_START UINT64_C(0xCBF29CE484222325)
uint64_t nkv_fnv64(uint64_t hash, const uint8_t *data, size_t size);

/* Adds a record to a digest. */
void nkv_digest_add(struct nkv_digest *digest, struct nkv_span key,
                    struct nkv_span value);

#endif
