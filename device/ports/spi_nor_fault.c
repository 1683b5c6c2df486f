#include "spi_nor.h"

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
