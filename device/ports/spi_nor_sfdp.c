/* Numbers of words and bits are those of JESD216: words count from 1. */
#include "spi_nor_sfdp.h"

#include <norkv/bytes.h>

#include <string.h>

enum {
    HEADER_SIZE = 8,
    /* Headers that are looked at; the count is a byte of the chip's. */
    HEADERS_MAX = 16,
    /* A table of the first revision has 9 words, of JESD216B 16. */
    BASIC_WORDS_MIN = 9,
    BASIC_WORDS = 16,
    /* Behind the address there must be room for the longest table. */
    ADDRESS_LIMIT = 0x1000000 - BASIC_WORDS * 4,
    MAJOR_REVISION = 1,

    ID_BASIC = 0xFF00,
    ID_SECTOR_MAP = 0xFF81,
    ID_4_BYTE_COMMANDS = 0xFF84,

    PAGE_SIZE_DEFAULT = 256,
    PROGRAM_MAX_US_DEFAULT = 10000,
    /* For each started 64 KiB. */
    ERASE_MAX_MS_DEFAULT = 4000
};

/* Where a parameter table lies, and how long it is; words 0: nowhere. */
struct place {
    uint32_t address;
    uint8_t words;
};

struct places {
    struct place basic;
    struct place commands;
    bool has_sector_map;
};

static uint32_t bits(uint32_t word, unsigned low, unsigned count)
{
    return word >> low & ((UINT32_C(1) << count) - 1);
}

/* Notes the table of one parameter header. Of several of one kind, the longest
 * counts: revisions only add to the end. */
static void note(const uint8_t header[HEADER_SIZE], struct places *places)
{
    const struct place place = {
        .address = nkv_load_le32(header + 4) & 0xFFFFFF,
        .words = header[3],
    };
    const unsigned id = (unsigned)header[7] << 8 | header[0];
    struct place *kind;

    if (id == ID_SECTOR_MAP) {
        places->has_sector_map = true;
    }
    if (header[2] != MAJOR_REVISION || place.address > ADDRESS_LIMIT) {
        return;
    }
    if (id == ID_BASIC) {
        kind = &places->basic;
    } else if (id == ID_4_BYTE_COMMANDS) {
        kind = &places->commands;
    } else {
        return;
    }
    if (place.words > kind->words) {
        *kind = place;
    }
}

static bool find(const struct nkv_sfdp_source *source, struct places *places)
{
    uint8_t header[HEADER_SIZE];
    unsigned count;

    *places = (struct places){.has_sector_map = false};
    source->read(source->context, 0, header, sizeof header);
    if (memcmp(header, "SFDP", 4) != 0 || header[5] != MAJOR_REVISION) {
        return false;
    }
    count = header[6] + 1u;
    for (unsigned i = 0; i < count && i < HEADERS_MAX; i++) {
        source->read(source->context, HEADER_SIZE * (i + 1), header,
                     sizeof header);
        note(header, places);
    }
    return places->basic.words >= BASIC_WORDS_MIN;
}

/* Words that the table does not have are 0. words[0] is not used. */
static void read_words(const struct nkv_sfdp_source *source,
                       const struct place *place, uint32_t *words, size_t count)
{
    uint8_t bytes[4];

    memset(words, 0, (count + 1) * sizeof *words);
    for (size_t i = 1; i <= count && i <= place->words; i++) {
        source->read(source->context, place->address + 4 * (uint32_t)(i - 1),
                     bytes, sizeof bytes);
        words[i] = nkv_load_le32(bytes);
    }
}

/* Word 2: bits less one, or the logarithm of bits. 0 for what 32 bits of bytes
 * do not hold. */
static uint32_t size_of(uint32_t word)
{
    const uint32_t value = word & 0x7FFFFFFF;

    if ((word & 0x80000000) == 0) {
        return value / 8 + 1;
    }
    return value >= 3 && value < 32 + 3 ? UINT32_C(1) << (value - 3) : 0;
}

/* Words 8 and 9: a logarithm and a command for each of four. */
static void read_erases(const uint32_t *words, struct nkv_spi_nor_erase *erases)
{
    for (unsigned type = 0; type < NKV_SPI_NOR_ERASES_MAX; type++) {
        const uint32_t half = words[8 + type / 2] >> 16 * (type % 2);
        const uint32_t power = bits(half, 0, 8);

        if (power > 0 && power < 32) {
            erases[type].size = UINT32_C(1) << power;
            erases[type].opcode = (uint8_t)bits(half, 8, 8);
        }
    }
}

