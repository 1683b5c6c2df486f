/*
 * Small stores of all kinds through everything at once: power cuts, also in the
 * repair after one, and spells in which the flash fails. What was acknowledged
 * is there, what was deleted stays so, and once the flash is well the store can
 * be written.
 *
 * test_storm [FIRST [COUNT]]: only the run with this seed, or so many from it.
 */
#include "random.h"
#include "results.h"
#include "session.h"

#include <stdio.h>
#include <stdlib.h>

enum { OPERATIONS = 400, SEEDS = 2000 };

/* Half of a store is live at most: so much is never full. */
static const struct nkv_bench_setup stores[] = {
    {NKV_FLASH(1024, 2, 16), .copies = 1},
    {NKV_FLASH(4096, 2, 2), .copies = 1},
    {NKV_FLASH(512, 3, 1), .copies = 1},
    {NKV_FLASH(512, 4, 16), .copies = 1},
    {NKV_FLASH(1024, 4, 32), .copies = 1},
    {NKV_FLASH(160, 12, 16), .copies = 1},
    {NKV_FLASH(512, 10, 64), .copies = 1},
    {NKV_FLASH(512, 10, 16), .copies = 2},
    {NKV_FLASH(1024, 8, 4), .copies = 3}};

static uint32_t below(struct nkv_session *session, uint32_t limit)
{
    return nkv_random_below(&session->random, limit);
}

static void be_well(struct nkv_session *session)
{
    nkv_flash_sim_clear_faults(&session->bench.sim);
    session->reads_fail = false;
}

/* In one sector or all, for some calls or until it is well again. */
static void fall_ill(struct nkv_session *session)
{
    static const enum nkv_sim_fault_kind kinds[] = {
        NKV_SIM_FAULT_READ,         NKV_SIM_FAULT_PROGRAM,
        NKV_SIM_FAULT_ERASE,        NKV_SIM_FAULT_LATE_PROGRAM,
        NKV_SIM_FAULT_SILENT_ERASE, NKV_SIM_FAULT_SILENT_PROGRAM};
    const struct nkv_flash_sim *sim = &session->bench.sim;
    struct nkv_sim_fault fault = {
        .kind = kinds[below(session, sizeof kinds / sizeof *kinds)],
        .size = sim->size,
        .status = NKV_UNAVAILABLE,
        .times = below(session, 3) * below(session, 30),
        .skip = below(session, below(session, 2) == 0 ? 6 : 200)};

    if (below(session, 3) == 0) {
        fault.size = sim->flash.sector_size;
        fault.offset = below(session, sim->flash.sector_count) * fault.size;
    }
    be_well(session);
    session->reads_fail = fault.kind == NKV_SIM_FAULT_READ;
    nkv_flash_sim_add_fault(&session->bench.sim, fault);
}

/* One of the next operations of the flash. */
static void arm_cut(struct nkv_session *session)
{
    static const enum nkv_sim_cut_kind kinds[] = {
        NKV_SIM_CUT_BEFORE, NKV_SIM_CUT_AFTER, NKV_SIM_CUT_TORN,
        NKV_SIM_CUT_TORN,   NKV_SIM_CUT_WEAK,  NKV_SIM_CUT_RANDOM};
    const struct nkv_flash *flash = &session->bench.sim.flash;
    struct nkv_sim_cut cut = {.kind = kinds[below(session, 6)],
                              .at = 1 + below(session, 40),
                              .seed = below(session, 1000)};

    if (cut.kind == NKV_SIM_CUT_TORN) {
        cut.amount =
            below(session, below(session, 2) == 0 ? flash->program_unit
                                                  : flash->sector_size);
    } else {
        cut.amount = below(session, cut.kind == NKV_SIM_CUT_WEAK ? 3 : 8);
    }
    nkv_flash_sim_cut(&session->bench.sim, cut);
}

/* Mounts, after a cut or without one; a mount may be cut as well. A flash that
 * does not answer is none to mount. */
static bool start_again(struct nkv_session *session)
{
    nkv_flash_sim_power_on(&session->bench.sim);
    if (session->reads_fail) {
        be_well(session);
    }
    while (below(session, 3) == 0) {
        arm_cut(session);
        (void)!nkv_bench_mount(&session->bench);
        nkv_flash_sim_power_on(&session->bench.sim);
    }
    return nkv_session_mount(session);
}

static bool do_one(struct nkv_session *session)
{
    uint32_t die = below(session, 100);
    bool good = true, more;

    if (die < 4 && !session->reads_fail) {
        fall_ill(session);
    } else if (die < 10) {
        be_well(session);
        good = start_again(session);
    } else if (die < 14) {
        good = start_again(session);
    } else if (die < 20) {
        arm_cut(session);
    } else if (die < 75) {
        /* A fast mount that is verified in a write may leave doubt with a write
         * that was good. */
        session->is_in_doubt |= session->bench.setup.fast_mount;
        good = nkv_session_write_any(session);
    } else if (die < 95) {
        (void)!nkv_step(&session->bench.store, &more);
    } else {
        (void)!nkv_maintain(&session->bench.store,
                            (enum nkv_maintenance_kind)(die % 3));
    }
    return good && session->bench.sim.is_off ? start_again(session) : good;
}

static bool run(uint64_t seed)
{
    static struct nkv_session session;
    uint64_t random = seed;
    struct nkv_bench_setup setup =
        stores[nkv_random_below(&random, sizeof stores / sizeof *stores)];
    bool good;

    setup.max_keys = 16;
    setup.fast_mount = nkv_random_below(&random, 2) == 0;
    setup.steps_per_write = (uint16_t)nkv_random_below(&random, 8);
    if (nkv_random_below(&random, 3) == 0) {
        setup.first_id = 0xFFFFFF80u + nkv_random_below(&random, 100);
    }
    nkv_fault_tried("power cuts and failing flash at once (sessions)");
    good = nkv_session_begin(&session, &setup, seed);
    for (unsigned i = 0; good && i < OPERATIONS; i++) {
        good = do_one(&session) && nkv_session_check(&session);
    }
    nkv_flash_sim_power_on(&session.bench.sim);
    good = good && nkv_session_recovers(&session);
    if (good) {
        nkv_fault_survived();
    } else {
        printf("seed %llu: %u x %u, unit %u, copies %u, fast mount %d, steps a "
               "write %u, first id %x: FAILED\n",
               (unsigned long long)seed, setup.sector_count, setup.sector_size,
               setup.program_unit, setup.copies, setup.fast_mount,
               setup.steps_per_write, setup.first_id);
    }
    nkv_session_end(&session);
    return good;
}

int main(int argc, char **argv)
{
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    unsigned failed = 0;

    if (argc == 1) {
        count = SEEDS;
    }
    for (uint64_t seed = first; seed - first < count; seed++) {
        failed += !run(seed);
    }
    printf("%llu seeds, %u failed\n", (unsigned long long)count, failed);
    return failed > 0;
}
