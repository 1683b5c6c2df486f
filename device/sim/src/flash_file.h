/*
 * A NOR flash kept in a file.
 *
 * Each program unit and each erase reaches the file before the call returns, in
 * the order of the calls, so that a process that is killed is a power cut. Only
 * the file's bytes count: a unit is erased when all of them are 0xFF.
 */
#ifndef NORKV_SIM_FLASH_FILE_H
#define NORKV_SIM_FLASH_FILE_H

#include "power_cut.h"

#include <norkv/flash.h>
#include <norkv/geometry.h>
#include <norkv/status.h>
#include <stdint.h>

/* What the flash was asked for since it was opened. */
struct nkv_flash_counters {
    /* Program units. */
    uint64_t programs;
    uint64_t erases;
    /* Calls that were refused, with nothing of them done: programming what is
     * not erased; and unaligned, crossing sectors, or out of range. */
    uint64_t refused_programs;
    uint64_t refused_calls;
};

/* A flash in a file. flash is what the store takes; its context is this struct,
 * which must stay where it is. */
struct nkv_flash_file {
    struct nkv_flash flash;
    struct nkv_flash_counters counters;
    struct nkv_power_cut cut;
    /* The operations that cut counts, of all flashes of the device; NULL: of
     * this one alone. */
    uint64_t *operations;
    /* Which flash it is, for what is said when the power goes; NULL: there is
     * no other. */
    const char *name;
    int fd;
    /* Where the file is, if it was created; else NULL. */
    const char *created;
};

/*
 * Opens the file, or creates it erased, and locks it against other simulators.
 * A file that cannot be created whole is not created. path must last as long as
 * file is open.
 *
 * cut: when its operation is reached, the process says so on standard error
 * and ends at once with NKV_SIM_POWER_CUT.
 *
 * Says on standard error what is wrong, and leaves the file as it is:
 * - NKV_INVALID_ARGUMENT: the file's size is not the geometry's, or it is no
 *   file at all.
 * - NKV_UNAVAILABLE: it cannot be opened or created, or is in use.
 */
NKV_MUST_USE enum nkv_status
nkv_flash_file_open(struct nkv_flash_file *file, const char *path,
                    const struct nkv_geometry *geometry,
                    struct nkv_power_cut cut);

/* Closes the file, and removes it if it was created: for what came to nothing
 * before the flash was of use. */
void nkv_flash_file_discard(struct nkv_flash_file *file);

/* Closes the file. */
void nkv_flash_file_close(struct nkv_flash_file *file);

#endif
