/* The calls that a store makes. */
#include "flash_sim_internal.h"

#include "random.h"

#include <string.h>

static enum nkv_status violate(struct nkv_flash_sim *sim, const char *what)
{
    if (sim->violations++ == 0) {
        sim->violation = what;
    }
    return NKV_INTERNAL;
}

/* Whether [offset, offset + size) lies inside the flash. */
static bool is_inside(const struct nkv_flash_sim *sim, uint32_t offset,
                      size_t size)
{
    return offset <= sim->size && size <= sim->size - offset;
}

static struct nkv_sim_fault *find_fault(struct nkv_flash_sim *sim,
                                        enum nkv_sim_fault_kind kind,
                                        uint32_t offset, size_t size)
{
    for (size_t i = 0; i < NKV_SIM_FAULTS_MAX; i++) {
        struct nkv_sim_fault *fault = &sim->faults[i];

        if (fault->kind != kind || offset >= fault->offset + fault->size ||
            fault->offset >= offset + size) {
            continue;
        }
        if (fault->skip > 0) {
            fault->skip--;
            continue;
        }
        if (fault->times == 1) {
            fault->kind = NKV_SIM_FAULT_NONE;
        } else if (fault->times > 1) {
            fault->times--;
        }
        return fault;
    }
    return NULL;
}

/* The fault of this kind that a call runs into, or NULL; uses it up. */
static struct nkv_sim_fault *meet_fault(struct nkv_flash_sim *sim,
                                        enum nkv_sim_fault_kind kind,
                                        uint32_t offset, size_t size)
{
    return sim->has_faults ? find_fault(sim, kind, offset, size) : NULL;
}

static void apply_stuck(const struct nkv_flash_sim *sim, uint32_t offset,
                        uint8_t *to, size_t size)
{
    for (size_t i = 0; i < NKV_SIM_FAULTS_MAX; i++) {
        const struct nkv_sim_fault *fault = &sim->faults[i];

        if (fault->kind < NKV_SIM_FAULT_STUCK_AT_0) {
            continue;
        }
        for (size_t j = 0; j < size; j++) {
            if (offset + j - fault->offset >= fault->size) {
                continue;
            }
            to[j] = (uint8_t)(fault->kind == NKV_SIM_FAULT_STUCK_AT_0
                                  ? to[j] & ~fault->mask
                                  : to[j] | fault->mask);
        }
    }
}

/* A number is drawn for each byte: which images a test makes does not depend
 * on where the doubtful ones are kept. */
static void read_doubtful(struct nkv_flash_sim *sim, uint32_t offset,
                          uint8_t *out, size_t size)
{
    if (!nkv_flash_sim_has_doubtful(sim)) {
        return;
    }
    if (offset >= sim->doubtful_to || offset + size <= sim->doubtful_from) {
        nkv_random_skip(&sim->random, size);
        return;
    }
    for (size_t i = 0; i < size; i++) {
        out[i] ^=
            (uint8_t)(sim->doubtful[offset + i] & nkv_random(&sim->random));
    }
}

enum nkv_status nkv_flash_sim_read(void *context, uint32_t offset, void *to,
                                   size_t size)
{
    struct nkv_flash_sim *sim = context;
    const struct nkv_sim_fault *fault;
    uint8_t *out = to;

    if (sim->is_off) {
        return NKV_UNAVAILABLE;
    }
    if (!is_inside(sim, offset, size)) {
        return violate(sim, "read out of range");
    }
    sim->counts.reads++;
    sim->counts.read_bytes += size;
    fault = meet_fault(sim, NKV_SIM_FAULT_READ, offset, size);
    if (fault != NULL) {
        memset(to, 0xA5, size);
        return fault->status;
    }
    memcpy(to, sim->bytes + offset, size);
    fault = meet_fault(sim, NKV_SIM_FAULT_FLIPPED_READ, offset, size);
    if (fault != NULL) {
        out[size / 2] ^= fault->mask;
    }
    read_doubtful(sim, offset, out, size);
    if (sim->disturb_every > 0 && size > 0 &&
        nkv_random_below(&sim->random, sim->disturb_every) == 0) {
        sim->counts.disturbed++;
        out[nkv_random_below(&sim->random, (uint32_t)size)] ^=
            (uint8_t)(1u << nkv_random_below(&sim->random, 8));
    }
    if (sim->has_faults) {
        apply_stuck(sim, offset, to, size);
    }
    return NKV_OK;
}

