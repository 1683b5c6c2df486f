/*
 * Acknowledged values survive every power cut.
 *
 * test_power_cut [--long] [CASE...]: all cases, or the named ones; a short run
 * tries a part of the images where the whole takes minutes.
 * test_power_cut --replay CASE/SEED/NAME: one image, as a failure prints it.
 */
#include "cut.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLASH(size, count, unit) NKV_FLASH(size, count, unit), .max_keys = 16

static const struct nkv_cut_case cases[] = {
    {"2x512_unit_1", {FLASH(512, 2, 1)}, 4, 6, 20, 300, 2},
    {"2x512_unit_4", {FLASH(512, 2, 4)}, 4, 6, 20, 300, 1},
    {"2x512_unit_16", {FLASH(512, 2, 16)}, 4, 6, 20, 400, 1},
    {"2x512_unit_64", {FLASH(512, 2, 64)}, 2, 6, 20, 400, 1},
    {"6x512_unit_1", {FLASH(512, 6, 1)}, 8, 10, 40, 300, 4},
    {"6x512_unit_16", {FLASH(512, 6, 16)}, 8, 10, 40, 400, 1},
    {"6x512_unit_64", {FLASH(512, 6, 64)}, 8, 10, 60, 400, 1},
    {"6x512_unit_256", {FLASH(512, 6, 256)}, 3, 10, 200, 300, 1},
    {"6x512_two_copies", {FLASH(512, 6, 16), .copies = 2}, 5, 10, 30, 300, 4},
    {"8x512_three_copies", {FLASH(512, 8, 16), .copies = 3}, 4, 8, 20, 250, 8},
    {"95x160_unit_32", {FLASH(160, 95, 32)}, 14, 10, 60, 500, 2},
    {"95x160_two_copies",
     {FLASH(160, 95, 32), .copies = 2},
     14,
     10,
     60,
     400,
     6},
    {"4x1024_unit_256_two_copies",
     {FLASH(1024, 4, 256), .copies = 2},
     2,
     10,
     200,
     200,
     3},
    {"2x512_full", {FLASH(512, 2, 16)}, 10, 4, 60, 300, 2},
    {"4x512_full", {FLASH(512, 4, 16)}, 16, 8, 150, 300, 2},
    {"3x160_full", {FLASH(160, 3, 16)}, 6, 4, 40, 300, 2},
    {"4x512_three_copies", {FLASH(512, 4, 16), .copies = 3}, 3, 8, 30, 200, 6},
    {"ids_wrap", {FLASH(512, 4, 16), .first_id = 0xFFFFFFF0}, 5, 6, 30, 200, 1},
};

/* At most one in so many images with weak bits, and one more, may go wrong by
 * bad luck. */
enum { LUCK_EVERY = 1000 };

enum { CASES = sizeof cases / sizeof *cases };

static const struct nkv_cut_case *find_case(const char *name, size_t size)
{
    for (size_t i = 0; i < CASES; i++) {
        if (strlen(cases[i].name) == size &&
            memcmp(cases[i].name, name, size) == 0) {
            return &cases[i];
        }
    }
    fprintf(stderr, "no case named %.*s\n", (int)size, name);
    exit(2);
}

static bool run_case(const struct nkv_cut_case *the_case, uint64_t seed,
                     bool is_long, const struct nkv_cut_name *only)
{
    struct nkv_cut_run run = {
        .the_case = the_case,
        .seed = seed,
        .is_long = is_long,
        .only = only,
    };
    const struct nkv_cut_counts *counts = &run.counts;

    nkv_cut_run_case(&run);
    printf("%s: %llu of %llu cut points, %llu images (%llu with two cuts, %llu "
           "taken round the log)",
           the_case->name, (unsigned long long)counts->points_cut,
           (unsigned long long)counts->points,
           (unsigned long long)counts->images,
           (unsigned long long)counts->images_of_two_cuts,
           (unsigned long long)counts->rounds);
    printf(", crc_collisions %llu, weak_again %llu, weak_luck %llu of %llu, "
           "failures %llu\n",
           (unsigned long long)counts->crc_collisions,
           (unsigned long long)counts->weak_again,
           (unsigned long long)counts->weak_luck,
           (unsigned long long)counts->weak_images,
           (unsigned long long)counts->failures);
    fflush(stdout);
    return counts->failures == 0 && counts->images > 0 &&
           counts->weak_luck * LUCK_EVERY <= counts->weak_images + LUCK_EVERY;
}

/* CASE/SEED/NAME; the images of a long run include those of a short one. */
static int replay(const char *text)
{
    const char *slash = strchr(text, '/');
    struct nkv_cut_name name = {0};
    char *end;
    uint64_t seed;

    if (slash == NULL) {
        fprintf(stderr, "not CASE/SEED/NAME: %s\n", text);
        return 2;
    }
    seed = strtoull(slash + 1, &end, 10);
    if (*end != '/' || !nkv_cut_parse_name(end + 1, &name)) {
        fprintf(stderr, "not CASE/SEED/NAME: %s\n", text);
        return 2;
    }
    return !run_case(find_case(text, (size_t)(slash - text)), seed, false,
                     &name);
}

int main(int argc, char **argv)
{
    bool is_long = argc > 1 && strcmp(argv[1], "--long") == 0;
    int first = is_long ? 2 : 1;
    int failed = 0;

    if (argc == 3 && strcmp(argv[1], "--replay") == 0) {
        return replay(argv[2]);
    }
    for (int i = first; i < argc; i++) {
        failed +=
            !run_case(find_case(argv[i], strlen(argv[i])), 1, is_long, NULL);
    }
    for (size_t i = 0; argc == first && i < CASES; i++) {
        failed += !run_case(&cases[i], 1, is_long, NULL);
    }
    return failed > 0;
}
