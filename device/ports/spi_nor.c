/* Reading, programming and erasing a chip that was started. */
#include "spi_nor.h"

#include "spi_nor_commands.h"
#include "spi_nor_flash.h"

#include <string.h>

static enum nkv_status fail(struct nkv_spi_nor *nor,
                            enum nkv_spi_nor_fault fault)
{
    nor->fault = fault;
    return nkv_spi_nor_fault_status(fault);
}

bool nkv_spi_nor_is_protected(const struct nkv_spi_nor *nor)
{
    const struct nkv_spi_bus *bus = nor->config->bus;

    return (nkv_spi_nor_read_status(bus) & nkv_spi_nor_protect_mask(nor->id)) !=
               0 ||
           (nkv_spi_nor_read_second_status(bus, nor->id) &
            NKV_SPI_NOR_COMPLEMENT) != 0;
}

void nkv_spi_nor_enter_mode(const struct nkv_spi_nor *nor)
{
    const struct nkv_spi_bus *bus = nor->config->bus;

    if (!nor->has_mode) {
        return;
    }
    if (nor->chip.addressing == NKV_SPI_NOR_ENABLE_AND_ENTER_4_BYTES) {
        nkv_spi_nor_command(bus, NKV_SPI_NOR_WRITE_ENABLE);
    }
    nkv_spi_nor_command(bus, NKV_SPI_NOR_ENTER_4_BYTE_MODE);
    if (nor->chip.addressing == NKV_SPI_NOR_ENABLE_AND_ENTER_4_BYTES) {
        nkv_spi_nor_command(bus, NKV_SPI_NOR_WRITE_DISABLE);
    }
}

/* Nothing may be sent to a chip that is still at what took too long. */
static enum nkv_status settle(struct nkv_spi_nor *nor)
{
    uint8_t status;

    if (!nor->is_readable) {
        return nkv_spi_nor_fault_status(nor->fault);
    }
    if (!nor->is_late) {
        return NKV_OK;
    }
    if (nkv_spi_nor_wait(nor->config->bus, nor->erase.max_ms * UINT32_C(1000),
                         true, &status) != NKV_OK) {
        return fail(nor, status == NKV_SPI_NOR_NOBODY ? NKV_SPI_NOR_SILENT
                                                      : NKV_SPI_NOR_STAYS_BUSY);
    }
    nor->is_late = false;
    return NKV_OK;
}

/* A line that nothing drives reads like erased flash: what reads as silence is
 * believed only when the chip still tells its id. */
static enum nkv_status check_presence(struct nkv_spi_nor *nor)
{
    uint8_t id[NKV_SPI_NOR_ID_SIZE];

    nkv_spi_nor_ask(nor->config->bus, NKV_SPI_NOR_READ_ID, id, sizeof id);
    return memcmp(id, nor->id, sizeof id) == 0 ? NKV_OK
                                               : fail(nor, NKV_SPI_NOR_SILENT);
}

enum nkv_status nkv_spi_nor_read(void *context, uint32_t offset, void *to,
                                 size_t size)
{
    struct nkv_spi_nor *nor = context;
    const struct nkv_spi_bus *bus = nor->config->bus;
    enum nkv_status status = settle(nor);

    if (status != NKV_OK || size == 0) {
        return status;
    }
    nkv_spi_nor_enter_mode(nor);
    nkv_spi_nor_begin(bus, nor->read_opcode, nor->offset + offset,
                      nor->address_bytes);
    bus->exchange(bus->context, NULL, to, size);
    bus->deselect(bus->context);
    return nkv_spi_nor_is_silence(to, size) ? check_presence(nor) : NKV_OK;
}

static enum nkv_status prepare_write(struct nkv_spi_nor *nor)
{
    return nor->is_writable ? settle(nor)
                            : nkv_spi_nor_fault_status(nor->fault);
}