/* Counts an operation. Whether the power fails in it. */
static bool begin_operation(struct nkv_flash_sim *sim, char kind)
{
    sim->counts.operations++;
    if (sim->log_size < sim->log_capacity) {
        sim->log[sim->log_size++] = kind;
    }
    if (sim->cut.kind == NKV_SIM_CUT_NONE || --sim->cut.at != 0) {
        return false;
    }
    sim->is_off = true;
    return true;
}

/* Units that may be programmed: those that look erased for all a store can
 * know. A weak one counts when every bit of it may read 1. */
static bool is_writable(const struct nkv_flash_sim *sim, uint32_t offset)
{
    uint32_t unit = sim->flash.program_unit;
    enum nkv_sim_state state = sim->states[offset / unit];

    if (state != NKV_SIM_WEAK) {
        return state == NKV_SIM_ERASED || state == NKV_SIM_WEAK_ERASED ||
               state == NKV_SIM_FAILING;
    }
    for (uint32_t i = 0; i < unit; i++) {
        if ((sim->bytes[offset + i] | sim->doubtful[offset + i]) != 0xFF) {
            return false;
        }
    }
    return true;
}

void nkv_flash_sim_program_unit(struct nkv_flash_sim *sim, uint32_t offset,
                                const uint8_t *from)
{
    uint32_t unit = sim->flash.program_unit;
    uint8_t *state = &sim->states[offset / unit];

    for (uint32_t i = 0; i < unit; i++) {
        uint8_t *byte = &sim->bytes[offset + i];
        uint8_t doubt = sim->doubtful[offset + i];

        /* What was doubtful is settled by the programming pulse. */
        *byte ^= (uint8_t)(doubt & nkv_random(&sim->random));
        *byte &= from[i];
        sim->doubtful[offset + i] = 0;
    }
    if (*state == NKV_SIM_WEAK_ERASED) {
        uint32_t at = nkv_random_below(&sim->random, unit);
        sim->bytes[offset + at] ^=
            (uint8_t)(1u << nkv_random_below(&sim->random, 8));
    }
    *state = NKV_SIM_PROGRAMMED;
}

void nkv_flash_sim_mark(struct nkv_flash_sim *sim, uint32_t sector,
                        enum nkv_sim_state state)
{
    uint32_t units = sim->flash.sector_size / sim->flash.program_unit;

    memset(sim->states + (size_t)sector * units, (int)state, units);
    for (uint32_t i = 0; sim->has_failing && i < units; i++) {
        if (state == NKV_SIM_ERASED && sim->failing[sector * units + i]) {
            sim->states[sector * units + i] = NKV_SIM_FAILING;
        }
    }
}

/* A unit that fails takes a random part of its bits. */
static void program_failing_unit(struct nkv_flash_sim *sim, uint32_t offset,
                                 const uint8_t *from)
{
    for (uint32_t i = 0; i < sim->flash.program_unit; i++) {
        sim->bytes[offset + i] &=
            (uint8_t)(from[i] | nkv_random(&sim->random) % 256);
    }
    sim->states[offset / sim->flash.program_unit] = NKV_SIM_TORN;
}

