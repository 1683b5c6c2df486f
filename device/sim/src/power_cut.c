#include "power_cut.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const variant_names[] = {
    [NKV_CUT_UNTOUCHED] = "untouched",
    [NKV_CUT_TORN] = "torn",
    [NKV_CUT_HALF] = "half",
    [NKV_CUT_WHOLE] = "whole",
};

static bool parse_variant(const char *text, enum nkv_cut_variant *variant)
{
    size_t count = sizeof variant_names / sizeof variant_names[0];

    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, variant_names[i]) == 0) {
            *variant = (enum nkv_cut_variant)i;
            return true;
        }
    }
    return false;
}

bool nkv_power_cut_parse(const char *text, struct nkv_power_cut *cut)
{
    enum nkv_cut_variant variant = NKV_CUT_TORN;
    unsigned long long at;
    char *end;

    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    at = strtoull(text, &end, 10);
    if (errno != 0 || at == 0)
        return false;
    if (*end != '\0' && (*end != ':' || !parse_variant(end + 1, &variant)))
        return false;
    *cut = (struct nkv_power_cut){.at = at, .variant = variant};
    return true;
}

const char *nkv_cut_variant_name(enum nkv_cut_variant variant)
{
    return variant_names[variant];
}

/* splitmix64, seeded with the operation's number: a cut can be repeated. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t mixed = *state += 0x9E3779B97F4A7C15u;

    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBu;
    return mixed ^ mixed >> 31;
}

void nkv_power_cut_program(const struct nkv_power_cut *cut, const uint8_t *from,
                           uint8_t *unit, size_t size)
{
    uint64_t state = cut->at;
    size_t whole = 0;
    /* Bits of the next byte that are still ones. */
    uint8_t unprogrammed = 0xFF;

    switch (cut->variant) {
    case NKV_CUT_UNTOUCHED:
        break;
    case NKV_CUT_TORN:
        whole = (size_t)(next_random(&state) % size);
        unprogrammed = (uint8_t)next_random(&state);
        break;
    case NKV_CUT_HALF:
        whole = size / 2;
        unprogrammed = size == 1 ? 0xF0 : 0xFF;
        break;
    case NKV_CUT_WHOLE:
    default:
        whole = size;
        break;
    }
    memcpy(unit, from, whole);
    if (whole < size)
        unit[whole] = from[whole] | unprogrammed;
}

void nkv_power_cut_erase(const struct nkv_power_cut *cut, uint8_t *sector,
                         size_t size)
{
    uint64_t state = cut->at;

    switch (cut->variant) {
    case NKV_CUT_UNTOUCHED:
        break;
    case NKV_CUT_TORN:
        for (size_t i = 0; i < size; i++)
            sector[i] = (uint8_t)next_random(&state);
        break;
    case NKV_CUT_HALF:
        memset(sector, 0xFF, size / 2);
        break;
    case NKV_CUT_WHOLE:
    default:
        memset(sector, 0xFF, size);
        break;
    }
}
