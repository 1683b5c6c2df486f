/* Programs and erases that go wrong at random. */
#include "flash_sim_internal.h"

#include "random.h"

bool nkv_flash_sim_is_flaky(struct nkv_flash_sim *sim)
{
    return sim->flaky_every > 0 &&
           nkv_random_below(&sim->random, sim->flaky_every) == 0;
}

/* Programs some of the units; whether the last of them is torn is random. */
enum nkv_status nkv_flash_sim_flaky_program(struct nkv_flash_sim *sim,
                                            uint32_t offset,
                                            const uint8_t *from, size_t size)
{
    uint32_t unit = sim->flash.program_unit;
    uint32_t units = (uint32_t)(size / unit);
    uint32_t done = nkv_random_below(&sim->random, units + 1);
    bool is_torn = done < units && nkv_random_below(&sim->random, 2) == 0;

    for (uint32_t i = 0; i < done; i++) {
        nkv_flash_sim_program_unit(sim, offset + i * unit, from + i * unit);
    }
    sim->counts.operations += done;
    if (is_torn) {
        struct nkv_sim_cut kept = sim->cut;

        sim->cut.kind = NKV_SIM_CUT_TORN;
        sim->cut.amount = nkv_random_below(&sim->random, unit);
        sim->cut.seed = nkv_random(&sim->random);
        nkv_flash_sim_cut_program(sim, offset + done * unit,
                                  from + done * unit);
        sim->cut = kept;
    }
    return nkv_random_below(&sim->random, 3) == 0 ? NKV_OK : NKV_UNAVAILABLE;
}

enum nkv_status nkv_flash_sim_flaky_erase(struct nkv_flash_sim *sim, bool *done)
{
    *done = nkv_random_below(&sim->random, 2) == 0;
    return nkv_random_below(&sim->random, 3) == 0 ? NKV_OK : NKV_UNAVAILABLE;
}
