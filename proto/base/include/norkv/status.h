/*
 * The one set of result codes of norkv: engine, wire and host all use it.
 *
 * The numbers are those of google.rpc.Code, which pw_status has too, so that a
 * status travels in an RPC packet unchanged.
 */
#ifndef NORKV_STATUS_H
#define NORKV_STATUS_H

/* Marks a function whose result must not be ignored. */
#define NKV_MUST_USE __attribute__((warn_unused_result))

enum nkv_status {
    NKV_OK = 0,
    NKV_CANCELLED = 1,
    NKV_UNKNOWN = 2,
    NKV_INVALID_ARGUMENT = 3,
    NKV_DEADLINE_EXCEEDED = 4,
    NKV_NOT_FOUND = 5,
    NKV_ALREADY_EXISTS = 6,
    NKV_PERMISSION_DENIED = 7,
    NKV_RESOURCE_EXHAUSTED = 8,
    NKV_FAILED_PRECONDITION = 9,
    NKV_ABORTED = 10,
    NKV_OUT_OF_RANGE = 11,
    NKV_UNIMPLEMENTED = 12,
    NKV_INTERNAL = 13,
    NKV_UNAVAILABLE = 14,
    NKV_DATA_LOSS = 15,
    NKV_UNAUTHENTICATED = 16
};

/*
 * The name of a status without its prefix, "NOT_FOUND" for NKV_NOT_FOUND. A
 * number that is no status gives "UNKNOWN". Never NULL; static storage.
 */
static inline const char *nkv_status_name(enum nkv_status status)
{
    switch (status) {
    case NKV_OK:
        return "OK";
    case NKV_CANCELLED:
        return "CANCELLED";
    case NKV_INVALID_ARGUMENT:
        return "INVALID_ARGUMENT";
    case NKV_DEADLINE_EXCEEDED:
        return "DEADLINE_EXCEEDED";
    case NKV_NOT_FOUND:
        return "NOT_FOUND";
    case NKV_ALREADY_EXISTS:
        return "ALREADY_EXISTS";
    case NKV_PERMISSION_DENIED:
        return "PERMISSION_DENIED";
    case NKV_RESOURCE_EXHAUSTED:
        return "RESOURCE_EXHAUSTED";
    case NKV_FAILED_PRECONDITION:
        return "FAILED_PRECONDITION";
    case NKV_ABORTED:
        return "ABORTED";
    case NKV_OUT_OF_RANGE:
        return "OUT_OF_RANGE";
    case NKV_UNIMPLEMENTED:
        return "UNIMPLEMENTED";
    case NKV_INTERNAL:
        return "INTERNAL";
    case NKV_UNAVAILABLE:
        return "UNAVAILABLE";
    case NKV_DATA_LOSS:
        return "DATA_LOSS";
    case NKV_UNAUTHENTICATED:
        return "UNAUTHENTICATED";
    case NKV_UNKNOWN:
    default:
        return "UNKNOWN";
    }
}

#endif
