/*
 * A NOR flash in memory that stops wrong use, counts, cuts power and fails.
 *
 * The flash member is what a store is given. Programs are carried out unit by
 * unit; each unit programmed and each sector erased is one operation, and the
 * power can be cut in the middle of any.
 */
#ifndef NORKV_TESTS_FLASH_SIM_H
#define NORKV_TESTS_FLASH_SIM_H

#include <norkv/flash.h>
#include <stdbool.h>

/* What a program unit has been through. */
enum nkv_sim_state {
    NKV_SIM_ERASED,
    NKV_SIM_PROGRAMMED,
    /* Its programming was cut short. */
    NKV_SIM_TORN,
    /* The erase of its sector was cut short and left bytes that are not 0xFF:
     * no unit of the sector may be programmed, erased as it may look. */
    NKV_SIM_HALF_ERASED,
    /* Its programming was cut short and some bits read differently from time to
     * time, until it is erased or programmed. */
    NKV_SIM_WEAK,
    /* Reads 0xFF throughout, but what is programmed reads back wrong. */
    NKV_SIM_WEAK_ERASED,
    /* Erased, and takes no program any more: it is torn by one, which says so.
     * An erase makes it failing again. */
    NKV_SIM_FAILING
};

/* How the operation that power fails in ends. */
enum nkv_sim_cut_kind {
    NKV_SIM_CUT_NONE,
    /* Nothing of the unit is programmed; the sector is as it was. */
    NKV_SIM_CUT_BEFORE,
    /* All of it was done; the caller does not hear of it. */
    NKV_SIM_CUT_AFTER,
    /* The first `amount` bytes of the unit, and a random part of the bits of
     * the next, are programmed; the first `amount` bytes of the sector are
     * erased. */
    NKV_SIM_CUT_TORN,
    /* Each bit that was to become 0 is 0, is 1 or reads at random (amount 0),
     * or all of them read at random (amount 1), or the unit is programmed but
     * for one of them that reads at random (amount 2). An erase leaves all
     * bytes 0xFF but NKV_SIM_WEAK_ERASED. */
    NKV_SIM_CUT_WEAK,
    /* Erase: each bit of the sector is 1 with a chance of amount eighths.
     * Program: each bit that was to become 0 does with that chance. */
    NKV_SIM_CUT_RANDOM
};

struct nkv_sim_cut {
    enum nkv_sim_cut_kind kind;
    /* The operation to cut, counted from 1 from the call of
     * nkv_flash_sim_cut on. */
    uint64_t at;
    uint32_t amount;
    uint32_t seed;
};

enum nkv_sim_fault_kind {
    NKV_SIM_FAULT_NONE,
    /* The call returns status and does nothing; a read fills in 0xA5. */
    NKV_SIM_FAULT_READ,
    NKV_SIM_FAULT_PROGRAM,
    NKV_SIM_FAULT_ERASE,
    /* The call does all it should, and returns status. */
    NKV_SIM_FAULT_LATE_PROGRAM,
    /* The call returns NKV_OK and does nothing. */
    NKV_SIM_FAULT_SILENT_PROGRAM,
    NKV_SIM_FAULT_SILENT_ERASE,
    /* The read returns NKV_OK, with the bits of `mask` in its middle byte
     * flipped. */
    NKV_SIM_FAULT_FLIPPED_READ,
    /* The bits of `mask` in the bytes of the range always read 0 or 1. */
    NKV_SIM_FAULT_STUCK_AT_0,
    NKV_SIM_FAULT_STUCK_AT_1
};

/* A fault of each call that touches the range [offset, offset + size). */
struct nkv_sim_fault {
    enum nkv_sim_fault_kind kind;
    uint32_t offset;
    uint32_t size;
    enum nkv_status status;
    /* Calls that fail, 0 for all of them, after `skip` that do not. */
    uint32_t times;
    uint32_t skip;
    uint8_t mask;
};

