/* Numbers and times as people write them. */
#ifndef NORKV_CLI_NUMBERS_H
#define NORKV_CLI_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Reads a decimal number of up to max. False when it is none.
 */
bool nkv_parse_number(const char *text, uint32_t max, uint32_t *number);

/*
 * Reads a time: a decimal number, a fraction allowed, with ms, s or m behind
 * it; bare, it is seconds. More than 0 and at most a day. False when it is
 * none.
 */
bool nkv_parse_time(const char *text, uint32_t *milliseconds);

/* Reads USB vendor and product ids, as in 0403:6001: four hex digits each, not
 * all 0. */
bool nkv_parse_usb_ids(const char *text, int *vendor, int *product);

#endif
