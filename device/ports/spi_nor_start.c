/* Finding out what chip there is, and preparing it. */
#include "spi_nor.h"

#include "spi_nor_commands.h"
#include "spi_nor_flash.h"
#include "spi_nor_sfdp.h"

#include <string.h>

enum {
    SECTOR_SIZE_DEFAULT = 4096,
    PROGRAM_UNIT_DEFAULT = 16,
    /* tRES1, from ABh until commands are taken: 3 us on Winbond's chips, 30 us
     * and a little more on some of Micron's and Macronix'. */
    WAKE_US = 100,
    /* What the chip may be at when only the processor was reset: the erase of
     * a block. */
    BUSY_AT_START_US = 4000000,
    /* tW, writing the status register: 15 ms on Winbond's chips, 40 ms on
     * Macronix'. */
    STATUS_MAX_US = 50000,
    /* What three address bytes reach. */
    SIZE_3_BYTES = 0x1000000
};

static enum nkv_spi_nor_fault check_config(struct nkv_spi_nor *nor)
{
    const struct nkv_spi_nor_config *config = nor->config;
    const struct nkv_flash *flash = &nor->flash;
    const bool is_sane = nkv_flash_is_valid(flash) &&
                         config->size % flash->sector_size == 0 &&
                         (config->offset == NKV_SPI_NOR_AT_END ||
                          config->offset % flash->sector_size == 0);

    return is_sane ? NKV_SPI_NOR_NO_FAULT : NKV_SPI_NOR_BAD_CONFIG;
}

/* Everything but the chip, so that a store has something to ask. */
static void prepare(struct nkv_spi_nor *nor,
                    const struct nkv_spi_nor_config *config)
{
    const uint32_t sector_size =
        config->sector_size != 0 ? config->sector_size : SECTOR_SIZE_DEFAULT;

    *nor = (struct nkv_spi_nor){
        .flash = {.sector_size = sector_size,
                  .sector_count = config->size / sector_size,
                  .program_unit = config->program_unit != 0
                                      ? config->program_unit
                                      : PROGRAM_UNIT_DEFAULT,
                  .context = nor,
                  .read = nkv_spi_nor_read,
                  .program = nkv_spi_nor_program,
                  .erase = nkv_spi_nor_erase},
        .config = config,
    };
}

static void read_id(struct nkv_spi_nor *nor)
{
    nkv_spi_nor_ask(nor->config->bus, NKV_SPI_NOR_READ_ID, nor->id,
                    sizeof nor->id);
}

/* A chip that is busy or asleep does not tell its id. */
static enum nkv_spi_nor_fault rouse(struct nkv_spi_nor *nor)
{
    const struct nkv_spi_bus *bus = nor->config->bus;
    uint8_t status = nkv_spi_nor_read_status(bus);

    if (status != NKV_SPI_NOR_NOBODY && (status & NKV_SPI_NOR_BUSY) != 0 &&
        nkv_spi_nor_wait(bus, BUSY_AT_START_US, true, &status) != NKV_OK) {
        return NKV_SPI_NOR_STAYS_BUSY;
    }
    read_id(nor);
    if (nkv_spi_nor_is_silence(nor->id, sizeof nor->id)) {
        nkv_spi_nor_command(bus, NKV_SPI_NOR_WAKE);
        nkv_spi_nor_delay(bus, WAKE_US);
        read_id(nor);
    }
    return nkv_spi_nor_is_silence(nor->id, sizeof nor->id)
               ? NKV_SPI_NOR_SILENT
               : NKV_SPI_NOR_NO_FAULT;
}

/* What another program suspended, and did not live to resume, would keep the
 * chip from erasing. */
static enum nkv_spi_nor_fault resume(struct nkv_spi_nor *nor)
{
    const struct nkv_spi_bus *bus = nor->config->bus;
    uint8_t status = nkv_spi_nor_read_second_status(bus, nor->id);

    if ((status & NKV_SPI_NOR_SUSPENDED) == 0) {
        return NKV_SPI_NOR_NO_FAULT;
    }
    nkv_spi_nor_command(bus, NKV_SPI_NOR_RESUME);
    return nkv_spi_nor_wait(bus, BUSY_AT_START_US, true, &status) == NKV_OK
               ? NKV_SPI_NOR_NO_FAULT
               : NKV_SPI_NOR_STAYS_BUSY;
}

static enum nkv_spi_nor_fault check_id(struct nkv_spi_nor *nor)
{
    static const uint8_t any[NKV_SPI_NOR_ID_SIZE];
    const uint8_t *expected = nor->config->id;

