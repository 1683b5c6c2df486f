#include "spi_nor_commands.h"

void nkv_spi_nor_ask(const struct nkv_spi_bus *bus, uint8_t opcode, uint8_t *to,
                     size_t size)
{
    bus->select(bus->context);
    bus->exchange(bus->context, &opcode, NULL, 1);
    if (size > 0) {
        bus->exchange(bus->context, NULL, to, size);
    }
    bus->deselect(bus->context);
}

void nkv_spi_nor_command(const struct nkv_spi_bus *bus, uint8_t opcode)
{
    nkv_spi_nor_ask(bus, opcode, NULL, 0);
}

uint8_t nkv_spi_nor_read_status(const struct nkv_spi_bus *bus)
{
    uint8_t status = NKV_SPI_NOR_NOBODY;

    nkv_spi_nor_ask(bus, NKV_SPI_NOR_READ_STATUS, &status, 1);
    return status;
}

uint8_t nkv_spi_nor_read_second_status(const struct nkv_spi_bus *bus,
                                       const uint8_t id[NKV_SPI_NOR_ID_SIZE])
{
    uint8_t status = 0;

    if (nkv_spi_nor_has_second_status(id)) {
        nkv_spi_nor_ask(bus, NKV_SPI_NOR_READ_SECOND_STATUS, &status, 1);
    }
    return status;
}

void nkv_spi_nor_begin(const struct nkv_spi_bus *bus, uint8_t opcode,
                       uint32_t address, uint8_t address_bytes)
{
    uint8_t bytes[1 + 4] = {opcode};

    for (unsigned i = 0; i < address_bytes; i++) {
        bytes[1 + i] = (uint8_t)(address >> 8 * (address_bytes - 1u - i));
    }
    bus->select(bus->context);
    bus->exchange(bus->context, bytes, NULL, 1u + address_bytes);
}

enum nkv_status nkv_spi_nor_wait(const struct nkv_spi_bus *bus, uint32_t max_us,
                                 bool may_pause, uint8_t *status)
{
    const uint32_t start_us = bus->now_us(bus->context);
    bool is_over;

    for (;;) {
        /* Time first: whoever was kept from looking for long looks once more.
         */
        is_over = bus->now_us(bus->context) - start_us > max_us;
        *status = nkv_spi_nor_read_status(bus);
        if ((*status & NKV_SPI_NOR_BUSY) == 0) {
            return NKV_OK;
        }
        if (is_over) {
            return NKV_DEADLINE_EXCEEDED;
        }
        if (may_pause) {
            bus->pause(bus->context);
        }
    }
}

void nkv_spi_nor_delay(const struct nkv_spi_bus *bus, uint32_t time_us)
{
    const uint32_t start_us = bus->now_us(bus->context);

    /* One more: the first may be about to end. */
    while (bus->now_us(bus->context) - start_us < time_us + 1) {
    }
}

bool nkv_spi_nor_is_silence(const uint8_t *bytes, size_t size)
{
    for (size_t i = 1; i < size; i++) {
        if (bytes[i] != bytes[0]) {
            return false;
        }
    }
    return bytes[0] == 0x00 || bytes[0] == NKV_SPI_NOR_NOBODY;
}