struct nkv_sim_counts {
    uint64_t reads;
    uint64_t read_bytes;
    /* Calls of program. */
    uint64_t programs;
    uint64_t programmed_bytes;
    uint64_t erases;
    /* Units programmed and sectors erased. */
    uint64_t operations;
    /* Reads that were disturbed. */
    uint64_t disturbed;
};

/* What the last cut hit, for a test to judge what it left. */
struct nkv_sim_wound {
    bool is_erase;
    uint32_t offset;
    uint32_t size;
    /* What was to be programmed, or what stood there before the erase. */
    uint8_t *intended;
};

enum { NKV_SIM_FAULTS_MAX = 8 };

struct nkv_flash_sim {
    /* Give this to the store. */
    struct nkv_flash flash;
    uint32_t size;
    uint32_t units;
    uint8_t *bytes;
    /* A bit is 1 where a bit of bytes reads at random. */
    uint8_t *doubtful;
    /* One enum nkv_sim_state a program unit. */
    uint8_t *states;
    /* 1 for each unit that fails for good. */
    uint8_t *failing;
    /* Erases of each sector. */
    uint32_t *erases;
    struct nkv_sim_counts counts;
    /* Calls that no store may make; violation tells the first. */
    uint32_t violations;
    const char *violation;
    struct nkv_sim_cut cut;
    bool is_off;
    bool has_failing;
    bool has_faults;
    /* No byte outside of [doubtful_from, doubtful_to) is doubtful. */
    uint32_t doubtful_from;
    uint32_t doubtful_to;
    struct nkv_sim_wound wound;
    struct nkv_sim_fault faults[NKV_SIM_FAULTS_MAX];
    /* When not 0: one program or erase in so many goes wrong, at random: it is
     * done not at all, in part or in full, and says so or not. */
    uint32_t flaky_every;
    /* When not 0: one read in so many, at random, has one of its bits flipped;
     * the flash itself stays as it is. */
    uint32_t disturb_every;
    uint64_t random;
    /* When not NULL: 'P' or 'E' for each operation, as far as it has room. */
    char *log;
    size_t log_capacity;
    size_t log_size;
};

/* Makes an erased flash. Ends the program when memory runs out. */
void nkv_flash_sim_init(struct nkv_flash_sim *sim, uint32_t sector_size,
                        uint32_t sector_count, uint32_t program_unit);

void nkv_flash_sim_free(struct nkv_flash_sim *sim);

/* Makes to, initialized with the same geometry, equal to from in all but its
 * log: a snapshot one way, a restore the other. */
void nkv_flash_sim_copy(struct nkv_flash_sim *to,
                        const struct nkv_flash_sim *from);

/* Replaces the contents by an image of the flash's size. Units that hold
 * nothing but 0xFF become erased, the others programmed. */
void nkv_flash_sim_load(struct nkv_flash_sim *sim, const uint8_t *image);

/* Arms a cut; the operations are counted from now on. */
void nkv_flash_sim_cut(struct nkv_flash_sim *sim, struct nkv_sim_cut cut);

/* Ends a power cut, or disarms one that has not happened. */
void nkv_flash_sim_power_on(struct nkv_flash_sim *sim);

/* Adds a fault; at most NKV_SIM_FAULTS_MAX at a time. */
void nkv_flash_sim_add_fault(struct nkv_flash_sim *sim,
                             struct nkv_sim_fault fault);

void nkv_flash_sim_clear_faults(struct nkv_flash_sim *sim);

/* Makes the unit that offset lies in fail from now on; one that is erased
 * becomes NKV_SIM_FAILING. Only a new flash heals it. */
void nkv_flash_sim_fail_unit(struct nkv_flash_sim *sim, uint32_t offset);

/* Changes a byte behind everyone's back. */
void nkv_flash_sim_poke(struct nkv_flash_sim *sim, uint32_t offset,
                        uint8_t byte);

/* Forgets what was counted, erases of each sector and violations included. */
void nkv_flash_sim_reset_counts(struct nkv_flash_sim *sim);

#endif