    return memcmp(expected, any, sizeof any) == 0 ||
                   memcmp(expected, nor->id, sizeof any) == 0
               ? NKV_SPI_NOR_NO_FAULT
               : NKV_SPI_NOR_OTHER_ID;
}

/* Command 5Ah: always three address bytes, and one of nothing. */
static void read_sfdp(void *context, uint32_t address, uint8_t *to, size_t size)
{
    const struct nkv_spi_nor *nor = context;
    const struct nkv_spi_bus *bus = nor->config->bus;

    nkv_spi_nor_begin(bus, NKV_SPI_NOR_READ_SFDP, address << 8, 4);
    bus->exchange(bus->context, NULL, to, size);
    bus->deselect(bus->context);
}

static enum nkv_spi_nor_fault describe(struct nkv_spi_nor *nor)
{
    const struct nkv_sfdp_source source = {nor, read_sfdp};
    struct nkv_spi_nor_chip known = {.size = 0};
    enum nkv_spi_nor_id_kind kind = nkv_spi_nor_look_up(nor->id, &known);

    if (nor->config->chip != NULL) {
        nor->chip = *nor->config->chip;
        return NKV_SPI_NOR_NO_FAULT;
    }
    if (kind == NKV_SPI_NOR_ID_IS_REFUSED) {
        return NKV_SPI_NOR_REFUSED_CHIP;
    }
    switch (nkv_sfdp_read(&source, &nor->chip)) {
    case NKV_SFDP_IS_READ:
        return NKV_SPI_NOR_NO_FAULT;
    case NKV_SFDP_IS_MIXED:
        return NKV_SPI_NOR_MIXED_SECTORS;
    case NKV_SFDP_IS_MISSING:
        break;
    }
    if (kind != NKV_SPI_NOR_ID_IS_KNOWN) {
        return NKV_SPI_NOR_UNKNOWN_CHIP;
    }
    nor->chip = known;
    return NKV_SPI_NOR_NO_FAULT;
}

static enum nkv_spi_nor_fault place(struct nkv_spi_nor *nor)
{
    const struct nkv_spi_nor_config *config = nor->config;

    if (config->size > nor->chip.size) {
        return NKV_SPI_NOR_TOO_SMALL;
    }
    nor->offset = config->offset;
    if (config->offset == NKV_SPI_NOR_AT_END) {
        nor->offset = nor->chip.size - config->size;
        nor->offset -= nor->offset % nor->flash.sector_size;
    }
    return nor->offset <= nor->chip.size - config->size ? NKV_SPI_NOR_NO_FAULT
                                                        : NKV_SPI_NOR_TOO_SMALL;
}

/* The largest that divides a sector, and that all commands' addresses reach. */
static enum nkv_spi_nor_fault choose_erase(struct nkv_spi_nor *nor)
{
    const bool must_take_4_bytes =
        nor->chip.addressing == NKV_SPI_NOR_4_BYTE_COMMANDS;

    for (unsigned i = 0; i < NKV_SPI_NOR_ERASES_MAX; i++) {
        const struct nkv_spi_nor_erase *erase = &nor->chip.erases[i];

        if (erase->size > nor->erase.size &&
            nor->flash.sector_size % erase->size == 0 &&
            (!must_take_4_bytes || erase->opcode_4_bytes != 0)) {
            nor->erase = *erase;
        }
    }
    if (nor->erase.size == 0) {
        return NKV_SPI_NOR_NO_ERASE;
    }
    if (must_take_4_bytes) {
        nor->erase.opcode = nor->erase.opcode_4_bytes;
    }
    return NKV_SPI_NOR_NO_FAULT;
}

/* A large chip may have been left in either mode: only four bytes are sure. */
static enum nkv_spi_nor_fault choose_addressing(struct nkv_spi_nor *nor)
{
    const bool is_large = nor->chip.size > SIZE_3_BYTES;

    nor->read_opcode = NKV_SPI_NOR_READ;
    nor->program_opcode = NKV_SPI_NOR_PROGRAM;
    nor->address_bytes = 4;
    switch (nor->chip.addressing) {
    case NKV_SPI_NOR_ALWAYS_4_BYTES:
        break;
    case NKV_SPI_NOR_4_BYTE_COMMANDS:
        nor->read_opcode = NKV_SPI_NOR_READ_4_BYTES;
        nor->program_opcode = NKV_SPI_NOR_PROGRAM_4_BYTES;
        break;
    case NKV_SPI_NOR_ENABLE_AND_ENTER_4_BYTES:
    case NKV_SPI_NOR_ENTER_4_BYTES:
        if (!is_large) {
            nor->address_bytes = 3;
            break;
        }
        nor->has_mode = true;
        nkv_spi_nor_enter_mode(nor);
        break;
    case NKV_SPI_NOR_3_BYTES:
        nor->address_bytes = 3;
        if (nor->offset + nor->config->size > SIZE_3_BYTES) {
            return NKV_SPI_NOR_NO_4_BYTES;
        }
        break;
    }
    return NKV_SPI_NOR_NO_FAULT;
}

