#include "spi_nor_chip.h"

#include <stddef.h>

enum {
    MAKER_ISSI = 0x9D,
    MAKER_MACRONIX = 0xC2,
    MAKER_MICRON = 0x20,
    MAKER_SST = 0xBF,
    MAKER_WINBOND = 0xEF,
    MAKER_GIGADEVICE = 0xC8,

    KIB = 1024,
    /* The capacity byte is the logarithm of the size; 10h is 64 KiB and 19h
     * 32 MiB. What is beyond is coded in other ways. */
    CAPACITY_FIRST = 0x10,
    CAPACITY_LAST = 0x19,
    /* The first with more than three address bytes can reach. */
    CAPACITY_4_BYTES = 0x19
};

/* Chips of one maker and type, the first two bytes of the id. All have pages
 * of 256 bytes, and erase 4 KiB with 20h and 64 KiB with D8h. */
struct family {
    uint8_t maker;
    uint8_t type;
    /* 52h, where there is one. */
    bool erases_32_kib;
    enum nkv_spi_nor_addressing addressing;
    uint16_t program_max_ms;
    uint16_t erase_4_kib_max_ms;
    uint16_t erase_32_kib_max_ms;
    uint16_t erase_64_kib_max_ms;
};

/*
 * The largest tPP, tSE, tBE1 and tBE2 (or their like) that data sheets of the
 * family have, among them:
 * - Winbond W25Q80BL (EF4014), W25Q256FV (EF4019), W25Q80EW (EF6014), W25X80
 *   (EF3014);
 * - Macronix MX25L25635E (C22019);
 * - ISSI IS25LP080D (9D6014);
 * - Micron N25Q032A13 (20BA16) and N25Q032A11 (20BB16);
 * - GigaDevice GD25Q32C (C84016);
 * all under "AC characteristics". With a bound above that of one chip, one that
 * hangs is noticed later, no more.
 */
static const struct family families[] = {
    {MAKER_WINBOND, 0x40, true, NKV_SPI_NOR_ENTER_4_BYTES, 5, 400, 1600, 2000},
    {MAKER_WINBOND, 0x60, true, NKV_SPI_NOR_ENTER_4_BYTES, 5, 400, 1600, 2000},
    {MAKER_WINBOND, 0x30, false, NKV_SPI_NOR_3_BYTES, 5, 400, 0, 2000},
    {MAKER_MACRONIX, 0x20, false, NKV_SPI_NOR_ENTER_4_BYTES, 5, 400, 0, 2000},
    {MAKER_ISSI, 0x60, true, NKV_SPI_NOR_ENTER_4_BYTES, 5, 400, 1000, 2000},
    {MAKER_MICRON, 0xBA, false, NKV_SPI_NOR_ENABLE_AND_ENTER_4_BYTES, 5, 800, 0,
     3000},
    {MAKER_MICRON, 0xBB, false, NKV_SPI_NOR_ENABLE_AND_ENTER_4_BYTES, 5, 800, 0,
     3000},
    {MAKER_GIGADEVICE, 0x40, true, NKV_SPI_NOR_ENTER_4_BYTES, 5, 400, 1600,
     2000},
};

/* SST25VF programs single bytes, or words with the address counting itself
 * (ADh); SST26VF wakes up with all blocks locked. */
static bool is_refused(const uint8_t id[NKV_SPI_NOR_ID_SIZE])
{
    return id[0] == MAKER_SST && (id[1] == 0x25 || id[1] == 0x26);
}

static const struct family *find_family(const uint8_t id[NKV_SPI_NOR_ID_SIZE])
{
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        if (families[i].maker == id[0] && families[i].type == id[1]) {
            return &families[i];
        }
    }
    return NULL;
}

static void describe(const struct family *family, uint8_t capacity,
                     struct nkv_spi_nor_chip *chip)
{
    struct nkv_spi_nor_erase *erase = chip->erases;

    *chip = (struct nkv_spi_nor_chip){
        .size = UINT32_C(1) << capacity,
        .page_size = 256,
        .program_max_us = family->program_max_ms * UINT32_C(1000),
        .addressing = capacity < CAPACITY_4_BYTES ? NKV_SPI_NOR_3_BYTES
                                                  : family->addressing,
    };
    *erase++ = (struct nkv_spi_nor_erase){4 * KIB, 0x20, 0,
                                          family->erase_4_kib_max_ms};
    if (family->erases_32_kib) {
        *erase++ = (struct nkv_spi_nor_erase){32 * KIB, 0x52, 0,
                                              family->erase_32_kib_max_ms};
    }
    *erase = (struct nkv_spi_nor_erase){64 * KIB, 0xD8, 0,
                                        family->erase_64_kib_max_ms};
}

enum nkv_spi_nor_id_kind
nkv_spi_nor_look_up(const uint8_t id[NKV_SPI_NOR_ID_SIZE],
                    struct nkv_spi_nor_chip *chip)
{
    const struct family *family = find_family(id);

    if (is_refused(id)) {
        return NKV_SPI_NOR_ID_IS_REFUSED;
    }
    if (family == NULL || id[2] < CAPACITY_FIRST || id[2] > CAPACITY_LAST) {
        return NKV_SPI_NOR_ID_IS_UNKNOWN;
    }
    describe(family, id[2], chip);
    return NKV_SPI_NOR_ID_IS_KNOWN;
}

uint8_t nkv_spi_nor_protect_mask(const uint8_t id[NKV_SPI_NOR_ID_SIZE])
{
    switch (id[0]) {
    case MAKER_MACRONIX:
    case MAKER_ISSI:
        /* BP0 to BP3. */
        return 0x3C;
    case MAKER_MICRON:
        /* BP0 to BP2, and BP3 in bit 6. */
        return 0x5C;
    default:
        /* BP0 to BP2. */
        return 0x1C;
    }
}

bool nkv_spi_nor_has_second_status(const uint8_t id[NKV_SPI_NOR_ID_SIZE])
{
    return id[0] == MAKER_WINBOND || id[0] == MAKER_GIGADEVICE;
}

bool nkv_spi_nor_has_unique_id(const uint8_t id[NKV_SPI_NOR_ID_SIZE])
{
    return id[0] == MAKER_WINBOND;
}