/* Word 10: for each type a count, a unit, and a factor for all of them. */
static void read_erase_times(uint32_t word, struct nkv_spi_nor_erase *erases)
{
    static const uint16_t unit_ms[] = {1, 16, 128, 1000};
    const uint32_t factor = 2 * (bits(word, 0, 4) + 1);

    for (unsigned type = 0; type < NKV_SPI_NOR_ERASES_MAX; type++) {
        const uint32_t time = bits(word, 4 + 7 * type, 7);

        erases[type].max_ms =
            factor * (bits(time, 0, 5) + 1) * unit_ms[bits(time, 5, 2)];
    }
}

static void default_erase_times(struct nkv_spi_nor_erase *erases)
{
    for (unsigned type = 0; type < NKV_SPI_NOR_ERASES_MAX; type++) {
        erases[type].max_ms =
            (erases[type].size / 65536 + 1) * ERASE_MAX_MS_DEFAULT;
    }
}

/* Word 11: the page's size, a factor, and a count in one of two units. */
static void read_program(uint32_t word, struct nkv_spi_nor_chip *chip)
{
    const uint32_t factor = 2 * (bits(word, 0, 4) + 1);
    const uint32_t unit_us = bits(word, 13, 1) != 0 ? 64 : 8;

    chip->page_size = UINT32_C(1) << bits(word, 4, 4);
    chip->program_max_us = factor * (bits(word, 8, 5) + 1) * unit_us;
}

/* Whether commands of their own do all that is needed: words 1 and 2 of their
 * table. They work in whatever mode the chip was left. */
static bool has_4_byte_commands(const uint32_t *words,
                                struct nkv_spi_nor_erase *erases)
{
    bool erases_something = false;

    for (unsigned type = 0; type < NKV_SPI_NOR_ERASES_MAX; type++) {
        if (erases[type].size > 0 && bits(words[1], 9 + type, 1) != 0) {
            erases[type].opcode_4_bytes = (uint8_t)bits(words[2], 8 * type, 8);
            erases_something = true;
        }
    }
    /* 13h reads and 12h programs. */
    return erases_something && bits(words[1], 0, 1) != 0 &&
           bits(words[1], 6, 1) != 0;
}

/* Bits 17 and 18 of word 1, and of word 16 those for a way to four bytes. */
static enum nkv_spi_nor_addressing addressing_of(const uint32_t *words)
{
    if (bits(words[1], 17, 2) == 2 || bits(words[16], 30, 1) != 0) {
        return NKV_SPI_NOR_ALWAYS_4_BYTES;
    }
    if (bits(words[1], 17, 2) == 0) {
        return NKV_SPI_NOR_3_BYTES;
    }
    if (bits(words[16], 24, 1) != 0) {
        return NKV_SPI_NOR_ENTER_4_BYTES;
    }
    /* A first revision says that there is a way, but not which: a write enable
     * more than is needed does no harm. */
    if (bits(words[16], 25, 1) != 0 || words[16] == 0) {
        return NKV_SPI_NOR_ENABLE_AND_ENTER_4_BYTES;
    }
    return NKV_SPI_NOR_3_BYTES;
}

/* Puts the types that are there to the front. False when there are none. */
static bool close_gaps(struct nkv_spi_nor_erase *erases)
{
    unsigned kept = 0;

    for (unsigned type = 0; type < NKV_SPI_NOR_ERASES_MAX; type++) {
        if (erases[type].size > 0) {
            erases[kept++] = erases[type];
        }
    }
    for (unsigned type = kept; type < NKV_SPI_NOR_ERASES_MAX; type++) {
        erases[type] = (struct nkv_spi_nor_erase){.size = 0};
    }
    return kept > 0;
}

enum nkv_sfdp_result nkv_sfdp_read(const struct nkv_sfdp_source *source,
                                   struct nkv_spi_nor_chip *chip)
{
    struct nkv_spi_nor_chip found = {
        .page_size = PAGE_SIZE_DEFAULT,
        .program_max_us = PROGRAM_MAX_US_DEFAULT,
    };
    struct places places;
    uint32_t words[BASIC_WORDS + 1];
    uint32_t commands[3];

    if (!find(source, &places)) {
        return NKV_SFDP_IS_MISSING;
    }
    if (places.has_sector_map) {
        return NKV_SFDP_IS_MIXED;
    }
    read_words(source, &places.basic, words, BASIC_WORDS);
    read_words(source, &places.commands, commands, 2);
    found.size = size_of(words[2]);
    found.addressing = addressing_of(words);
    read_erases(words, found.erases);
    default_erase_times(found.erases);
    if (places.basic.words >= 11) {
        read_erase_times(words[10], found.erases);
        read_program(words[11], &found);
    }
    if (has_4_byte_commands(commands, found.erases)) {
        found.addressing = NKV_SPI_NOR_4_BYTE_COMMANDS;
    }
    if (!close_gaps(found.erases) || found.size == 0 || found.page_size < 16) {
        return NKV_SFDP_IS_MISSING;
    }
    *chip = found;
    return NKV_SFDP_IS_READ;
}