/* Clears the bits that protect, and leaves all others as they are. Where there
 * are two registers, both are written: some parts clear the second when only
 * the first is. */
static void clear_protection(const struct nkv_spi_nor *nor)
{
    const struct nkv_spi_bus *bus = nor->config->bus;
    uint8_t bytes[3] = {NKV_SPI_NOR_WRITE_STATUS, nkv_spi_nor_read_status(bus)};
    size_t size = 2;
    uint8_t status;

    bytes[1] = (uint8_t)(bytes[1] & ~(nkv_spi_nor_protect_mask(nor->id) |
                                      NKV_SPI_NOR_BUSY | NKV_SPI_NOR_LATCH));
    if (nkv_spi_nor_has_second_status(nor->id)) {
        bytes[2] = (uint8_t)(nkv_spi_nor_read_second_status(bus, nor->id) &
                             ~NKV_SPI_NOR_COMPLEMENT);
        size = 3;
    }
    nkv_spi_nor_command(bus, NKV_SPI_NOR_WRITE_ENABLE);
    bus->select(bus->context);
    bus->exchange(bus->context, bytes, NULL, size);
    bus->deselect(bus->context);
    /* Whether it worked is read afterwards. */
    (void)!nkv_spi_nor_wait(bus, STATUS_MAX_US, true, &status);
}

static enum nkv_spi_nor_fault check_protection(struct nkv_spi_nor *nor)
{
    const enum nkv_spi_nor_protection wanted = nor->config->protection;

    if (wanted == NKV_SPI_NOR_KEEP_PROTECTION ||
        !nkv_spi_nor_is_protected(nor)) {
        return NKV_SPI_NOR_NO_FAULT;
    }
    if (wanted == NKV_SPI_NOR_CLEAR_PROTECTION) {
        clear_protection(nor);
    }
    return nkv_spi_nor_is_protected(nor) ? NKV_SPI_NOR_PROTECTED
                                         : NKV_SPI_NOR_NO_FAULT;
}

enum nkv_status nkv_spi_nor_start(struct nkv_spi_nor *nor,
                                  const struct nkv_spi_nor_config *config)
{
    static enum nkv_spi_nor_fault (*const steps[])(struct nkv_spi_nor *) = {
        check_config,    rouse, check_id,     resume,
        describe,        place, choose_erase, choose_addressing,
        check_protection};

    prepare(nor, config);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        nor->fault = steps[i](nor);
        if (nor->fault != NKV_SPI_NOR_NO_FAULT) {
            break;
        }
    }
    nor->is_readable = nor->fault == NKV_SPI_NOR_NO_FAULT ||
                       nor->fault == NKV_SPI_NOR_PROTECTED;
    nor->is_writable = nor->fault == NKV_SPI_NOR_NO_FAULT;
    return nkv_spi_nor_fault_status(nor->fault);
}

enum nkv_status nkv_spi_nor_unique_id(const struct nkv_spi_nor *nor,
                                      uint8_t to[NKV_SPI_NOR_UNIQUE_ID_SIZE])
{
    const struct nkv_spi_bus *bus = nor->config->bus;
    uint8_t id[NKV_SPI_NOR_UNIQUE_ID_SIZE];

    if (!nor->is_readable || !nkv_spi_nor_has_unique_id(nor->id)) {
        return NKV_UNIMPLEMENTED;
    }
    /* Four bytes of nothing, and a fifth in the mode of four address bytes. */
    nkv_spi_nor_begin(bus, NKV_SPI_NOR_READ_UNIQUE_ID, 0, 4);
    if (nor->has_mode || nor->chip.addressing == NKV_SPI_NOR_ALWAYS_4_BYTES) {
        bus->exchange(bus->context, NULL, id, 1);
    }
    bus->exchange(bus->context, NULL, id, sizeof id);
    bus->deselect(bus->context);
    if (nkv_spi_nor_is_silence(id, sizeof id)) {
        return NKV_NOT_FOUND;
    }
    memcpy(to, id, sizeof id);
    return NKV_OK;
}
