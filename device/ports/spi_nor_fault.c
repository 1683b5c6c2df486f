#include "spi_nor.h"

#include "spi_nor_commands.h"

static const struct {
    enum nkv_status status;
    const char *text;
} faults[] = {
    [NKV_SPI_NOR_NO_FAULT] = {NKV_OK, ""},
    [NKV_SPI_NOR_BAD_CONFIG] = {NKV_INVALID_ARGUMENT,
                                "the flash's configuration contradicts itself"},
    [NKV_SPI_NOR_SILENT] = {NKV_UNAVAILABLE, "the flash does not answer"},
    [NKV_SPI_NOR_STAYS_BUSY] = {NKV_DEADLINE_EXCEEDED,
                                "the flash stays busy for longer than it may"},
    [NKV_SPI_NOR_OTHER_ID] = {NKV_FAILED_PRECONDITION,
                              "the flash is another chip than configured"},
    [NKV_SPI_NOR_UNKNOWN_CHIP] = {NKV_UNIMPLEMENTED,
                                  "the flash is a chip that is not known and "
                                  "does not describe itself"},
    [NKV_SPI_NOR_REFUSED_CHIP] = {NKV_UNIMPLEMENTED,
                                  "the flash is of a family that is programmed "
                                  "in another way (SST25, SST26)"},
    [NKV_SPI_NOR_MIXED_SECTORS] = {NKV_UNIMPLEMENTED,
                                   "the flash has sectors of several sizes"},
    [NKV_SPI_NOR_TOO_SMALL] = {NKV_OUT_OF_RANGE,
                               "the flash is smaller than configured"},
    [NKV_SPI_NOR_NO_ERASE] = {NKV_FAILED_PRECONDITION,
                              "the flash cannot erase sectors of the size "
                              "configured"},
    [NKV_SPI_NOR_NO_4_BYTES] = {NKV_UNIMPLEMENTED,
                                "the flash tells of no known way to address "
                                "more than 16 MiB"},
    [NKV_SPI_NOR_PROTECTED] = {NKV_PERMISSION_DENIED,
                               "the flash's status register protects blocks "
                               "from being written"},
};

enum nkv_status nkv_spi_nor_fault_status(enum nkv_spi_nor_fault fault)
{
    return faults[fault].status;
}

const char *nkv_spi_nor_fault_text(enum nkv_spi_nor_fault fault)
{
    return faults[fault].text;
}

static uint32_t id_of(const struct nkv_spi_nor *nor)
{
    return (uint32_t)nor->id[0] << 16 | (uint32_t)nor->id[1] << 8 | nor->id[2];
}

enum nkv_fault nkv_spi_nor_store_fault(const struct nkv_spi_nor *nor,
                                       uint32_t *detail)
{
    *detail = 0;
    switch (nor->fault) {
    case NKV_SPI_NOR_NO_FAULT:
        return NKV_FAULT_NONE;
    case NKV_SPI_NOR_BAD_CONFIG:
        return NKV_FAULT_BAD_CONFIG;
    case NKV_SPI_NOR_SILENT:
        *detail = id_of(nor);
        return NKV_FAULT_NO_FLASH;
    case NKV_SPI_NOR_TOO_SMALL:
        *detail = nor->chip.size;
        return NKV_FAULT_FLASH_TOO_SMALL;
    case NKV_SPI_NOR_PROTECTED:
        *detail = nkv_spi_nor_read_status(nor->config->bus);
        return NKV_FAULT_FLASH_PROTECTED;
    case NKV_SPI_NOR_STAYS_BUSY:
        *detail = (uint32_t)nkv_spi_nor_fault_status(nor->fault);
        return NKV_FAULT_FLASH_ERROR;
    case NKV_SPI_NOR_OTHER_ID:
    case NKV_SPI_NOR_UNKNOWN_CHIP:
    case NKV_SPI_NOR_REFUSED_CHIP:
    case NKV_SPI_NOR_MIXED_SECTORS:
    case NKV_SPI_NOR_NO_ERASE:
    case NKV_SPI_NOR_NO_4_BYTES:
    default:
        *detail = id_of(nor);
        return NKV_FAULT_WRONG_FLASH;
    }
}
