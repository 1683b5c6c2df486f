/*
 * A SPI NOR flash of the 25 series as the flash of a store: any chip that
 * describes itself (SFDP), is known by its id, or is described by the board.
 *
 *     static struct nkv_spi_nor nor;
 *     static const struct nkv_spi_nor_config config = {.bus = &bus, ...};
 *
 *     status = nkv_spi_nor_start(&nor, &config);
 *     store_config.flash = &nor.flash;
 *
 * The commands are those that all such chips share: 03h, 02h, 06h, 05h, 9Fh and
 * what erases. The chip's clock must not be above what it allows for 03h (33
 * MHz on most). A chip has one driver: two partitions of one chip in one
 * program are used from one thread.
 *
 * Before each program and erase the latch that 06h sets is read back, and the
 * end of each is waited for, at most for the longest time in the data sheet.
 * That what was programmed is there, and erased what was erased, is for the
 * store to find out, which reads it back.
 */
#ifndef NORKV_SPI_NOR_H
#define NORKV_SPI_NOR_H

#include "spi_bus.h"
#include "spi_nor_chip.h"

#include <norkv/fault.h>
#include <norkv/flash.h>

/* What is wrong; the status that it has for everyone is in brackets. */
enum nkv_spi_nor_fault {
    NKV_SPI_NOR_NO_FAULT,
    /* The configuration contradicts itself (INVALID_ARGUMENT). */
    NKV_SPI_NOR_BAD_CONFIG,
    /* Nothing drives the line: its id reads all 00h or all FFh, or a write
     * enable is not taken (UNAVAILABLE). */
    NKV_SPI_NOR_SILENT,
    /* Busy for longer than its data sheet allows (DEADLINE_EXCEEDED). */
    NKV_SPI_NOR_STAYS_BUSY,
    /* Not the id that is configured (FAILED_PRECONDITION). */
    NKV_SPI_NOR_OTHER_ID,
    /* No table, an id that is not known, no description (UNIMPLEMENTED). */
    NKV_SPI_NOR_UNKNOWN_CHIP,
    /* Programmed or unlocked in another way, as SST25 and SST26 are
     * (UNIMPLEMENTED). */
    NKV_SPI_NOR_REFUSED_CHIP,
    /* Sectors of different sizes (UNIMPLEMENTED). */
    NKV_SPI_NOR_MIXED_SECTORS,
    /* The partition ends behind the chip's end (OUT_OF_RANGE). */
    NKV_SPI_NOR_TOO_SMALL,
    /* No erase command divides the sectors that are configured
     * (FAILED_PRECONDITION). */
    NKV_SPI_NOR_NO_ERASE,
    /* The partition reaches beyond 16 MiB, and the chip says of no way to four
     * address bytes that is known here (UNIMPLEMENTED). */
    NKV_SPI_NOR_NO_4_BYTES,
    /* Blocks are protected in its status register (PERMISSION_DENIED). */
    NKV_SPI_NOR_PROTECTED
};

/* What is done about blocks that the status register protects. */
enum nkv_spi_nor_protection {
    /* It is a fault: what is on the chip can be read, nothing is written, and
     * the register is left alone. */
    NKV_SPI_NOR_REPORT_PROTECTION,
    /* It is meant: others than the partition's are protected. Should it be the
     * partition's after all, programs and erases fail. */
    NKV_SPI_NOR_KEEP_PROTECTION,
    /* The bits are cleared, for good: they outlast power. */
    NKV_SPI_NOR_CLEAR_PROTECTION
};

/* How a driver is set up; it must outlive the driver. A member left 0 means
 * what its comment says. */
