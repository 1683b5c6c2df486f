/* What is left of an operation that the power failed in. */
#include "flash_sim_internal.h"

#include "random.h"

#include <string.h>

/* The bits of mask, each with a chance of eighths / 8. */
static uint8_t some_bits(uint64_t *random, uint8_t mask, uint32_t eighths)
{
    uint8_t bits = 0;

    for (unsigned bit = 0; bit < 8; bit++) {
        if (nkv_random_below(random, 8) < eighths) {
            bits |= (uint8_t)(1u << bit);
        }
    }
    return bits & mask;
}

/* What a cut does to one byte of a unit: to_clear are the bits that were to
 * become 0. */
static void cut_byte(struct nkv_flash_sim *sim, uint32_t offset, uint32_t index,
                     uint8_t to_clear, uint64_t *random)
{
    const struct nkv_sim_cut *cut = &sim->cut;
    uint8_t *byte = &sim->bytes[offset + index];
    uint8_t *doubtful = &sim->doubtful[offset + index];

    if (cut->kind == NKV_SIM_CUT_AFTER ||
        (cut->kind == NKV_SIM_CUT_TORN && index < cut->amount)) {
        *byte &= (uint8_t)~to_clear;
    } else if (cut->kind == NKV_SIM_CUT_TORN && index == cut->amount) {
        *byte &= (uint8_t)~some_bits(random, to_clear, 4);
    } else if (cut->kind == NKV_SIM_CUT_RANDOM) {
        *byte &= (uint8_t)~some_bits(random, to_clear, cut->amount);
    } else if (cut->kind == NKV_SIM_CUT_WEAK && cut->amount == 1) {
        *doubtful |= to_clear;
    } else if (cut->kind == NKV_SIM_CUT_WEAK) {
        uint8_t cleared = some_bits(random, to_clear, 3);
        *byte &= (uint8_t)~cleared;
        *doubtful |= some_bits(random, to_clear & (uint8_t)~cleared, 4);
    }
}

/* Programs a unit but for one bit, which becomes doubtful. */
static void leave_one_bit(struct nkv_flash_sim *sim, uint32_t offset,
                          const uint8_t *from, uint64_t *random)
{
    uint32_t unit = sim->flash.program_unit;

    nkv_flash_sim_program_unit(sim, offset, from);
    sim->states[offset / unit] = NKV_SIM_TORN;
    for (unsigned tries = 0; tries < 1000; tries++) {
        uint32_t at = nkv_random_below(random, unit);
        uint8_t bit = (uint8_t)(1u << nkv_random_below(random, 8));

        if ((from[at] & bit) == 0) {
            sim->bytes[offset + at] |= bit;
            sim->doubtful[offset + at] = bit;
            sim->states[offset / unit] = NKV_SIM_WEAK;
            nkv_flash_sim_note_doubtful(sim, offset);
            return;
        }
    }
}

/* The state of a unit after the programming of it was cut. */
static enum nkv_sim_state state_after_cut(const struct nkv_flash_sim *sim,
                                          uint32_t offset)
{
    enum nkv_sim_state state = NKV_SIM_ERASED;

    if (sim->cut.kind == NKV_SIM_CUT_AFTER) {
        return NKV_SIM_PROGRAMMED;
    }
    for (uint32_t i = 0; i < sim->flash.program_unit; i++) {
        if (sim->doubtful[offset + i] != 0) {
            return NKV_SIM_WEAK;
        }
        if (sim->bytes[offset + i] != 0xFF) {
            state = NKV_SIM_TORN;
        }
    }
    return state;
}

static void wound(struct nkv_flash_sim *sim, bool is_erase, uint32_t offset,
                  uint32_t size, const uint8_t *intended)
{
    sim->wound.is_erase = is_erase;
    sim->wound.offset = offset;
    sim->wound.size = size;
    memcpy(sim->wound.intended, intended, size);
}

void nkv_flash_sim_cut_program(struct nkv_flash_sim *sim, uint32_t offset,
                               const uint8_t *from)
{
    uint64_t random = sim->cut.seed;
    uint32_t unit = sim->flash.program_unit;

    wound(sim, false, offset, unit, from);
    if (sim->cut.kind == NKV_SIM_CUT_BEFORE) {
        return;
    }
    if (sim->states[offset / unit] != NKV_SIM_ERASED) {
        nkv_flash_sim_program_unit(sim, offset, from);
        sim->states[offset / unit] = NKV_SIM_TORN;
        return;
    }
    if (sim->cut.kind == NKV_SIM_CUT_WEAK && sim->cut.amount == 2) {
        leave_one_bit(sim, offset, from, &random);
        return;
    }
    for (uint32_t i = 0; i < unit; i++) {
        uint8_t to_clear = sim->bytes[offset + i] & (uint8_t)~from[i];
        cut_byte(sim, offset, i, to_clear, &random);
    }
    sim->states[offset / unit] = (uint8_t)state_after_cut(sim, offset);
    if (sim->states[offset / unit] == NKV_SIM_WEAK) {
        nkv_flash_sim_note_doubtful(sim, offset);
    }
}

void nkv_flash_sim_cut_erase(struct nkv_flash_sim *sim, uint32_t sector)
{
    const struct nkv_sim_cut *cut = &sim->cut;
    uint32_t size = sim->flash.sector_size;
    uint8_t *bytes = sim->bytes + (size_t)sector * size;
    uint64_t random = cut->seed;

    wound(sim, true, sector * size, size, bytes);
    if (cut->kind == NKV_SIM_CUT_BEFORE ||
        (cut->kind == NKV_SIM_CUT_TORN && cut->amount == 0)) {
        return;
    }
    memset(sim->doubtful + (size_t)sector * size, 0, size);
    if (cut->kind == NKV_SIM_CUT_TORN) {
        memset(bytes, 0xFF, cut->amount < size ? cut->amount : size);
    } else if (cut->kind == NKV_SIM_CUT_RANDOM) {
        for (uint32_t i = 0; i < size; i++) {
            bytes[i] = some_bits(&random, 0xFF, cut->amount);
        }
    } else {
        memset(bytes, 0xFF, size);
    }
    if (cut->kind == NKV_SIM_CUT_WEAK) {
        nkv_flash_sim_mark(sim, sector, NKV_SIM_WEAK_ERASED);
    } else {
        nkv_flash_sim_mark(sim, sector,
                           nkv_flash_sim_is_blank(bytes, size)
                               ? NKV_SIM_ERASED
                               : NKV_SIM_HALF_ERASED);
    }
}
