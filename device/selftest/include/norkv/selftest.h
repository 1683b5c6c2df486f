/*
 * The self-test of a port: does its flash driver do what norkv/flash.h asks
 * for? It works on one sector, the scratch sector, and only reads the others.
 *
 * At a board's start, before there is a line, on a sector that holds nothing:
 *
 *     struct nkv_selftest test;
 *     struct nkv_selftest_result result;
 *
 *     nkv_selftest_begin(&test, &setup);
 *     while (nkv_selftest_step(&test, &result) != NKV_SELFTEST_DONE) { }
 *     if (test.failed != NKV_SELFTEST_NONE) ...
 */
#ifndef NORKV_SELFTEST_H
#define NORKV_SELFTEST_H

#include <norkv/bytes.h>
#include <norkv/flash.h>
#include <stdbool.h>
#include <stdint.h>

/* What is checked, in this order. */
enum nkv_selftest_check {
    NKV_SELFTEST_NONE = 0,
    /* Sector size, sector count and program unit are ones that a store takes,
     * and the scratch sector is there. */
    NKV_SELFTEST_GEOMETRY = 1,
    /* After an erase all of the sector reads 0xFF. */
    NKV_SELFTEST_BLANK = 2,
    /* The first, the last and a middle unit are programmed alone: each reads
     * as programmed, everything else in the sector as before. */
    NKV_SELFTEST_UNITS = 3,
    /* The same of pieces of several units, across any page of the chip. */
    NKV_SELFTEST_PIECES = 4,
    /* Reads of 1 to 33 bytes at any address give these bytes and no more. */
    NKV_SELFTEST_READS = 5,
    /* Programming a unit again clears bits and sets none. Only when asked for:
     * flash with error correction does not allow it, and no store does it.
     * What the driver says about it is no failure. */
    NKV_SELFTEST_TWICE = 6,
    /* An erase makes a sector that is programmed to its end read 0xFF. */
    NKV_SELFTEST_ERASE = 7,
    /* No byte of any other sector has changed. */
    NKV_SELFTEST_OTHERS = 8,
    /* The clock never went back. */
    NKV_SELFTEST_CLOCK = 9
};

struct nkv_selftest_setup {
    const struct nkv_flash *flash;
    /* The scratch sector. What is in it is lost. */
    uint32_t sector;
    /* Scratch memory: one program unit or more; with less than two, pieces are
     * of one unit. 256 bytes are enough for any part; no more is used. */
    struct nkv_buffer buffer;
    /* Milliseconds since any moment; wraps. Gets clock_context. NULL: all times
     * are 0. */
    uint32_t (*now_ms)(void *context);
    void *clock_context;
    /* Try NKV_SELFTEST_TWICE. */
    bool tries_twice;
    /* Changes what is programmed; any number. */
    uint32_t seed;
};

/* What a check found. */
struct nkv_selftest_result {
    enum nkv_selftest_check check;
    bool passed;
    /* Of a check that failed: what the driver said; and where it said NKV_OK,
     * the first wrong byte, from the partition's start, what was read there and
     * what should have been. Of NKV_SELFTEST_OTHERS offset is 0. */
    enum nkv_status status;
    uint32_t offset;
    uint8_t found;
    uint8_t expected;
    /* Spent in the driver's erases, programs and reads, milliseconds; and how
     * many bytes were erased or programmed in it. */
    uint32_t time_ms;
    uint32_t bytes;
};

enum nkv_selftest_news {
    /* There is more to do. */
    NKV_SELFTEST_WORKING,
    /* The same, and a check is done. */
    NKV_SELFTEST_CHECKED,
    NKV_SELFTEST_DONE
};

/* A self-test. Members are private but those that are commented. */
struct nkv_selftest {
    /* The first check that failed. Behind it, only that of the other sectors
     * and of the clock is made. */
    enum nkv_selftest_check failed;
    const struct nkv_selftest_setup *setup;
    struct nkv_selftest_result result;
    uint32_t last_ms;
    uint32_t others_crc;
    uint32_t crc;
    uint32_t position;
    uint32_t filled;
    uint8_t phase;
    uint8_t singles;
    bool has_gone_back;
};

/* Begins a self-test; nothing is done yet. setup must stay until it is done. */
void nkv_selftest_begin(struct nkv_selftest *test,
                        const struct nkv_selftest_setup *setup);

/*
 * Does a piece of it: at most one erase, or one program and the reading of a
 * sector. Fills in *result with NKV_SELFTEST_CHECKED. The scratch sector is
 * erased when all has passed; when something failed, power included, it may
 * hold anything.
 */
enum nkv_selftest_news nkv_selftest_step(struct nkv_selftest *test,
                                         struct nkv_selftest_result *result);

#endif
