/*
 * What keeps a store from being used: its flash, or what is on it.
 *
 * The numbers are those of norkv.v1.Fault.
 */
#ifndef NORKV_FAULT_H
#define NORKV_FAULT_H

#include <stdbool.h>

/* The first ones are found by whoever looks for the flash, a board or a chip's
 * driver; nothing is mounted then. The others are found by mounting. Each has a
 * detail, a number; 0 where none is named. */
enum nkv_fault {
    NKV_FAULT_NONE = 0,
    /* No chip answers. Detail: what was read for its JEDEC id. */
    NKV_FAULT_NO_FLASH = 1,
    /* A chip answers that the firmware cannot drive. Detail: its JEDEC id, the
     * manufacturer's byte in bits 16 to 23. */
    NKV_FAULT_WRONG_FLASH = 2,
    /* The chip ends before the partition does. Detail: its size, bytes. */
    NKV_FAULT_FLASH_TOO_SMALL = 3,
    /* The chip takes no programs and erases. Detail: its status register. */
    NKV_FAULT_FLASH_PROTECTED = 4,
    /* The self-test at the device's start failed. Detail: the number of the
     * check that did. */
    NKV_FAULT_SELF_TEST = 5,

    /* The driver failed. Detail: the status it gave. */
    NKV_FAULT_FLASH_ERROR = 6,
    /* What is on the flash is not a store's, or not of this one's formats. */
    NKV_FAULT_FOREIGN_DATA = 7,
    /* Erasing the whole store was cut short. */
    NKV_FAULT_ERASE_CUT = 8,
    /* There are more keys on the flash than the device has a table for. Detail:
     * the keys that it has one for. */
    NKV_FAULT_TABLE_TOO_SMALL = 9,
    /* There is damage, and the device was told to leave it as it is. */
    NKV_FAULT_NEEDS_REPAIR = 10,
    /* The device's configuration of the store makes no sense. */
    NKV_FAULT_BAD_CONFIG = 11
};

/* Whether nothing of the store can be read either. */
static inline bool nkv_fault_is_total(enum nkv_fault fault)
{
    return (fault >= NKV_FAULT_NO_FLASH && fault <= NKV_FAULT_FLASH_ERROR) ||
           fault == NKV_FAULT_BAD_CONFIG;
}

/*
 * The name of a fault without its prefix, "NO_FLASH" for NKV_FAULT_NO_FLASH. A
 * number that is no fault gives "UNKNOWN". Never NULL; static storage.
 */
static inline const char *nkv_fault_name(enum nkv_fault fault)
{
    switch (fault) {
    case NKV_FAULT_NONE:
        return "NONE";
    case NKV_FAULT_NO_FLASH:
        return "NO_FLASH";
    case NKV_FAULT_WRONG_FLASH:
        return "WRONG_FLASH";
    case NKV_FAULT_FLASH_TOO_SMALL:
        return "FLASH_TOO_SMALL";
    case NKV_FAULT_FLASH_PROTECTED:
        return "FLASH_PROTECTED";
    case NKV_FAULT_SELF_TEST:
        return "SELF_TEST";
    case NKV_FAULT_FLASH_ERROR:
        return "FLASH_ERROR";
    case NKV_FAULT_FOREIGN_DATA:
        return "FOREIGN_DATA";
    case NKV_FAULT_ERASE_CUT:
        return "ERASE_CUT";
    case NKV_FAULT_TABLE_TOO_SMALL:
        return "TABLE_TOO_SMALL";
    case NKV_FAULT_NEEDS_REPAIR:
        return "NEEDS_REPAIR";
    case NKV_FAULT_BAD_CONFIG:
        return "BAD_CONFIG";
    default:
        return "UNKNOWN";
    }
}

#endif
