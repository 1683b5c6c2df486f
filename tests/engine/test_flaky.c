/*
 * A flash whose programs and erases go wrong at random, in part or in full,
 * with or without saying so: whatever a call says holds.
 *
 * test_flaky [SEED]: only the runs with this seed.
 */
#include "results.h"
#include "session.h"

#include <stdio.h>
#include <stdlib.h>

enum { OPERATIONS = 3000, SEEDS = 12 };

static bool run_all(struct nkv_session *session, unsigned most)
{
    for (unsigned i = 0; i < OPERATIONS; i++) {
        if (!nkv_session_do(session) || !nkv_session_check(session) ||
            !nkv_bench_is_sound(&session->bench)) {
            return false;
        }
    }
    if (session->failed * most > session->number) {
        fprintf(stderr, "%u of %u writes failed\n", session->failed,
                session->number);
        return false;
    }
    return nkv_session_recovers(session);
}

static bool run_one(const struct nkv_bench_setup *setup, uint64_t seed,
                    uint32_t flaky_every)
{
    static struct nkv_session session;
    /* With two sectors there is nowhere else to go: one write in four may fail
     * where one call in twenty does, else one in twenty. */
    unsigned most = setup->sector_count == 2 ? 4 : 20;
    bool good;

    nkv_fault_tried("flash that goes wrong at random (sessions)");
    good = nkv_session_begin(&session, setup, seed);
    session.bench.sim.flaky_every = flaky_every;
    good = good && run_all(&session, most);
    printf("%u x %u, copies %u, one in %u, seed %llu: %u of %u writes failed, "
           "%u mounts: %s\n",
           setup->sector_count, setup->sector_size, setup->copies, flaky_every,
           (unsigned long long)seed, session.failed, session.number,
           session.mounts, good ? "ok" : "FAILED");
    nkv_session_end(&session);
    if (good) {
        nkv_fault_survived();
    }
    return good;
}

int main(int argc, char **argv)
{
    static const struct nkv_bench_setup setups[] = {
        {NKV_FLASH(1024, 2, 16), .copies = 1, .max_keys = 16},
        {NKV_FLASH(512, 6, 16), .copies = 1, .max_keys = 16},
        {NKV_FLASH(512, 6, 1), .copies = 1, .max_keys = 16},
        {NKV_FLASH(512, 8, 64), .copies = 1, .max_keys = 16},
        {NKV_FLASH(512, 8, 16), .copies = 2, .max_keys = 16},
        {NKV_FLASH(512, 10, 16), .copies = 3, .max_keys = 16},
    };
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
    uint64_t last = argc > 1 ? first : SEEDS;
    unsigned failed = 0;

    for (size_t i = 0; i < sizeof setups / sizeof *setups; i++) {
        for (uint64_t seed = first; seed <= last; seed++) {
            failed +=
                !run_one(&setups[i], seed, 20 + 60 * (uint32_t)(seed % 4));
        }
    }
    return failed > 0;
}
