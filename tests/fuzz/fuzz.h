/* What each fuzz_*.c defines, for libFuzzer or for replay_main.c to call. */
#ifndef NORKV_TESTS_FUZZ_H
#define NORKV_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Feeds data to one parser. Returns 0; aborts when something is wrong. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
