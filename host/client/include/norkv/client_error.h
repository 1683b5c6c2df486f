/* What went wrong, in words and in numbers. */
#ifndef NORKV_CLIENT_ERROR_H
#define NORKV_CLIENT_ERROR_H

#include <norkv/fault.h>
#include <norkv/status.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Why the device refused, finer than the status. The numbers are those of
 * norkv.v1.Reason; a device may send others. */
enum nkv_reason {
    NKV_REASON_NONE = 0,
    NKV_REASON_STORE_FULL = 1,
    NKV_REASON_KEY_TABLE_FULL = 2,
    NKV_REASON_VERSION_MISMATCH = 3,
    NKV_REASON_SESSION_UNKNOWN = 4,
    NKV_REASON_SEQ_TOO_OLD = 5,
    NKV_REASON_SEQ_GAP = 6,
    NKV_REASON_WRONG_UNIT_ID = 7,
    NKV_REASON_BAD_KEY = 8,
    NKV_REASON_VALUE_TOO_LARGE = 9,
    NKV_REASON_NO_SUCH_STORE = 10,
    NKV_REASON_CRC_MISMATCH = 11,
    NKV_REASON_STORE_READ_ONLY = 12,
    NKV_REASON_BUSY = 13,
    NKV_REASON_SEQ_REUSED = 14,
    NKV_REASON_FLASH_FAULT = 15
};

/* An open port: norkv/client_port.h. */
struct nkv_client;

/*
 * The last failure in one line: port, call, and cause, and where there is
 * something to do about it, what. Empty after a success. Never NULL; valid
 * until the next call on this client. client may be NULL.
 */
const char *nkv_client_error(const struct nkv_client *client);

/* The device's reason for the last failure; NKV_REASON_NONE when the device
 * gave none. */
enum nkv_reason nkv_client_reason(const struct nkv_client *client);

/* A reason in words, "the store is full". Never NULL; static storage. */
const char *nkv_reason_text(enum nkv_reason reason);

enum { NKV_FAULT_TEXT_SIZE = 256 };

/*
 * Writes a fault in words, and what to do about it: "no flash chip answers
 * (...) ...". One line, ended by a NUL; empty for NKV_FAULT_NONE.
 */
void nkv_client_explain_fault(enum nkv_fault fault, uint32_t detail,
                              char text[NKV_FAULT_TEXT_SIZE]);

#ifdef __cplusplus
}
#endif

#endif
