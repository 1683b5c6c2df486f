#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *take_memory(size_t size)
{
    void *memory = calloc(1, size);

    if (memory == NULL) {
        fprintf(stderr, "bench: out of memory\n");
        exit(1);
    }
    return memory;
}

static void set_defaults(struct nkv_bench_setup *setup)
{
    if (setup->max_keys == 0) {
        setup->max_keys = 256;
    }
    if (setup->copies == 0) {
        setup->copies = 1;
    }
    if (setup->buffer_size == 0) {
        setup->buffer_size =
            setup->program_unit > 16 ? setup->program_unit : 16;
    }
}

void nkv_bench_init(struct nkv_bench *bench,
                    const struct nkv_bench_setup *wanted)
{
    struct nkv_bench_setup *setup = &bench->setup;
    size_t words;

    memset(bench, 0, sizeof *bench);
    *setup = *wanted;
    set_defaults(setup);
    words = NKV_INDEX_WORDS(setup->max_keys, setup->copies);
    nkv_flash_sim_init(&bench->sim, setup->sector_size, setup->sector_count,
                       setup->program_unit);
    bench->index = take_memory(words * sizeof *bench->index);
    bench->sectors = take_memory(setup->sector_count * sizeof *bench->sectors);
    bench->buffer = take_memory(setup->buffer_size);
    bench->config = (struct nkv_config){
        .flash = &bench->sim.flash,
        .formats = setup->format_count > 0 ? setup->formats : NULL,
        .format_count = setup->format_count,
        .memory =
            {
                .index = bench->index,
                .index_words = words,
                .sectors = bench->sectors,
                .sector_capacity = setup->sector_count,
                .buffer = bench->buffer,
                .buffer_size = setup->buffer_size,
            },
        .max_keys = setup->max_keys,
        .copies = setup->copies,
        .manual_repair = setup->manual_repair,
        .fast_mount = setup->fast_mount,
        .steps_per_write = setup->steps_per_write,
        .first_id = setup->first_id,
    };
}

void nkv_bench_free(struct nkv_bench *bench)
{
    nkv_flash_sim_free(&bench->sim);
    free(bench->index);
    free(bench->sectors);
    free(bench->buffer);
}

enum nkv_status nkv_bench_mount(struct nkv_bench *bench)
{
    const struct nkv_memory *memory = &bench->config.memory;

    memset(&bench->store, 0xA5, sizeof bench->store);
    memset(memory->index, 0xA5, memory->index_words * sizeof(uint32_t));
    memset(memory->sectors, 0xA5,
           memory->sector_capacity * sizeof *memory->sectors);
    memset(memory->buffer, 0xA5, memory->buffer_size);
    return nkv_mount(&bench->store, &bench->config);
}

void nkv_bench_keep(struct nkv_bench *to, const struct nkv_bench *from)
{
    const struct nkv_memory *memory = &from->config.memory;

    nkv_flash_sim_copy(&to->sim, &from->sim);
    to->store = from->store;
    memcpy(to->index, from->index, memory->index_words * sizeof(uint32_t));
    memcpy(to->sectors, from->sectors,
           memory->sector_capacity * sizeof *from->sectors);
    memcpy(to->buffer, from->buffer, memory->buffer_size);
}

void nkv_bench_copy(struct nkv_bench *to, const struct nkv_bench *from)
{
    nkv_bench_keep(to, from);
    to->store.config = &to->config;
    to->store.flash = &to->sim.flash;
    to->store.index = to->index;
    to->store.sectors = to->sectors;
}

struct nkv_span nkv_text(const char *text)
{
    return (struct nkv_span){(const uint8_t *)text, strlen(text)};
}

enum nkv_status nkv_bench_put(struct nkv_bench *bench, const char *key,
                              const char *value)
{
    return nkv_put(&bench->store, nkv_text(key), nkv_text(value));
}

enum nkv_status nkv_bench_delete(struct nkv_bench *bench, const char *key)
{
    return nkv_delete(&bench->store, nkv_text(key));
}

const char *nkv_bench_get(struct nkv_bench *bench, const char *key)
{
    static char text[NKV_BENCH_VALUE_MAX + 1];
    struct nkv_value value = {0};
    struct nkv_buffer to = {(uint8_t *)text, NKV_BENCH_VALUE_MAX};
    enum nkv_status status =
        nkv_get(&bench->store, nkv_text(key), 0, to, &value);

    if (status != NKV_OK) {
        snprintf(text, sizeof text, "(%s)", nkv_status_name(status));
    } else {
        text[value.size] = '\0';
    }
    return text;
}

struct nkv_statistics nkv_bench_statistics(const struct nkv_bench *bench)
{
    struct nkv_statistics statistics;

    nkv_statistics(&bench->store, &statistics);
    return statistics;
}

bool nkv_bench_is_sound(const struct nkv_bench *bench)
{
    struct nkv_statistics now = nkv_bench_statistics(bench);

    if (now.live_bytes + now.stale_bytes + now.free_bytes != bench->sim.size) {
        fprintf(stderr, "live %u + stale %u + free %u is not %u\n",
                now.live_bytes, now.stale_bytes, now.free_bytes,
                bench->sim.size);
        return false;
    }
    if (bench->sim.violations > 0) {
        fprintf(stderr, "%u violations: %s\n", bench->sim.violations,
                bench->sim.violation);
        return false;
    }
    return true;
}
