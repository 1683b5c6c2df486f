/* What the services' methods share. */
#ifndef NKV_SERVICE_H
#define NKV_SERVICE_H

#include "echo.pb.h"
#include "message_tables.h"
#include <norkv/server.h>
#include <norkv/services.h>

enum {
    /* Between two reports of a long operation: less than clients wait. */
    NKV_REPORT_MS = 250,
    /* A tag and a length, in front of bytes in a field of a number up to 15. */
    NKV_PREFIX_MAX = 6
};

/* A request, taken apart. */
struct nkv_request {
    /* As it came. */
    struct nkv_span payload;
    /* That of its number, where the method is of a store. */
    struct nkv_server_store *store;
    union {
        norkv_v1_OpenRequest open;
        pw_rpc_EchoMessage echo;
        /* Of requests to a store the first member is its number. */
        uint32_t store_number;
        norkv_v1_GetRequest get;
        norkv_v1_DescribeRequest describe;
        norkv_v1_PutRequest put;
        norkv_v1_DeleteRequest delete_;
        norkv_v1_ScanRequest scan;
        norkv_v1_BackupRequest backup;
        norkv_v1_DigestRequest digest;
        norkv_v1_StatisticsRequest statistics;
        norkv_v1_SectorsRequest sectors;
        norkv_v1_CheckRequest check;
        norkv_v1_CollectRequest collect;
        norkv_v1_EraseAllRequest erase_all;
    } of;
};

/*
 * A method that nkv_serve_method serves. What it keeps of a call, in
 * nkv_work_of, is all zeros when the call starts, but for the store's number.
 */
struct nkv_server_method {
    /* The fields of its request. */
    const struct nkv_field *request;
    /* Begins a call, and may end it. */
    void (*start)(struct nkv_rpc_call *call, const struct nkv_request *request);
    /* A running call's turn; NULL where none runs. */
    void (*step)(struct nkv_rpc_call *call);
    /* The number of the field of its answers that gives a reason; 0: none. */
    uint8_t reason;
    /* A request to a store that does not exist is refused. */
    bool is_of_store;
    /* One of these at a time works on a store. */
    bool is_alone;
    /* A store of which nothing can be read is refused. */
    bool needs_flash;
};

struct nkv_server *nkv_server_of(const struct nkv_rpc_call *call);

/* What belongs to the call's slot. */
struct nkv_server_work *nkv_work_of(const struct nkv_rpc_call *call);

/* The store with this number, or NULL. */
struct nkv_server_store *nkv_find_store(const struct nkv_server *server,
                                        uint32_t number);

/* The store that the call works on. */
struct nkv_server_store *nkv_store_of(const struct nkv_rpc_call *call);

/* Whether another call works on the store of this one, alone. */
bool nkv_store_is_busy(const struct nkv_rpc_call *call);

uint32_t nkv_server_now_ms(const struct nkv_server *server);

/* Whether a long operation, which reported at *reported_ms, is to do so again;
 * then that is now. */
static inline bool nkv_report_is_due(const struct nkv_rpc_call *call,
                                     uint32_t *reported_ms)
{
    uint32_t now = nkv_server_now_ms(nkv_server_of(call));

    if (now - *reported_ms < NKV_REPORT_MS) {
        return false;
    }
    *reported_ms = now;
    return true;
}

/* Content bytes that may be unanswered. */
uint32_t nkv_rx_window(const struct nkv_server *server);

/* The bytes of a C string; NULL is empty. */
struct nkv_span nkv_text_span(const char *text);

/* Sends a message of the server's stream, which must fit the smallest packet.
 * False: the line is gone, and the call with it. */
bool nkv_message_tell(struct nkv_rpc_call *call, const struct nkv_field *fields,
                      const void *message);

/* Begins a call that goes over the sectors of the request's store, from first
 * on. False: there are no such sectors, and the call was refused. */
bool nkv_begin_sectors(struct nkv_rpc_call *call,
                       const struct nkv_request *request, uint32_t first);

/* Ends a unary call. A message that does not fit the client's packets is
 * answered with RESOURCE_EXHAUSTED instead. */
void nkv_respond_message(struct nkv_rpc_call *call, enum nkv_status status,
                         const struct nkv_field *fields, const void *message);

/* Ends a call without a payload. */
void nkv_respond_status(struct nkv_rpc_call *call, enum nkv_status status);

/* Ends a streaming call behind a last message: a stream's last packet has no
 * payload. */
void nkv_message_end(struct nkv_rpc_call *call, enum nkv_status status,
                     const struct nkv_field *fields, const void *message);

/* Ends a call with a message that gives nothing but the reason; what streams
 * does so before it. */
void nkv_call_refuse(struct nkv_rpc_call *call, enum nkv_status status,
                     norkv_v1_Reason reason);

/* Adds a message, as field number of another, to the first *used bytes of room.
 * False: it does not fit; what is behind *used is lost. */
bool nkv_message_append(struct nkv_buffer room, size_t *used, uint8_t number,
                        const struct nkv_field *fields, const void *message);

/* Whether any answer to Open fits the packets that are the limit now. */
bool nkv_open_fits(const struct nkv_server *server);

/* What a client is told instead of a status that the store gave. One that is
 * only the flash driver's word becomes INTERNAL: to a client UNAVAILABLE means
 * that the request was not begun, and ABORTED that its session is gone. */
enum nkv_status nkv_status_for_client(enum nkv_status status);

/* What keeps the store from being used, and the fault's detail. */
enum nkv_fault nkv_fault_of(const struct nkv_server_store *store,
                            uint32_t *detail);

/* Why a store refuses what it would do if it had mounted well. */
norkv_v1_Reason nkv_unusable_reason(const struct nkv_server_store *store);

/* Why reading a key failed, as far as the status does not say. */
norkv_v1_Reason nkv_read_reason(const struct nkv_server_store *store,
                                enum nkv_status status);

/* Why putting key failed with status. */
norkv_v1_Reason nkv_put_reason(const struct nkv_server_store *store,
                               struct nkv_span key, enum nkv_status status);

#endif
