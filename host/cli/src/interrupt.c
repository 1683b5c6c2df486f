#include "interrupt.h"

#include <signal.h>
#include <stddef.h>

static const int numbers[] = {SIGINT, SIGTERM};
enum { COUNT = sizeof numbers / sizeof numbers[0] };

static struct sigaction before[COUNT];
static volatile sig_atomic_t interrupted;

void nkv_release_interrupts(void)
{
    for (size_t i = 0; i < COUNT; i++) {
        sigaction(numbers[i], &before[i], NULL);
    }
}

static void note(int number)
{
    (void)number;
    interrupted = 1;
    nkv_release_interrupts();
}

void nkv_catch_interrupts(void)
{
    /* Without SA_RESTART: a wait ends. */
    struct sigaction action = {.sa_handler = note};

    sigemptyset(&action.sa_mask);
    interrupted = 0;
    for (size_t i = 0; i < COUNT; i++) {
        sigaction(numbers[i], NULL, &before[i]);
    }
    for (size_t i = 0; i < COUNT; i++) {
        sigaction(numbers[i], &action, NULL);
    }
}

bool nkv_interrupted(void)
{
    return interrupted != 0;
}
