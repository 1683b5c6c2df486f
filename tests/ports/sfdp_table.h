/* Makes tables as chips have them, for 5Ah. */
#ifndef NORKV_TESTS_SFDP_TABLE_H
#define NORKV_TESTS_SFDP_TABLE_H

#include <stddef.h>
#include <stdint.h>

enum {
    NKV_SFDP_WORDS = 16,
    /* Where the first header and the basic table lie. */
    NKV_SFDP_FIRST_HEADER = 8,
    NKV_SFDP_BASIC = 0x30,
    NKV_SFDP_COMMANDS = 0x80,
    NKV_SFDP_SIZE = 0x100
};

struct nkv_sfdp_table {
    uint8_t bytes[NKV_SFDP_SIZE];
};

/* The words of the basic table, counted from 1, of a chip of 32 MiB with erases
 * of 4, 32 and 64 KiB and a 4-byte mode that B7h enters. */
struct nkv_sfdp_words {
    uint32_t words[NKV_SFDP_WORDS + 1];
};

extern const struct nkv_sfdp_words nkv_sfdp_32_mib;

/* Makes a table of the first word_count words. */
void nkv_sfdp_build(struct nkv_sfdp_table *table,
                    const struct nkv_sfdp_words *words, uint8_t word_count);

/* Adds a second parameter table, of count words, with an id of two bytes. */
void nkv_sfdp_add(struct nkv_sfdp_table *table, uint16_t id,
                  const uint32_t *words, uint8_t count);

#endif
