/*
 * A SPI NOR flash on a bus, as its data sheet has it, with a clock of its own:
 * time passes with each byte on the line.
 *
 * It is stricter than most emulators: the write enable latch clears itself
 * after each program and erase, what is sent to a busy chip or one in
 * power-down is not taken, a page wraps, an erase aligns its address down, a
 * program clears bits only, and a command that is cut short does nothing. What
 * no driver should do is counted as a violation.
 */
#ifndef NORKV_TESTS_SPI_NOR_MODEL_H
#define NORKV_TESTS_SPI_NOR_MODEL_H

#include "spi_bus.h"

#include <stdbool.h>

/* A data sheet. */
struct nkv_spi_nor_part {
    uint8_t id[3];
    /* Bytes, a power of two. */
    uint32_t size;
    uint32_t page_size;
    /* What 5Ah reads; NULL: the chip does not know that command. */
    const uint8_t *sfdp;
    size_t sfdp_size;
    /* B7h and E9h. */
    bool has_4_byte_mode;
    /* B7h needs a write enable in front. */
    bool needs_enable_to_enter;
    /* 13h, 12h, 21h, DCh. */
    bool has_4_byte_commands;
    /* Four address bytes, always. */
    bool always_has_4_bytes;
    /* 52h. */
    bool erases_32_kib;
    /* 35h, two bytes to 01h, and 4Bh. */
    bool is_winbond;
    /* A program or erase of a protected place clears the latch too. */
    bool protection_clears_latch;
    uint32_t program_us;
    uint32_t erase_4_kib_us;
    uint32_t erase_32_kib_us;
    uint32_t erase_64_kib_us;
    uint32_t status_us;
    uint32_t wake_us;
};

/* How the next operation ends that the power is cut in. */
struct nkv_spi_nor_cut {
    /* Programs and erases from now on, from 1; 0: never. */
    uint32_t at;
    /* Of a program, the bytes that are done, and a random part of the bits of
     * the next. Of an erase 0: not begun; 1: each bit of the sector is random;
     * 2: done but not heard of. */
    uint32_t amount;
};

/* What ails a chip. */
enum nkv_spi_nor_ailment {
    NKV_SPI_NOR_IS_WELL,
    /* The line reads all ones, or all zeros, and nothing is taken. */
    NKV_SPI_NOR_READS_ONES,
    NKV_SPI_NOR_READS_ZEROS,
    /* What is begun from now on does not end. */
    NKV_SPI_NOR_HANGS,
    /* A write enable is not taken. */
    NKV_SPI_NOR_TAKES_NO_ENABLE
};

struct nkv_spi_nor_counts {
    uint32_t programs;
    uint32_t programmed_bytes;
    uint32_t erases;
    uint32_t enables;
    uint32_t status_writes;
    uint32_t pauses;
    /* Commands that were not taken: busy, asleep, or not known. */
    uint32_t ignored;
};

struct nkv_spi_nor_model {
    /* Give this to the driver. */
    struct nkv_spi_bus bus;
    struct nkv_spi_nor_part part;
    uint8_t *bytes;
    /* Bits 2 to 4 protect: 0 nothing, 7 everything, n the upper
     * 1/2^(6-n) of the chip. */
    uint8_t status;
    /* Bit 6 inverts that; bit 7: an erase is suspended, until 7Ah. */
    uint8_t second_status;
    bool is_asleep;
    bool is_in_4_byte_mode;
    bool is_off;
    enum nkv_spi_nor_ailment ailment;
    struct nkv_spi_nor_cut cut;
    struct nkv_spi_nor_counts counts;
    /* Bus cycles that no driver should make; violation tells the first. */
    uint32_t violations;
    const char *violation;
    /* Time, and what a byte on the line takes of it. */
    uint64_t now_ns;
    uint32_t byte_ns;
    uint64_t busy_until_ns;
    bool is_writing;
    uint64_t wakes_at_ns;
    uint64_t random;

    /* The command under way. */
    bool is_selected;
    bool is_ignored;
    uint8_t opcode;
    uint32_t received;
    uint32_t address;
    uint8_t *page;
    uint32_t page_bytes;
};

/* Makes an erased chip that was just switched on. Ends the program when memory
 * runs out. */
void nkv_spi_nor_model_init(struct nkv_spi_nor_model *model,
                            const struct nkv_spi_nor_part *part);

void nkv_spi_nor_model_free(struct nkv_spi_nor_model *model);

/* Switches the chip off, if it was not, and on again: what is on it stays, and
 * nothing else; ailments too. */
void nkv_spi_nor_model_power_on(struct nkv_spi_nor_model *model);

/* A W25Q80: 1 MiB, no table. */
extern const struct nkv_spi_nor_part nkv_spi_nor_w25q80;
/* A W25Q256: 32 MiB, four address bytes after B7h. */
extern const struct nkv_spi_nor_part nkv_spi_nor_w25q256;

#endif