struct nkv_spi_nor_config {
    const struct nkv_spi_bus *bus;
    /* The only id that is accepted. All 0: any. */
    uint8_t id[NKV_SPI_NOR_ID_SIZE];
    /* Describes a chip that does not describe itself. NULL: by SFDP, or by the
     * list of ids. */
    const struct nkv_spi_nor_chip *chip;
    /* The store's sector, bytes: what one erase command clears, or a multiple
     * of it, and what nkv_flash allows. 0: 4096. */
    uint32_t sector_size;
    /* The smallest piece that is programmed, bytes. 0: 16, which parts with an
     * error correction of 16 bytes take too. At most 256. */
    uint32_t program_unit;
    /* The partition's size in bytes, a multiple of the sector, two sectors or
     * more. */
    uint32_t size;
    /* Where the partition begins, bytes from the chip's start, a multiple of
     * the sector; NKV_SPI_NOR_AT_END: it ends where the chip does. */
    uint32_t offset;
    enum nkv_spi_nor_protection protection;
};

#define NKV_SPI_NOR_AT_END 0xFFFFFFFFu

/* A chip and the partition on it. Complete so that it can be static; members
 * are private but those that are commented. */
struct nkv_spi_nor {
    /* For the store. Its sizes are those of the configuration, whatever chip
     * there is; after a fault at start its functions give the fault's status.
     */
    struct nkv_flash flash;
    /* What went wrong last; it stays until nkv_spi_nor_start. */
    enum nkv_spi_nor_fault fault;
    /* Maker, type and capacity, as read; all 0 or FFh: none. */
    uint8_t id[NKV_SPI_NOR_ID_SIZE];
    /* The chip; size 0: not known. */
    struct nkv_spi_nor_chip chip;
    /* Where the partition begins, bytes from the chip's start. */
    uint32_t offset;
    const struct nkv_spi_nor_config *config;
    struct nkv_spi_nor_erase erase;
    uint8_t read_opcode;
    uint8_t program_opcode;
    uint8_t address_bytes;
    /* Four address bytes are a mode of the chip. */
    bool has_mode;
    bool is_readable;
    bool is_writable;
    /* The last program or erase did not end in time. */
    bool is_late;
};

/*
 * Finds out what chip there is and prepares it: waits for what was under way
 * when the processor was reset, resumes what was suspended, wakes it from
 * power-down, reads id and table, goes over to four address bytes when the chip
 * has more than 16 MiB. Programs and erases nothing. Such a chip stays in that
 * mode when only the processor is reset: a boot loader in ROM must be able to
 * cope (chips with 4-byte commands are left in the mode they are in).
 *
 * Blocks while the chip is busy, up to the longest erase, about 4 s, and for
 * some hundred bytes on the line.
 *
 * Any status but NKV_OK is that of a fault, which nor->fault names. It may be
 * called again at any time.
 */
NKV_MUST_USE enum nkv_status
nkv_spi_nor_start(struct nkv_spi_nor *nor,
                  const struct nkv_spi_nor_config *config);

/* The status of a fault; NKV_OK for NKV_SPI_NOR_NO_FAULT. */
enum nkv_status nkv_spi_nor_fault_status(enum nkv_spi_nor_fault fault);

/* A fault in words, for people: "the flash does not answer". Never NULL; static
 * storage; "" for NKV_SPI_NOR_NO_FAULT. */
const char *nkv_spi_nor_fault_text(enum nkv_spi_nor_fault fault);

/*
 * A fault as a store's server tells it (norkv/fault.h), and its detail. What is
 * protected counts as wholly unusable. NKV_FAULT_NONE while there is none.
 */
enum nkv_fault nkv_spi_nor_store_fault(const struct nkv_spi_nor *nor,
                                       uint32_t *detail);

enum { NKV_SPI_NOR_UNIQUE_ID_SIZE = 8 };

/*
 * Reads the number that no other chip of its maker has: 4Bh, which Winbond's
 * chips have.
 *
 * - NKV_UNIMPLEMENTED: a chip of another maker, or none; to is not touched.
 * - NKV_NOT_FOUND: it gives none: all 00h or all FFh.
 */
NKV_MUST_USE enum nkv_status
nkv_spi_nor_unique_id(const struct nkv_spi_nor *nor,
                      uint8_t to[NKV_SPI_NOR_UNIQUE_ID_SIZE]);

#endif
