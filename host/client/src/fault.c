/* What keeps a store from being used, in words, and what to do about it. */
#include "internal.h"

#include <stdio.h>

/* How a fault reads, and what its detail is. */
struct fault_text {
    enum { DETAIL_NONE, DETAIL_NUMBER, DETAIL_ID, DETAIL_STATUS } detail;
    const char *before;
    const char *behind;
};

static const struct fault_text fault_texts[] = {
    [NKV_FAULT_NONE] = {DETAIL_NONE, "", ""},
    [NKV_FAULT_NO_FLASH] =
        {DETAIL_ID, "no flash chip answers (JEDEC id ",
         "): check its supply, wiring and chip select, and restart the device"},
    [NKV_FAULT_WRONG_FLASH] =
        {DETAIL_ID,
         "the flash chip is not one that the firmware drives "
         "(JEDEC id ",
         "): fit the right one, or a firmware for this one"},
    [NKV_FAULT_FLASH_TOO_SMALL] =
        {DETAIL_NUMBER, "the flash chip is smaller than configured (",
         " bytes): fit the right one, or a firmware with a smaller store"},
    [NKV_FAULT_FLASH_PROTECTED] =
        {DETAIL_ID, "the flash chip is write-protected (status register ",
         "): clear its protection bits, and check its WP pin"},
    [NKV_FAULT_SELF_TEST] =
        {DETAIL_NUMBER,
         "the flash failed the self-test at the device's start "
         "(check ",
         "): see the device's log, chip and driver"},
    [NKV_FAULT_FLASH_ERROR] =
        {DETAIL_STATUS, "the flash did not answer when the store was mounted (",
         "): restart the device; if it stays so, chip, wiring or driver are "
         "at fault"},
    [NKV_FAULT_FOREIGN_DATA] =
        {DETAIL_NONE,
         "mounting it found foreign data, which is left as it is "
         "(erase-all takes the flash over, and erases it)",
         ""},
    [NKV_FAULT_ERASE_CUT] =
        {DETAIL_NONE,
         "an erase of all of it was cut short (erase-all finishes "
         "it)",
         ""},
    [NKV_FAULT_TABLE_TOO_SMALL] =
        {DETAIL_NUMBER, "the flash holds more than the ",
         " keys that the device has a table for, or has no room for repairs: "
         "it only reads, and not all keys; nothing is lost, a firmware with a "
         "larger table can read it"},
    [NKV_FAULT_NEEDS_REPAIR] =
        {DETAIL_NONE,
         "mounting it found damage, which the firmware leaves as "
         "it is ('collect full' repairs it)",
         ""},
    [NKV_FAULT_BAD_CONFIG] =
        {DETAIL_NONE,
         "the firmware's configuration of the store makes no "
         "sense: geometry, copies or memory",
         ""},
};

void nkv_client_explain_fault(enum nkv_fault fault, uint32_t detail,
                              char text[NKV_FAULT_TEXT_SIZE])
{
    static const struct fault_text unknown = {
        DETAIL_NUMBER, "a fault that this program does not know (detail ",
        "): update it"};
    const struct fault_text *of =
        (unsigned)fault < sizeof(fault_texts) / sizeof(fault_texts[0])
            ? &fault_texts[fault]
            : &unknown;
    char number[32] = "";
    if (of->detail == DETAIL_ID)
        snprintf(number, sizeof(number), "%06lx", (unsigned long)detail);
    else if (of->detail == DETAIL_NUMBER)
        snprintf(number, sizeof(number), "%lu", (unsigned long)detail);
    else if (of->detail == DETAIL_STATUS)
        snprintf(number, sizeof(number), "%s",
                 nkv_status_name(nkv_wire_status(detail)));
    snprintf(text, NKV_FAULT_TEXT_SIZE, "%s%s%s", of->before, number,
             of->behind);
}

bool nkv_host_fail_fault(struct nkv_client *client, enum nkv_status status)
{
    const struct nkv_device_store *store = nkv_host_store(client);
    char text[NKV_FAULT_TEXT_SIZE];
    if (store == NULL || store->fault == NKV_FAULT_NONE)
        return false;
    nkv_client_explain_fault(store->fault, store->fault_detail, text);
    bool is_total = nkv_fault_is_total(store->fault);
    client->reason =
        is_total ? NKV_REASON_FLASH_FAULT : NKV_REASON_STORE_READ_ONLY;
    (void)nkv_host_fail(client, status, "%s: %s (%s)",
                        is_total ? "the store cannot be used"
                                 : "the store is read-only",
                        text, nkv_status_name(status));
    return true;
}
