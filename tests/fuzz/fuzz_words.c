/* The reader of sh's lines: any text gives words or an error. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <words.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *line = malloc(size + 1);
    struct nkv_words words;
    size_t total = 0;

    if (line == NULL) {
        return 0;
    }
    if (size > 0) {
        memcpy(line, data, size);
    }
    line[size] = '\0';
    if (nkv_words_split(line, &words) != NULL && words.count != 0) {
        abort();
    }
    for (size_t i = 0; i < words.count; i++) {
        total += strlen(words.list[i]);
    }
    if (total > size) {
        abort();
    }
    nkv_words_free(&words);
    free(line);
    return 0;
}
