/* What the files of the flash simulator share. */
#ifndef NORKV_TESTS_FLASH_SIM_INTERNAL_H
#define NORKV_TESTS_FLASH_SIM_INTERNAL_H

#include "flash_sim.h"

enum nkv_status nkv_flash_sim_read(void *context, uint32_t offset, void *to,
                                   size_t size);
enum nkv_status nkv_flash_sim_program(void *context, uint32_t offset,
                                      const void *from, size_t size);
enum nkv_status nkv_flash_sim_erase(void *context, uint32_t sector);

bool nkv_flash_sim_is_blank(const uint8_t *bytes, size_t size);

/* Programs one unit, checked already. */
void nkv_flash_sim_program_unit(struct nkv_flash_sim *sim, uint32_t offset,
                                const uint8_t *from);

/* Tells that a byte of this unit is doubtful. */
void nkv_flash_sim_note_doubtful(struct nkv_flash_sim *sim, uint32_t offset);

/* Whether any byte may be. */
static inline bool nkv_flash_sim_has_doubtful(const struct nkv_flash_sim *sim)
{
    return sim->doubtful_from < sim->doubtful_to;
}

/* Gives each unit of a sector a state. */
void nkv_flash_sim_mark(struct nkv_flash_sim *sim, uint32_t sector,
                        enum nkv_sim_state state);

/* Programs a unit as far as the armed cut lets it. */
void nkv_flash_sim_cut_program(struct nkv_flash_sim *sim, uint32_t offset,
                               const uint8_t *from);

/* Erases a sector as far as the armed cut lets it. */
void nkv_flash_sim_cut_erase(struct nkv_flash_sim *sim, uint32_t sector);

/* Whether this call is one that goes wrong at random. */
bool nkv_flash_sim_is_flaky(struct nkv_flash_sim *sim);

/* A program that goes wrong in one of several ways. */
enum nkv_status nkv_flash_sim_flaky_program(struct nkv_flash_sim *sim,
                                            uint32_t offset,
                                            const uint8_t *from, size_t size);

/* An erase that goes wrong: sets *done when it was done all the same. */
enum nkv_status nkv_flash_sim_flaky_erase(struct nkv_flash_sim *sim,
                                          bool *done);

#endif
