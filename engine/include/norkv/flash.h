/*
 * What the store needs from a NOR flash: geometry and three functions.
 *
 * A board port fills in one struct nkv_flash. All calls block until done.
 */
#ifndef NORKV_FLASH_H
#define NORKV_FLASH_H

#include <norkv/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /* The largest program unit, bytes. */
    NKV_PROGRAM_UNIT_MAX = 256,
    /* The largest sector, bytes: the store counts in 16-byte units, 16 bits. */
    NKV_SECTOR_SIZE_MAX = 65535 * 16
};

/*
 * A partition of NOR flash. Erased bytes read 0xFF; programming turns ones
 * into zeros.
 *
 * Every function returns NKV_OK or says why not:
 * - NKV_DATA_LOSS from read: these bytes are damaged for good (an ECC error).
 *   The store treats them as a corrupt entry and may erase them.
 * - anything else: the device did not answer. The store repeats a read a few
 *   times, then gives the status to its caller and leaves the flash as it is.
 *   Of NKV_NOT_FOUND, NKV_ALREADY_EXISTS, NKV_RESOURCE_EXHAUSTED,
 *   NKV_FAILED_PRECONDITION and NKV_ABORTED, which mean other things from a
 *   store, it makes NKV_INTERNAL.
 *
 * When power fails inside program, any prefix of the bytes may be programmed,
 * the byte behind it in part. When it fails inside erase, the sector may hold
 * anything. Other sectors must not be affected.
 */
struct nkv_flash {
    /* Bytes that one erase clears: a multiple of 16 and of program_unit,
     * 32 to NKV_SECTOR_SIZE_MAX; not necessarily a power of two. */
    uint32_t sector_size;
    /* Sectors in the partition, at least 2. */
    uint32_t sector_count;
    /* Smallest piece that can be programmed, bytes: a power of two up to
     * NKV_PROGRAM_UNIT_MAX. A unit is programmed once between erases. */
    uint32_t program_unit;

    /* Passed to each function as it is. */
    void *context;

    /* Reads size bytes at offset (bytes from the partition's start, any
     * alignment; never beyond its end). */
    enum nkv_status (*read)(void *context, uint32_t offset, void *to,
                            size_t size);
    /* Programs size bytes at offset, both multiples of program_unit, inside
     * one sector, lowest address first. */
    enum nkv_status (*program)(void *context, uint32_t offset, const void *from,
                               size_t size);
    /* Erases the sector whose number, from 0, is given. */
    enum nkv_status (*erase)(void *context, uint32_t sector);
};

/* Whether all functions are there and the sizes are what is said of them above,
 * the partition's fitting 32 bits: what a store takes. Touches no flash. */
bool nkv_flash_is_valid(const struct nkv_flash *flash);

#endif
