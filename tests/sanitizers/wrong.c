/* Does one thing that a sanitizer is to see, and says so if none did. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int add_too_much(int more)
{
    return INT_MAX - 1 + more;
}

static int shift_too_far(int more)
{
    return 1 << (30 + more);
}

static int read_behind_a_block(int more)
{
    char *volatile block = calloc(8, 1);
    int byte = block == NULL ? 0 : block[6 + more];

    free(block);
    return byte;
}

static int lose_a_block(int more)
{
    void *volatile block = malloc((size_t)more);

    /* cppcheck-suppress memleak */
    block = NULL;
    return block != NULL;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*act)(int more);
    } acts[] = {
        {"overflow", add_too_much},
        {"shift", shift_too_far},
        {"address", read_behind_a_block},
        {"leak", lose_a_block},
    };

    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        if (argc == 2 && strcmp(argv[1], acts[i].name) == 0) {
            printf("not seen, with %d\n", acts[i].act(argc));
        }
    }
    return 0;
}