static enum nkv_status check_program(struct nkv_flash_sim *sim, uint32_t offset,
                                     size_t size)
{
    uint32_t unit = sim->flash.program_unit;
    uint32_t sector_size = sim->flash.sector_size;

    if (size == 0 || !is_inside(sim, offset, size)) {
        return violate(sim, "program out of range");
    }
    if (offset % unit != 0 || size % unit != 0) {
        return violate(sim, "unaligned program");
    }
    if (offset / sector_size != (offset + size - 1) / sector_size) {
        return violate(sim, "program across sectors");
    }
    for (uint32_t at = 0; at < size; at += unit) {
        if (!is_writable(sim, offset + at)) {
            return violate(sim, "program of a unit that is not erased");
        }
    }
    return NKV_OK;
}

/* Programs unit by unit until the power fails. */
static enum nkv_status program_units(struct nkv_flash_sim *sim, uint32_t offset,
                                     const uint8_t *from, size_t size)
{
    for (uint32_t at = 0; at < size; at += sim->flash.program_unit) {
        if (begin_operation(sim, 'P')) {
            nkv_flash_sim_cut_program(sim, offset + at, from + at);
            return NKV_UNAVAILABLE;
        }
        if (sim->states[(offset + at) / sim->flash.program_unit] ==
            NKV_SIM_FAILING) {
            program_failing_unit(sim, offset + at, from + at);
            return NKV_UNAVAILABLE;
        }
        nkv_flash_sim_program_unit(sim, offset + at, from + at);
        sim->counts.programmed_bytes += sim->flash.program_unit;
    }
    return NKV_OK;
}

enum nkv_status nkv_flash_sim_program(void *context, uint32_t offset,
                                      const void *from, size_t size)
{
    struct nkv_flash_sim *sim = context;
    const struct nkv_sim_fault *fault;
    enum nkv_status status;

    if (sim->is_off) {
        return NKV_UNAVAILABLE;
    }
    status = check_program(sim, offset, size);
    if (status != NKV_OK) {
        return status;
    }
    sim->counts.programs++;
    if (nkv_flash_sim_is_flaky(sim)) {
        return nkv_flash_sim_flaky_program(sim, offset, from, size);
    }
    if (meet_fault(sim, NKV_SIM_FAULT_SILENT_PROGRAM, offset, size) != NULL) {
        return NKV_OK;
    }
    fault = meet_fault(sim, NKV_SIM_FAULT_PROGRAM, offset, size);
    if (fault != NULL) {
        return fault->status;
    }
    fault = meet_fault(sim, NKV_SIM_FAULT_LATE_PROGRAM, offset, size);
    status = program_units(sim, offset, from, size);
    return fault != NULL && status == NKV_OK ? fault->status : status;
}

enum nkv_status nkv_flash_sim_erase(void *context, uint32_t sector)
{
    struct nkv_flash_sim *sim = context;
    uint32_t size = sim->flash.sector_size;
    const struct nkv_sim_fault *fault;
    enum nkv_status status = NKV_OK;
    bool is_done = false;

    if (sim->is_off) {
        return NKV_UNAVAILABLE;
    }
    if (sector >= sim->flash.sector_count) {
        return violate(sim, "erase out of range");
    }
    if (meet_fault(sim, NKV_SIM_FAULT_SILENT_ERASE, sector * size, size)) {
        return NKV_OK;
    }
    fault = meet_fault(sim, NKV_SIM_FAULT_ERASE, sector * size, size);
    if (fault != NULL) {
        return fault->status;
    }
    if (nkv_flash_sim_is_flaky(sim)) {
        status = nkv_flash_sim_flaky_erase(sim, &is_done);
        if (!is_done) {
            return status;
        }
    }
    sim->counts.erases++;
    sim->erases[sector]++;
    if (begin_operation(sim, 'E')) {
        nkv_flash_sim_cut_erase(sim, sector);
        return NKV_UNAVAILABLE;
    }
    memset(sim->bytes + (size_t)sector * size, 0xFF, size);
    memset(sim->doubtful + (size_t)sector * size, 0, size);
    nkv_flash_sim_mark(sim, sector, NKV_SIM_ERASED);
    return status;
}
