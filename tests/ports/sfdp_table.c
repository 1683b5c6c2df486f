#include "sfdp_table.h"

#include <norkv/bytes.h>

#include <string.h>

const struct nkv_sfdp_words nkv_sfdp_32_mib = {
    .words =
        {
            /* 4 KiB by 20h, three or four address bytes. */
            [1] = 0xFFFB20E5,
            /* Bits less one. */
            [2] = 0x0FFFFFFF,
            /* 2^12 by 20h, 2^15 by 52h; 2^16 by D8h. */
            [8] = 0x520F200C,
            [9] = 0x0000D810,
            /* Times 2 * (3 + 1): (2 + 1) * 16 ms, (0 + 1) * 128 ms,
             * (9 + 1) * 16 ms. */
            [10] = 3 | 2 << 4 | 1 << 9 | 0 << 11 | 2 << 16 | 9 << 18 | 1 << 23,
            /* Times 2 * (2 + 1): 2^8 bytes, (10 + 1) * 64 us. */
            [11] = 2 | 8 << 4 | 10 << 8 | 1 << 13,
            [16] = 1 << 24,
        },
};

static void put_header(uint8_t *header, uint16_t id, uint8_t words,
                       uint32_t address)
{
    nkv_store_le32(header + 4, address | (uint32_t)(id >> 8) << 24);
    header[0] = (uint8_t)id;
    header[1] = 6;
    header[2] = 1;
    header[3] = words;
}

static void put_words(uint8_t *to, const uint32_t *words, uint8_t count)
{
    for (unsigned i = 0; i < count; i++) {
        nkv_store_le32(to + 4 * i, words[i]);
    }
}

void nkv_sfdp_build(struct nkv_sfdp_table *table,
                    const struct nkv_sfdp_words *words, uint8_t word_count)
{
    memset(table->bytes, 0xFF, sizeof table->bytes);
    memcpy(table->bytes, "SFDP\x06\x01\x00\xFF", 8);
    put_header(table->bytes + NKV_SFDP_FIRST_HEADER, 0xFF00, word_count,
               NKV_SFDP_BASIC);
    put_words(table->bytes + NKV_SFDP_BASIC, words->words + 1, word_count);
}

void nkv_sfdp_add(struct nkv_sfdp_table *table, uint16_t id,
                  const uint32_t *words, uint8_t count)
{
    table->bytes[6] = 1;
    put_header(table->bytes + NKV_SFDP_FIRST_HEADER + 8, id, count,
               NKV_SFDP_COMMANDS);
    put_words(table->bytes + NKV_SFDP_COMMANDS, words, count);
}
