#include "collide.h"

#include "random.h"

#include <stdlib.h>
#include <string.h>

/*
 * FNV-1a goes on from its state alone: two pieces that lead from one state to
 * the same next one can stand for each other. Six pairs of such pieces in a row
 * make 64 keys.
 */
enum { STAGES = 6, PIECE = 5, TABLE_BITS = 20, TABLE = 1 << TABLE_BITS };

struct stage {
    uint8_t pieces[2][PIECE];
};

static uint32_t fnv1a(uint32_t hash, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ data[i]) * 16777619u;
    }
    return hash;
}

/* Finds two pieces that lead from a state to the same one; returns that. The
 * seeds of pieces tried stand in table under their states. */
static uint32_t find_pair(uint32_t from, struct stage *stage, uint32_t *table)
{
    memset(table, 0, TABLE * sizeof *table);
    for (uint32_t seed = 1;; seed++) {
        uint64_t random = seed;
        uint32_t state, *slot;

        nkv_random_fill(&random, stage->pieces[1], PIECE);
        state = fnv1a(from, stage->pieces[1], PIECE);
        slot = &table[state >> (32 - TABLE_BITS)];
        if (*slot != 0) {
            random = *slot;
            nkv_random_fill(&random, stage->pieces[0], PIECE);
            if (fnv1a(from, stage->pieces[0], PIECE) == state &&
                memcmp(stage->pieces[0], stage->pieces[1], PIECE) != 0) {
                return state;
            }
        }
        *slot = seed;
    }
}

static void find_stages(struct stage *stages)
{
    uint32_t *table = malloc(TABLE * sizeof *table);
    uint32_t state = 2166136261u;

    if (table == NULL) {
        abort();
    }
    for (int i = 0; i < STAGES; i++) {
        state = find_pair(state, &stages[i], table);
    }
    free(table);
}

size_t nkv_colliding_key(uint32_t number, uint8_t *to)
{
    static struct stage stages[STAGES];
    static int is_ready;

    if (!is_ready) {
        find_stages(stages);
        is_ready = 1;
    }
    for (int i = 0; i < STAGES; i++) {
        memcpy(to + (size_t)i * PIECE, stages[i].pieces[number >> i & 1],
               PIECE);
    }
    return (size_t)STAGES * PIECE;
}
