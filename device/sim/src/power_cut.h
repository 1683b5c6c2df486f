/*
 * A power cut at a chosen operation, and what it leaves on the flash.
 *
 * Operations are counted from 1: each program unit and each erase is one.
 */
#ifndef NORKV_SIM_POWER_CUT_H
#define NORKV_SIM_POWER_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum nkv_cut_variant {
    /* Nothing of the operation is done. */
    NKV_CUT_UNTOUCHED,
    /* A unit: a prefix of its bytes is programmed, and some bits of the next
     * byte. A sector: every bit is arbitrary. */
    NKV_CUT_TORN,
    /* A unit: its first half is programmed (of a unit of one byte the low four
     * bits). A sector: its first half is erased, the rest is as it was. */
    NKV_CUT_HALF,
    /* The operation is done, and nobody is told. */
    NKV_CUT_WHOLE
};

struct nkv_power_cut {
    /* The operation; 0: never. */
    uint64_t at;
    enum nkv_cut_variant variant;
};

/*
 * Reads N[:VARIANT], N from 1 on, VARIANT untouched, torn, half or whole; torn
 * unless given. False: the text is something else, and cut is as it was.
 */
bool nkv_power_cut_parse(const char *text, struct nkv_power_cut *cut);

/* The variant's name as parsed. Static storage. */
const char *nkv_cut_variant_name(enum nkv_cut_variant variant);

/* Makes of an erased unit of size bytes, at least 1, what is left when the
 * power goes while from is being programmed. The same cut leaves the same. */
void nkv_power_cut_program(const struct nkv_power_cut *cut, const uint8_t *from,
                           uint8_t *unit, size_t size);

/* Makes of a sector's size bytes what is left when the power goes while it is
 * being erased. */
void nkv_power_cut_erase(const struct nkv_power_cut *cut, uint8_t *sector,
                         size_t size);

#endif
