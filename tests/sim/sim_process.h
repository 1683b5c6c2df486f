/* norkv-sim as a process of its own, in a folder of its own. */
#ifndef NKV_TEST_SIM_PROCESS_H
#define NKV_TEST_SIM_PROCESS_H

#include "temp_folder.h"
#include "test.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct sim {
    struct nkv_temp_folder folder;
    /* Files in the folder. */
    char flash[256];
    char link[256];
    char errors[256];
    /* A second store's argument, on a file of its own and on that of flash. */
    char store[300];
    char same[300];
    /* 0: none runs. */
    pid_t pid;
    /* Its standard output, or -1. */
    int output;
};

/* Fixtures of cmocka: *state is a struct sim, none runs yet. The teardown kills
 * what still does. */
int nkv_sim_setup(void **state);
int nkv_sim_teardown(void **state);

/* Starts norkv-sim with these arguments, up to 30, ended by NULL. FLASH and
 * LINK among them stand for the files in the folder, STORE and SAME for a
 * second store. */
void nkv_sim_start(struct sim *sim, const char *const *arguments);

/* As nkv_sim_start, with its standard output going to a descriptor of the
 * caller's; -1: closed. */
void nkv_sim_start_into(struct sim *sim, int output,
                        const char *const *arguments);

/* Reads the next line that says where the simulator listens; port becomes the
 * place. Fails the test when there is none. */
void nkv_sim_port(struct sim *sim, char port[256]);

/* Sends a signal, unless it is 0, and waits for the end. Returns the exit code,
 * or 128 and the signal that ended it. */
int nkv_sim_end(struct sim *sim, int signal);

/* What it wrote to standard error, at most size - 1 bytes. */
void nkv_sim_errors(const struct sim *sim, char *text, size_t size);

#endif
