/* The ways in which power fails, and the names of the images they leave. */
#include "cut.h"

#include "random.h"

#include <inttypes.h>
#include <stdio.h>

enum { SHORT_SEEDS = 2, LONG_SEEDS = 6 };

static bool fill_in(struct nkv_sim_cut *cut, enum nkv_sim_cut_kind kind,
                    uint32_t amount, uint32_t seed)
{
    cut->kind = kind;
    cut->amount = amount;
    cut->seed = seed;
    return true;
}

/* Nothing, all, weak in four ways, then torn at each byte. In a short run,
 * units of more than 16 bytes are torn at 16 places. */
static bool program_variant(const struct nkv_cut_run *run, uint32_t i,
                            uint32_t seed, struct nkv_sim_cut *cut)
{
    uint32_t unit = run->the_case->setup.program_unit;
    uint32_t step = run->is_long || unit <= 16 ? 1 : unit / 16;
    uint64_t random = seed;

    if (i == 0) {
        return seed == 1 && fill_in(cut, NKV_SIM_CUT_BEFORE, 0, seed);
    }
    if (i == 1) {
        return seed == 1 && fill_in(cut, NKV_SIM_CUT_AFTER, 0, seed);
    }
    if (i < 6) {
        return fill_in(cut, NKV_SIM_CUT_WEAK, i < 4 ? i - 2 : 2,
                       2 * seed + i % 2);
    }
    return fill_in(cut, NKV_SIM_CUT_TORN,
                   (i - 6) * step + nkv_random_below(&random, step), seed);
}

static uint32_t program_variants(const struct nkv_cut_run *run)
{
    uint32_t unit = run->the_case->setup.program_unit;

    return 6 + (run->is_long || unit <= 16 ? unit : 16);
}

static bool erase_variant(const struct nkv_cut_run *run, uint32_t i,
                          uint32_t seed, struct nkv_sim_cut *cut)
{
    uint32_t size = run->the_case->setup.sector_size;
    const uint32_t prefixes[] = {
        1, 4, 16, size / 4, size / 2, size - 32, size - 1, size - 16, 20};
    uint64_t random = seed;

    switch (i) {
    case 0:
        return seed == 1 && fill_in(cut, NKV_SIM_CUT_BEFORE, 0, seed);
    case 1:
        return seed == 1 && fill_in(cut, NKV_SIM_CUT_AFTER, 0, seed);
    case 2:
        return fill_in(cut, NKV_SIM_CUT_WEAK, 0, seed);
    case 3:
        return seed == 1 && fill_in(cut, NKV_SIM_CUT_RANDOM, 0, seed);
    case 4:
        return fill_in(cut, NKV_SIM_CUT_RANDOM, 1, seed);
    case 5:
        return fill_in(cut, NKV_SIM_CUT_RANDOM, 4, seed);
    case 6:
        return fill_in(cut, NKV_SIM_CUT_RANDOM, 7, seed);
    case 7:
        return fill_in(cut, NKV_SIM_CUT_TORN,
                       16 * nkv_random_below(&random, size / 16), seed);
    default:
        return seed == 1 &&
               fill_in(cut, NKV_SIM_CUT_TORN, prefixes[i - 8], seed);
    }
}

enum { ERASE_VARIANTS = 8 + 9 };

bool nkv_cut_variant(const struct nkv_cut_run *run, char kind, uint32_t i,
                     struct nkv_sim_cut *cut)
{
    uint32_t seeds = run->is_long ? LONG_SEEDS : SHORT_SEEDS;
    uint32_t variants = kind == 'P' ? program_variants(run) : ERASE_VARIANTS;
    uint32_t seed = i / variants + 1;

    cut->kind = NKV_SIM_CUT_NONE;
    if (seed > seeds) {
        return false;
    }
    if (kind == 'P') {
        program_variant(run, i % variants, seed, cut);
    } else {
        erase_variant(run, i % variants, seed, cut);
    }
    return true;
}

void nkv_cut_format_name(const struct nkv_cut_name *name, char *to,
                         size_t capacity)
{
    int length =
        snprintf(to, capacity, "%" PRIu32 ":%" PRIu64 ",%d,%u,%u",
                 name->operation, name->first.at, (int)name->first.kind,
                 name->first.amount, name->first.seed);

    if (name->second.kind != NKV_SIM_CUT_NONE && length > 0 &&
        (size_t)length < capacity) {
        snprintf(to + length, capacity - (size_t)length,
                 ":%" PRIu64 ",%d,%u,%u", name->second.at,
                 (int)name->second.kind, name->second.amount,
                 name->second.seed);
    }
}

bool nkv_cut_parse_name(const char *text, struct nkv_cut_name *name)
{
    int kinds[2] = {0};
    int count = sscanf(text,
                       "%" SCNu32 ":%" SCNu64 ",%d,%" SCNu32 ",%" SCNu32
                       ":%" SCNu64 ",%d,%" SCNu32 ",%" SCNu32,
                       &name->operation, &name->first.at, &kinds[0],
                       &name->first.amount, &name->first.seed, &name->second.at,
                       &kinds[1], &name->second.amount, &name->second.seed);

    name->first.kind = (enum nkv_sim_cut_kind)kinds[0];
    name->second.kind = (enum nkv_sim_cut_kind)kinds[1];
    return count == 5 || count == 9;
}
