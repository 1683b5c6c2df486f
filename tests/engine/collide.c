#include "collide.h"

#include "random.h"

#include <stdlib.h>
#include <string.h>

/*
 * FNV-1a goes on from its state alone: two pieces that lead from one state to
 * the same next one can stand for each other. Eight pairs of such pieces in a
 * row make 256 keys. The hash of pw_kvs is a sum, in which a piece counts the
 * same behind whatever went before, but for a factor.
 */
enum {
    STAGES = 8,
    STAGES_OF_64 = 6,
    PIECE = 5,
    TABLE_BITS = 20,
    TABLE = 1 << TABLE_BITS
};

struct stage {
    uint8_t pieces[2][PIECE];
};

static const uint32_t fnv_start = 2166136261u;
static const uint32_t fnv_factor = 16777619u;

static uint32_t fnv1a(uint32_t hash, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ data[i]) * fnv_factor;
    }
    return hash;
}

static uint32_t pw_hash(uint32_t hash, const uint8_t *data, size_t size)
{
    uint32_t factor = 65599;

    for (size_t i = 0; i < size; i++) {
        hash += factor * data[i];
        factor *= 65599;
    }
    return hash;
}

uint32_t nkv_pw_hash(const uint8_t *key, size_t size)
{
    return pw_hash(0, key, size);
}

static uint32_t *make_table(void)
{
    uint32_t *table = calloc(TABLE, sizeof *table);

    if (table == NULL) {
        abort();
    }
    return table;
}

/* Finds two pieces that lead from a state to the same one; returns that. The
 * seeds of pieces tried stand in a table under their states. */
static uint32_t find_pair(uint32_t (*hash)(uint32_t, const uint8_t *, size_t),
                          uint32_t from, struct stage *stage)
{
    uint32_t *table = make_table(), state;

    for (uint32_t seed = 1;; seed++) {
        uint64_t random = seed;
        uint32_t *slot;

        nkv_random_fill(&random, stage->pieces[1], PIECE);
        state = hash(from, stage->pieces[1], PIECE);
        slot = &table[state >> (32 - TABLE_BITS)];
        if (*slot != 0) {
            random = *slot;
            nkv_random_fill(&random, stage->pieces[0], PIECE);
            if (hash(from, stage->pieces[0], PIECE) == state &&
                memcmp(stage->pieces[0], stage->pieces[1], PIECE) != 0) {
                break;
            }
        }
        *slot = seed;
    }
    free(table);
    return state;
}

static size_t join(const struct stage *stages, size_t count, uint32_t number,
                   uint8_t *to)
{
    for (size_t i = 0; i < count; i++) {
        memcpy(to + i * PIECE, stages[i].pieces[number >> i & 1], PIECE);
    }
    return count * PIECE;
}

/* The pieces, made at first use, and the state of FNV-1a behind all of them. */
static const struct stage *fnv_stages(uint32_t *end)
{
    static struct stage stages[STAGES];
    static uint32_t state;

    if (state == 0) {
        state = fnv_start;
        for (size_t i = 0; i < STAGES; i++) {
            state = find_pair(fnv1a, state, &stages[i]);
        }
    }
    *end = state;
    return stages;
}

size_t nkv_colliding_key(uint32_t number, uint8_t *to)
{
    uint32_t end;

    return join(fnv_stages(&end), STAGES_OF_64, number, to);
}

/* The x of which x ^ x >> shift is y, for shifts of 11 and more. */
static uint32_t unshift(uint32_t y, unsigned shift)
{
    uint32_t x = y ^ y >> shift;

    return y ^ x >> shift;
}

/* What an odd factor is to be multiplied by to give 1. */
static uint32_t inverse(uint32_t factor)
{
    uint32_t x = factor;

    for (int i = 0; i < 5; i++) {
        x *= 2 - factor * x;
    }
    return x;
}

/* The state of FNV-1a that the engine's final mix makes hash of. */
static uint32_t state_of_hash(uint32_t hash)
{
    return unshift(unshift(hash, 13) * inverse(0x2C1B3C6Du), 15);
}

/* Finds the five bytes that lead from one state to another: all pairs of bytes
 * from the one side, in a table, meet three bytes from the other. */
static void find_link(uint32_t from, uint32_t to, uint8_t *link)
{
    uint32_t *table = make_table(), back = inverse(fnv_factor);

    for (uint32_t i = 0; i < 0x10000; i++) {
        const uint8_t pair[2] = {(uint8_t)i, (uint8_t)(i >> 8)};

        table[fnv1a(from, pair, 2) >> (32 - TABLE_BITS)] = i + 1;
    }
    for (uint32_t i = 0; i < 0x1000000; i++) {
        uint32_t state = to, pair;

        for (unsigned j = 0; j < 3; j++) {
            link[4 - j] = (uint8_t)(i >> 8 * j);
            state = state * back ^ link[4 - j];
        }
        pair = table[state >> (32 - TABLE_BITS)];
        link[0] = (uint8_t)(pair - 1);
        link[1] = (uint8_t)((pair - 1) >> 8);
        if (pair != 0 && fnv1a(from, link, 2) == state) {
            free(table);
            return;
        }
    }
    abort();
}

size_t nkv_key_of_hash(uint32_t hash, uint32_t number, uint8_t *to)
{
    static struct {
        uint32_t hash;
        uint8_t link[PIECE];
    } known[16];
    static size_t count;
    uint32_t end;
    size_t size = join(fnv_stages(&end), STAGES, number, to), i = 0;

    while (i < count && known[i].hash != hash) {
        i++;
    }
    if (i == count) {
        count = i < 15 ? i + 1 : i;
        known[i].hash = hash;
        find_link(end, state_of_hash(hash), known[i].link);
    }
    memcpy(to + size, known[i].link, PIECE);
    return size + PIECE;
}

size_t nkv_pw_colliding_key(uint32_t number, uint8_t *to)
{
    static struct stage stages[STAGES];
    static int is_ready;

    if (!is_ready) {
        for (size_t i = 0; i < STAGES; i++) {
            find_pair(pw_hash, (uint32_t)i, &stages[i]);
        }
        is_ready = 1;
    }
    return join(stages, STAGES, number, to);
}
