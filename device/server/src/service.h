/* What the services' methods share, and the methods themselves. */
#ifndef NKV_SERVICE_H
#define NKV_SERVICE_H

#include "norkv.pb.h"
#include "pb_io.h"
#include <norkv/rpc.h>
#include <norkv/server.h>

enum nkv_work_kind {
    NKV_WORK_NONE,
    NKV_WORK_SCAN,
    NKV_WORK_BACKUP,
    NKV_WORK_RESTORE,
    NKV_WORK_DIGEST,
    NKV_WORK_SECTORS,
    NKV_WORK_CHECK,
    NKV_WORK_COLLECT
};

enum {
    /* Between two reports of a long operation: less than clients wait. */
    NKV_REPORT_MS = 250
};

/* All services of the server. */
extern const struct nkv_rpc_service nkv_services[];
extern const size_t nkv_service_count;

struct nkv_server *nkv_server_of(const struct nkv_rpc_call *call);

/* What belongs to the call's slot. */
struct nkv_server_work *nkv_work_of(const struct nkv_rpc_call *call);

/* The store with this number, or NULL. */
struct nkv_server_store *nkv_find_store(const struct nkv_server *server,
                                        uint32_t number);

uint32_t nkv_server_now_ms(const struct nkv_server *server);

/* Decodes a request; when it is none, ends the call with SERVER_ERROR and
 * returns false. */
bool nkv_decode_request(struct nkv_rpc_call *call, struct nkv_span payload,
                        const pb_msgdesc_t *fields, void *message);

/* Ends a unary call. A message that does not fit the client's packets is
 * answered with RESOURCE_EXHAUSTED instead. */
void nkv_respond_message(struct nkv_rpc_call *call, enum nkv_status status,
                         const pb_msgdesc_t *fields, const void *message);

/* Ends a call without a payload. */
void nkv_respond_status(struct nkv_rpc_call *call, enum nkv_status status);

/* The bytes of the longest answer to Open that this configuration gives. */
size_t nkv_open_response_size_max(struct nkv_server *server);

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

/* Ends a Restore that was silent for too long: its client is gone. */
void nkv_restore_expire(struct nkv_server *server);

/* Whether a Restore is under way, so that its next chunk may come any time. */
bool nkv_is_restoring(const struct nkv_server *server);

/* Ends the Restore of a store that is going to be erased. */
void nkv_restore_abort(struct nkv_server *server, uint32_t store);

nkv_rpc_handler nkv_handle_open;
nkv_rpc_handler nkv_handle_echo;
nkv_rpc_handler nkv_handle_get;
nkv_rpc_handler nkv_handle_describe;
nkv_rpc_handler nkv_handle_put;
nkv_rpc_handler nkv_handle_delete;
nkv_rpc_handler nkv_handle_scan;
nkv_rpc_handler nkv_handle_restore;
nkv_rpc_handler nkv_handle_backup;
nkv_rpc_handler nkv_handle_digest;
nkv_rpc_handler nkv_handle_statistics;
nkv_rpc_handler nkv_handle_sectors;
nkv_rpc_handler nkv_handle_check;
nkv_rpc_handler nkv_handle_collect;
nkv_rpc_handler nkv_handle_erase_all;

#endif
