#include "suggest.h"

#include <stddef.h>
#include <string.h>

enum { WORD_MAX = 32 };

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance, a row at a time. */
static size_t distance(const char *a, size_t a_size, const char *b,
                       size_t b_size)
{
    size_t row[WORD_MAX + 1];

    for (size_t j = 0; j <= b_size; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a_size; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1] ? 1 : 0);

            diagonal = row[j];
            row[j] = smaller(change, smaller(row[j], row[j - 1]) + 1);
        }
    }
    return row[b_size];
}

bool nkv_is_like(const char *word, const char *candidate)
{
    size_t word_size = strlen(word);
    size_t size = strlen(candidate);
    size_t away;

    if (word_size > WORD_MAX || size > WORD_MAX) {
        return false;
    }
    away = distance(word, word_size, candidate, size);
    return away <= 2 && 2 * away <= size;
}
