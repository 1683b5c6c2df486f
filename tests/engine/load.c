#include "load.h"

#include "model.h"

#include <stdio.h>
#include <string.h>

struct nkv_span nkv_load_key(uint32_t number, char to[NKV_LOAD_KEY_SIZE + 1])
{
    snprintf(to, NKV_LOAD_KEY_SIZE + 1, "key-%08u", number % 100000000u);
    return (struct nkv_span){(const uint8_t *)to, NKV_LOAD_KEY_SIZE};
}

static struct nkv_span load_value(uint32_t number, uint32_t salt, uint8_t *to)
{
    memset(to, (int)(number + salt), NKV_LOAD_VALUE_SIZE);
    nkv_store_le32(to, number);
    nkv_store_le32(to + 4, salt);
    return (struct nkv_span){to, NKV_LOAD_VALUE_SIZE};
}

enum nkv_status nkv_load_put(struct nkv_bench *bench, uint32_t number,
                             uint32_t salt)
{
    char key[NKV_LOAD_KEY_SIZE + 1];
    uint8_t value[NKV_LOAD_VALUE_SIZE];

    return nkv_put(&bench->store, nkv_load_key(number, key),
                   load_value(number, salt, value));
}

enum nkv_status nkv_load_delete(struct nkv_bench *bench, uint32_t number)
{
    char key[NKV_LOAD_KEY_SIZE + 1];

    return nkv_delete(&bench->store, nkv_load_key(number, key));
}

bool nkv_load_gives(struct nkv_bench *bench, uint32_t number, uint32_t salt)
{
    char key[NKV_LOAD_KEY_SIZE + 1];
    uint8_t value[NKV_LOAD_VALUE_SIZE];

    return nkv_store_gives(&bench->store, nkv_load_key(number, key),
                           load_value(number, salt, value));
}

uint32_t nkv_load_entry_size(const struct nkv_bench *bench)
{
    uint32_t unit = bench->setup.program_unit;
    uint32_t size = 16 + NKV_LOAD_KEY_SIZE + NKV_LOAD_VALUE_SIZE;

    unit = unit > 16 ? unit : 16;
    return (size + unit - 1) / unit * unit;
}

uint32_t nkv_load_count(const struct nkv_bench *bench, uint32_t percent)
{
    uint32_t copies = bench->config.copies > 0 ? bench->config.copies : 1;
    uint32_t size = nkv_load_entry_size(bench);
    uint32_t entries =
        bench->setup.sector_count * (bench->setup.sector_size / size);

    return entries * percent / 100 / copies;
}

struct nkv_sim_counts nkv_load_cost(const struct nkv_bench *bench,
                                    const struct nkv_sim_counts *before)
{
    const struct nkv_sim_counts *now = &bench->sim.counts;

    return (struct nkv_sim_counts){
        .reads = now->reads - before->reads,
        .read_bytes = now->read_bytes - before->read_bytes,
        .programs = now->programs - before->programs,
        .programmed_bytes = now->programmed_bytes - before->programmed_bytes,
        .erases = now->erases - before->erases,
        .operations = now->operations - before->operations,
    };
}

bool nkv_load_step(struct nkv_bench *bench, uint32_t largest, bool *more)
{
    struct nkv_sim_counts before = bench->sim.counts, cost;
    enum nkv_status status = nkv_step(&bench->store, more);

    cost = nkv_load_cost(bench, &before);
    if (status == NKV_OK &&
        (cost.erases == 0 ? cost.programmed_bytes <= largest
                          : cost.erases == 1 && cost.programmed_bytes == 0)) {
        return true;
    }
    fprintf(stderr, "step gave %s, %u erases, %u bytes\n",
            nkv_status_name(status), (unsigned)cost.erases,
            (unsigned)cost.programmed_bytes);
    return false;
}

bool nkv_load_settle(struct nkv_bench *bench)
{
    uint32_t sector = bench->setup.sector_size;
    uint32_t limit = 100 * bench->setup.sector_count * (1 + sector / 32);
    bool more = true;

    for (uint32_t i = 0; more; i++) {
        if (i == limit) {
            fprintf(stderr, "idle steps do not end\n");
            return false;
        }
        if (!nkv_load_step(bench, sector, &more)) {
            return false;
        }
    }
    return true;
}
