#include "flash_sim_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *take_memory(size_t size)
{
    void *memory = calloc(1, size);

    if (memory == NULL) {
        fprintf(stderr, "flash_sim: out of memory\n");
        exit(1);
    }
    return memory;
}

bool nkv_flash_sim_is_blank(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0xFF) {
            return false;
        }
    }
    return true;
}

void nkv_flash_sim_note_doubtful(struct nkv_flash_sim *sim, uint32_t offset)
{
    uint32_t end = offset + sim->flash.program_unit;

    if (!nkv_flash_sim_has_doubtful(sim)) {
        sim->doubtful_from = offset;
        sim->doubtful_to = end;
    } else if (offset < sim->doubtful_from) {
        sim->doubtful_from = offset;
    } else if (end > sim->doubtful_to) {
        sim->doubtful_to = end;
    }
}

void nkv_flash_sim_init(struct nkv_flash_sim *sim, uint32_t sector_size,
                        uint32_t sector_count, uint32_t program_unit)
{
    memset(sim, 0, sizeof *sim);
    sim->flash = (struct nkv_flash){
        .sector_size = sector_size,
        .sector_count = sector_count,
        .program_unit = program_unit,
        .context = sim,
        .read = nkv_flash_sim_read,
        .program = nkv_flash_sim_program,
        .erase = nkv_flash_sim_erase,
    };
    sim->size = sector_size * sector_count;
    sim->units = sim->size / program_unit;
    sim->bytes = take_memory(sim->size);
    memset(sim->bytes, 0xFF, sim->size);
    sim->doubtful = take_memory(sim->size);
    sim->states = take_memory(sim->units);
    sim->failing = take_memory(sim->units);
    sim->erases = take_memory(sector_count * sizeof *sim->erases);
    sim->wound.intended =
        take_memory(sector_size > program_unit ? sector_size : program_unit);
    sim->random = 1;
}

void nkv_flash_sim_free(struct nkv_flash_sim *sim)
{
    free(sim->bytes);
    free(sim->doubtful);
    free(sim->states);
    free(sim->failing);
    free(sim->erases);
    free(sim->wound.intended);
}

void nkv_flash_sim_copy(struct nkv_flash_sim *to,
                        const struct nkv_flash_sim *from)
{
    struct nkv_flash_sim kept = *to;

    *to = *from;
    to->flash.context = to;
    to->bytes = kept.bytes;
    to->doubtful = kept.doubtful;
    to->states = kept.states;
    to->failing = kept.failing;
    to->erases = kept.erases;
    to->wound.intended = kept.wound.intended;
    to->log = kept.log;
    to->log_capacity = kept.log_capacity;
    to->log_size = kept.log_size;
    memcpy(to->bytes, from->bytes, from->size);
    memcpy(to->states, from->states, from->units);
    memcpy(to->erases, from->erases,
           from->flash.sector_count * sizeof *from->erases);
    if (nkv_flash_sim_has_doubtful(from)) {
        memcpy(to->doubtful, from->doubtful, from->size);
    } else if (nkv_flash_sim_has_doubtful(&kept)) {
        memset(to->doubtful, 0, from->size);
    }
    if (from->has_failing || kept.has_failing) {
        memcpy(to->failing, from->failing, from->units);
    }
    memcpy(to->wound.intended, from->wound.intended, from->wound.size);
}

void nkv_flash_sim_load(struct nkv_flash_sim *sim, const uint8_t *image)
{
    uint32_t unit = sim->flash.program_unit;

    memcpy(sim->bytes, image, sim->size);
    memset(sim->doubtful, 0, sim->size);
    sim->doubtful_from = sim->doubtful_to = 0;
    for (uint32_t i = 0; i < sim->units; i++) {
        if (!nkv_flash_sim_is_blank(image + (size_t)i * unit, unit)) {
            sim->states[i] = NKV_SIM_PROGRAMMED;
        } else {
            sim->states[i] = sim->failing[i] ? NKV_SIM_FAILING : NKV_SIM_ERASED;
        }
    }
}

void nkv_flash_sim_cut(struct nkv_flash_sim *sim, struct nkv_sim_cut cut)
{
    sim->cut = cut;
}

void nkv_flash_sim_power_on(struct nkv_flash_sim *sim)
{
    sim->is_off = false;
    sim->cut.kind = NKV_SIM_CUT_NONE;
}

void nkv_flash_sim_add_fault(struct nkv_flash_sim *sim,
                             struct nkv_sim_fault fault)
{
    for (size_t i = 0; i < NKV_SIM_FAULTS_MAX; i++) {
        if (sim->faults[i].kind == NKV_SIM_FAULT_NONE) {
            sim->faults[i] = fault;
            sim->has_faults = true;
            return;
        }
    }
    fprintf(stderr, "flash_sim: too many faults\n");
    exit(1);
}

void nkv_flash_sim_clear_faults(struct nkv_flash_sim *sim)
{
    memset(sim->faults, 0, sizeof sim->faults);
    sim->has_faults = false;
}

void nkv_flash_sim_fail_unit(struct nkv_flash_sim *sim, uint32_t offset)
{
    uint32_t unit = offset / sim->flash.program_unit;

    sim->failing[unit] = 1;
    sim->has_failing = true;
    if (sim->states[unit] == NKV_SIM_ERASED) {
        sim->states[unit] = NKV_SIM_FAILING;
    }
}

void nkv_flash_sim_poke(struct nkv_flash_sim *sim, uint32_t offset,
                        uint8_t byte)
{
    uint8_t *state = &sim->states[offset / sim->flash.program_unit];

    sim->bytes[offset] = byte;
    if (byte != 0xFF &&
        (*state == NKV_SIM_ERASED || *state == NKV_SIM_FAILING)) {
        *state = NKV_SIM_PROGRAMMED;
    }
}

void nkv_flash_sim_reset_counts(struct nkv_flash_sim *sim)
{
    sim->counts = (struct nkv_sim_counts){0};
    memset(sim->erases, 0, sim->flash.sector_count * sizeof *sim->erases);
    sim->violations = 0;
    sim->violation = NULL;
}