/* Lets the chip take a program or an erase, and makes sure that it will. */
static enum nkv_status enable_write(struct nkv_spi_nor *nor)
{
    const struct nkv_spi_bus *bus = nor->config->bus;
    uint8_t bits;

    nkv_spi_nor_enter_mode(nor);
    nkv_spi_nor_command(bus, NKV_SPI_NOR_WRITE_ENABLE);
    bits = nkv_spi_nor_read_status(bus);
    if (bits == NKV_SPI_NOR_NOBODY || (bits & NKV_SPI_NOR_LATCH) == 0) {
        return fail(nor, NKV_SPI_NOR_SILENT);
    }
    if ((bits & NKV_SPI_NOR_BUSY) != 0) {
        nor->is_late = true;
        return fail(nor, NKV_SPI_NOR_STAYS_BUSY);
    }
    return NKV_OK;
}

/* Waits for the end of a program or an erase. A chip that did it has cleared
 * its latch; one that did not, because the place is protected, may not have. */
static enum nkv_status finish_write(struct nkv_spi_nor *nor, uint32_t max_us,
                                    bool may_pause)
{
    const struct nkv_spi_bus *bus = nor->config->bus;
    uint8_t bits;

    if (nkv_spi_nor_wait(bus, max_us, may_pause, &bits) != NKV_OK) {
        nor->is_late = true;
        return fail(nor, bits == NKV_SPI_NOR_NOBODY ? NKV_SPI_NOR_SILENT
                                                    : NKV_SPI_NOR_STAYS_BUSY);
    }
    if ((bits & NKV_SPI_NOR_LATCH) == 0) {
        return NKV_OK;
    }
    nkv_spi_nor_command(bus, NKV_SPI_NOR_WRITE_DISABLE);
    return nkv_spi_nor_is_protected(nor) ? fail(nor, NKV_SPI_NOR_PROTECTED)
                                         : NKV_OK;
}

/* Programs bytes inside one page. */
static enum nkv_status program_page(struct nkv_spi_nor *nor, uint32_t address,
                                    const uint8_t *from, size_t size)
{
    const struct nkv_spi_bus *bus = nor->config->bus;
    enum nkv_status status = enable_write(nor);

    if (status != NKV_OK) {
        return status;
    }
    nkv_spi_nor_begin(bus, nor->program_opcode, address, nor->address_bytes);
    bus->exchange(bus->context, from, NULL, size);
    bus->deselect(bus->context);
    return finish_write(nor, nor->chip.program_max_us, false);
}

enum nkv_status nkv_spi_nor_program(void *context, uint32_t offset,
                                    const void *from, size_t size)
{
    struct nkv_spi_nor *nor = context;
    const uint8_t *bytes = from;
    uint32_t address = nor->offset + offset;
    enum nkv_status status = prepare_write(nor);

    while (status == NKV_OK && size > 0) {
        size_t part = nor->chip.page_size - address % nor->chip.page_size;

        if (part > size) {
            part = size;
        }
        status = program_page(nor, address, bytes, part);
        address += (uint32_t)part;
        bytes += part;
        size -= part;
    }
    return status;
}

static enum nkv_status erase_once(struct nkv_spi_nor *nor, uint32_t address)
{
    const struct nkv_spi_bus *bus = nor->config->bus;
    enum nkv_status status = enable_write(nor);

    if (status != NKV_OK) {
        return status;
    }
    nkv_spi_nor_begin(bus, nor->erase.opcode, address, nor->address_bytes);
    bus->deselect(bus->context);
    return finish_write(nor, nor->erase.max_ms * UINT32_C(1000), true);
}

enum nkv_status nkv_spi_nor_erase(void *context, uint32_t sector)
{
    struct nkv_spi_nor *nor = context;
    const uint32_t size = nor->flash.sector_size;
    enum nkv_status status = prepare_write(nor);

    for (uint32_t done = 0; status == NKV_OK && done < size;
         done += nor->erase.size) {
        status = erase_once(nor, nor->offset + sector * size + done);
    }
    return status;
}
