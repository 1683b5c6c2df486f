/* Pseudo-random numbers that are the same on every run and machine. */
#ifndef NORKV_TESTS_RANDOM_H
#define NORKV_TESTS_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* The next number of a sequence; any start value is good (splitmix). */
static inline uint32_t nkv_random(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (uint32_t)(z >> 32);
}

/* A number from 0 to limit - 1; limit is at least 1. */
static inline uint32_t nkv_random_below(uint64_t *state, uint32_t limit)
{
    return nkv_random(state) % limit;
}

/* As after so many calls of nkv_random. */
static inline void nkv_random_skip(uint64_t *state, size_t count)
{
    *state += count * 0x9E3779B97F4A7C15u;
}

static inline void nkv_random_fill(uint64_t *state, uint8_t *to, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        to[i] = (uint8_t)nkv_random(state);
    }
}

#endif
