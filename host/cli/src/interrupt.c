#include "interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t interrupted;

static void note(int number)
{
    (void)number;
    interrupted = 1;
}

void nkv_catch_interrupts(void)
{
    /* Without SA_RESTART: a wait ends. */
    struct sigaction action = {.sa_handler = note};

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool nkv_interrupted(void)
{
    return interrupted != 0;
}
