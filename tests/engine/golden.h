/* Golden images: a flash as the reference left it, and what must come out. */
#ifndef NORKV_TESTS_GOLDEN_H
#define NORKV_TESTS_GOLDEN_H

#include "bench.h"
#include "model.h"

enum { NKV_GOLDEN_NAME_MAX = 64, NKV_GOLDEN_COUNT_MAX = 200 };

/* What mounting gives. */
struct nkv_golden_mount {
    char status[32];
    uint32_t transaction_count;
    struct nkv_model keys;
    /* With empty values. */
    struct nkv_model tombstones;
};

struct nkv_golden {
    char name[NKV_GOLDEN_NAME_MAX];
    struct nkv_bench_setup setup;
    uint8_t *image;
    bool reference_is_right;
    struct nkv_golden_mount mount;
    struct nkv_golden_mount mount_no_repair;
};

/* Writes the names of all images, sorted; returns how many. Ends the program
 * when the folder cannot be read or holds none. */
size_t nkv_golden_list(char names[][NKV_GOLDEN_NAME_MAX], size_t capacity);

/* Reads one image. Ends the program when it cannot be read. */
void nkv_golden_load(struct nkv_golden *golden, const char *name);

void nkv_golden_free(struct nkv_golden *golden);

/* A bench with the image in its flash, not mounted. */
void nkv_golden_bench(const struct nkv_golden *golden, struct nkv_bench *bench);

#endif
