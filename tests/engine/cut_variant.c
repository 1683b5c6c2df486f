/* The ways in which power fails, and the names of the images they leave. */
#include "cut.h"

#include "random.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/*
 * Some ways are one image each, the others have a random part and come with as
 * many seeds as the effort says. A program: nothing, all; weak in four ways,
 * and torn at each byte. An erase: nothing, all, every bit 0, a few prefixes;
 * weak, random bits in three shares, and two random prefixes.
 */
enum {
    PROGRAM_FIXED = 2,
    PROGRAM_WEAK = 4,
    ERASE_PREFIXES = 9,
    ERASE_FIXED = 3 + ERASE_PREFIXES,
    ERASE_RANDOM = 6
};

static uint32_t seeds(const struct nkv_cut_run *run)
{
    return run->effort->seeds > 0 ? run->effort->seeds : 1;
}

static const struct nkv_flash *flash_of(const struct nkv_cut_run *run)
{
    return &run->bench.sim.flash;
}

static uint32_t program_random(const struct nkv_cut_run *run)
{
    return PROGRAM_WEAK + flash_of(run)->program_unit;
}

uint32_t nkv_cut_ways(const struct nkv_cut_run *run, char kind)
{
    return kind == 'P' ? PROGRAM_FIXED + program_random(run) * seeds(run)
                       : ERASE_FIXED + ERASE_RANDOM * seeds(run);
}

static struct nkv_sim_cut way(enum nkv_sim_cut_kind kind, uint32_t amount,
                              uint32_t seed)
{
    return (struct nkv_sim_cut){.kind = kind, .amount = amount, .seed = seed};
}

static struct nkv_sim_cut program_way(const struct nkv_cut_run *run,
                                      uint32_t number)
{
    uint32_t random = program_random(run);
    uint32_t seed;

    if (number < PROGRAM_FIXED) {
        return way(number == 0 ? NKV_SIM_CUT_BEFORE : NKV_SIM_CUT_AFTER, 0, 1);
    }
    seed = (number - PROGRAM_FIXED) / random + 1;
    number = (number - PROGRAM_FIXED) % random;
    if (number < PROGRAM_WEAK && run->is_steady) {
        return way(NKV_SIM_CUT_RANDOM, 2 * number + 1, seed);
    }
    if (number < PROGRAM_WEAK) {
        return way(NKV_SIM_CUT_WEAK, number < 2 ? number : 2,
                   2 * seed + number % 2);
    }
    return way(NKV_SIM_CUT_TORN, number - PROGRAM_WEAK, seed);
}

static struct nkv_sim_cut erase_fixed(uint32_t size, uint32_t number)
{
    const uint32_t prefixes[ERASE_PREFIXES] = {
        1, 4, 16, 20, size / 4, size / 2, size - 32, size - 16, size - 1};

    switch (number) {
    case 0:
        return way(NKV_SIM_CUT_BEFORE, 0, 1);
    case 1:
        return way(NKV_SIM_CUT_AFTER, 0, 1);
    case 2:
        return way(NKV_SIM_CUT_RANDOM, 0, 1);
    default:
        return way(NKV_SIM_CUT_TORN, prefixes[number - 3], 1);
    }
}

static struct nkv_sim_cut erase_way(const struct nkv_cut_run *run,
                                    uint32_t number)
{
    uint32_t size = flash_of(run)->sector_size;
    uint32_t seed = (number - ERASE_FIXED) / ERASE_RANDOM + 1;
    uint64_t random = number;

    if (number < ERASE_FIXED) {
        return erase_fixed(size, number);
    }
    switch ((number - ERASE_FIXED) % ERASE_RANDOM) {
    case 0:
        return way(NKV_SIM_CUT_WEAK, 0, seed);
    case 1:
        return way(NKV_SIM_CUT_RANDOM, 1, seed);
    case 2:
        return way(NKV_SIM_CUT_RANDOM, 4, seed);
    case 3:
        return way(NKV_SIM_CUT_RANDOM, 7, seed);
    case 4:
        return way(NKV_SIM_CUT_TORN, 16 * nkv_random_below(&random, size / 16),
                   seed);
    default:
        return way(NKV_SIM_CUT_TORN, nkv_random_below(&random, size), seed);
    }
}

struct nkv_sim_cut nkv_cut_way(const struct nkv_cut_run *run, char kind,
                               uint32_t number)
{
    return kind == 'P' ? program_way(run, number) : erase_way(run, number);
}

/* A letter a place; the first cut has none. */
static const char places[] = " mw";

void nkv_cut_format_name(const struct nkv_cut_name *name, char *to,
                         size_t capacity)
{
    int length = snprintf(to, capacity, "%" PRIu32, name->operation);
    size_t used = length > 0 ? (size_t)length : 0;

    for (uint32_t i = 0; i < name->depth && used < capacity; i++) {
        const struct nkv_sim_cut *cut = &name->cuts[i].cut;

        length = snprintf(to + used, capacity - used,
                          ":%.*s%" PRIu64 ",%d,%" PRIu32 ",%" PRIu32, i > 0,
                          &places[name->cuts[i].place], cut->at, (int)cut->kind,
                          cut->amount, cut->seed);
        used += length > 0 ? (size_t)length : 0;
    }
}

/* Reads one cut of a name; moves *text behind it. */
static bool parse_cut(const char **text, struct nkv_cut_name *name)
{
    uint32_t i = name->depth++;
    struct nkv_sim_cut *cut = &name->cuts[i].cut;
    const char *place;
    int kind, length = 0;

    if (i > 0) {
        place = **text != '\0' ? strchr(places, **text) : NULL;
        if (place == NULL || place == places) {
            return false;
        }
        name->cuts[i].place = (enum nkv_cut_place)(place - places);
        ++*text;
    }
    if (sscanf(*text, "%" SCNu64 ",%d,%" SCNu32 ",%" SCNu32 "%n", &cut->at,
               &kind, &cut->amount, &cut->seed, &length) != 4) {
        return false;
    }
    cut->kind = (enum nkv_sim_cut_kind)kind;
    *text += length;
    return kind > NKV_SIM_CUT_NONE && kind <= NKV_SIM_CUT_RANDOM;
}

bool nkv_cut_parse_name(const char *text, struct nkv_cut_name *name)
{
    int length = 0;

    memset(name, 0, sizeof *name);
    if (sscanf(text, "%" SCNu32 "%n", &name->operation, &length) != 1) {
        return false;
    }
    text += length;
    while (*text == ':' && name->depth < NKV_CUT_DEPTH_MAX) {
        text++;
        if (!parse_cut(&text, name)) {
            return false;
        }
    }
    return *text == '\0' && name->depth > 0;
}
