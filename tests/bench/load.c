#include "load.h"

#include "random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint32_t nkv_load_sectors(uint32_t keys)
{
    /* 64 keys are one sector of live data: 2.5 of them, rounded up. */
    return (keys * 5 / 2 * NKV_LOAD_ENTRY_SIZE + NKV_LOAD_SECTOR_SIZE - 1) /
           NKV_LOAD_SECTOR_SIZE;
}

void nkv_expect_ok(enum nkv_status status, const char *what)
{
    if (status != NKV_OK) {
        fprintf(stderr, "%s gave %s\n", what, nkv_status_name(status));
        exit(1);
    }
}

static void make_names(struct nkv_load *load)
{
    load->names = calloc(load->keys, sizeof *load->names);
    if (load->names == NULL) {
        fprintf(stderr, "load: out of memory\n");
        exit(1);
    }
    for (uint32_t i = 0; i < load->keys; i++) {
        char text[16];

        snprintf(text, sizeof text, "key-%08u", i);
        memcpy(load->names[i], text, NKV_LOAD_KEY_SIZE);
    }
}

void nkv_load_init(struct nkv_load *load, uint32_t keys, uint32_t sectors)
{
    const struct nkv_bench_setup setup = {
        NKV_FLASH(NKV_LOAD_SECTOR_SIZE, sectors, 16),
        .max_keys = keys,
        .buffer_size = 256,
    };

    memset(load, 0, sizeof *load);
    load->keys = keys;
    load->random = 8;
    make_names(load);
    nkv_bench_init(&load->bench, &setup);
    nkv_meter_init(&load->meter, &load->bench.sim);
    load->bench.config.flash = &load->meter.flash;
    nkv_load_mount(load);
}

void nkv_load_free(struct nkv_load *load)
{
    if (!nkv_bench_is_sound(&load->bench)) {
        exit(1);
    }
    nkv_bench_free(&load->bench);
    free(load->names);
}

void nkv_load_mount(struct nkv_load *load)
{
    nkv_expect_ok(nkv_bench_mount(&load->bench), "mount");
}

struct nkv_span nkv_load_key(const struct nkv_load *load, uint32_t number)
{
    return (struct nkv_span){load->names[number], NKV_LOAD_KEY_SIZE};
}

uint32_t nkv_load_choose(struct nkv_load *load, struct nkv_pattern pattern)
{
    uint32_t hot = load->keys * pattern.hot_keys / 100;

    if (nkv_random_below(&load->random, 100) < pattern.hot_writes) {
        return nkv_random_below(&load->random, hot);
    }
    return hot + nkv_random_below(&load->random, load->keys - hot);
}

void nkv_load_put(struct nkv_load *load, uint32_t number)
{
    uint8_t value[NKV_LOAD_VALUE_SIZE] = {0};

    load->puts++;
    nkv_store_le32(value, (uint32_t)load->puts);
    nkv_expect_ok(nkv_put(&load->bench.store, nkv_load_key(load, number),
                          (struct nkv_span){value, sizeof value}),
                  "put");
}

void nkv_load_fill(struct nkv_load *load)
{
    for (uint32_t i = 0; i < load->keys; i++) {
        nkv_load_put(load, i);
    }
}

void nkv_load_overwrite(struct nkv_load *load, struct nkv_pattern pattern,
                        uint32_t puts)
{
    for (uint32_t i = 0; i < puts; i++) {
        nkv_load_put(load, nkv_load_choose(load, pattern));
    }
}

uint64_t nkv_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;

    return (a > b) - (a < b);
}

double nkv_median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return count % 2 == 1 ? values[count / 2]
                          : (values[count / 2 - 1] + values[count / 2]) / 2;
}
