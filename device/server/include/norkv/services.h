/*
 * Which services and methods a device has. Firmware links one of the lists
 * below, or one of its own, made of the entries below and of methods of its own
 * (norkv/rpc.h): what no list names is not linked. A call of a method that is
 * not there is answered with SERVER_ERROR NOT_FOUND, as docs/protocol.md has
 * it, and libnorkv tells it apart from a key that is not there.
 *
 * static const struct nkv_rpc_method store_methods[] = {
 *     NKV_SERVE_STORE_GET, NKV_SERVE_STORE_PUT};
 * static const struct nkv_rpc_service services[] = {
 *     {NKV_SERVICE_STORE, NKV_SERVE_ALL_OF(store_methods)}};
 * static const struct nkv_server_services mine = {NKV_SERVE_ALL_OF(services)};
 */
#ifndef NORKV_SERVICES_H
#define NORKV_SERVICES_H

#include <norkv/ids.h>
#include <norkv/rpc.h>
#include <norkv/server.h>

/* A table and the number of its entries: two members of what refers to it. */
#define NKV_SERVE_ALL_OF(table) (table), sizeof(table) / sizeof((table)[0])

/* All methods of docs/protocol.md. */
extern const struct nkv_server_services nkv_services_all;

/* All but Backup, Restore and Digest. Values are still copied key by key:
 * norkv apply and norkv list work. */
extern const struct nkv_server_services nkv_services_without_transfer;

/* Open, Get, Put, Delete and Scan; EraseAll, without which a store that was
 * mounted read-only stays so, and Statistics, which libnorkv asks before it;
 * and Echo. */
extern const struct nkv_server_services nkv_services_smallest;

/* What the server's own methods are made of; private. */
struct nkv_server_method;

/* The handler of the server's own methods. */
nkv_rpc_handler nkv_serve_method;
nkv_rpc_handler nkv_serve_restore;

extern const struct nkv_server_method nkv_method_open;
extern const struct nkv_server_method nkv_method_echo;
extern const struct nkv_server_method nkv_method_get;
extern const struct nkv_server_method nkv_method_describe;
extern const struct nkv_server_method nkv_method_put;
extern const struct nkv_server_method nkv_method_delete;
extern const struct nkv_server_method nkv_method_scan;
extern const struct nkv_server_method nkv_method_backup;
extern const struct nkv_server_method nkv_method_digest;
extern const struct nkv_server_method nkv_method_statistics;
extern const struct nkv_server_method nkv_method_sectors;
extern const struct nkv_server_method nkv_method_check;
extern const struct nkv_server_method nkv_method_collect;
extern const struct nkv_server_method nkv_method_erase_all;

/* Entries for a list of methods; each belongs to the service in its name. */
#define NKV_SERVE_DEVICE_OPEN                                                  \
    {                                                                          \
        NKV_METHOD_DEVICE_OPEN, NKV_RPC_UNARY, nkv_serve_method,               \
            &nkv_method_open                                                   \
    }
#define NKV_SERVE_ECHO_SERVICE_ECHO                                            \
    {                                                                          \
        NKV_METHOD_ECHO_SERVICE_ECHO, NKV_RPC_UNARY, nkv_serve_method,         \
            &nkv_method_echo                                                   \
    }
#define NKV_SERVE_STORE_GET                                                    \
    {                                                                          \
        NKV_METHOD_STORE_GET, NKV_RPC_UNARY, nkv_serve_method, &nkv_method_get \
    }
#define NKV_SERVE_STORE_DESCRIBE                                               \
    {                                                                          \
        NKV_METHOD_STORE_DESCRIBE, NKV_RPC_UNARY, nkv_serve_method,            \
            &nkv_method_describe                                               \
    }
#define NKV_SERVE_STORE_PUT                                                    \
    {                                                                          \
        NKV_METHOD_STORE_PUT, NKV_RPC_UNARY, nkv_serve_method, &nkv_method_put \
    }
#define NKV_SERVE_STORE_DELETE                                                 \
    {                                                                          \
        NKV_METHOD_STORE_DELETE, NKV_RPC_UNARY, nkv_serve_method,              \
            &nkv_method_delete                                                 \
    }
#define NKV_SERVE_STORE_SCAN                                                   \
    {                                                                          \
        NKV_METHOD_STORE_SCAN, NKV_RPC_SERVER_STREAM, nkv_serve_method,        \
            &nkv_method_scan                                                   \
    }
#define NKV_SERVE_STORE_BACKUP                                                 \
    {                                                                          \
        NKV_METHOD_STORE_BACKUP, NKV_RPC_SERVER_STREAM, nkv_serve_method,      \
            &nkv_method_backup                                                 \
    }
#define NKV_SERVE_STORE_RESTORE                                                \
    {                                                                          \
        NKV_METHOD_STORE_RESTORE, NKV_RPC_BIDI_SINGLE, nkv_serve_restore, NULL \
    }
#define NKV_SERVE_STORE_DIGEST                                                 \
    {                                                                          \
        NKV_METHOD_STORE_DIGEST, NKV_RPC_SERVER_STREAM, nkv_serve_method,      \
            &nkv_method_digest                                                 \
    }
#define NKV_SERVE_MAINTENANCE_STATISTICS                                       \
    {                                                                          \
        NKV_METHOD_MAINTENANCE_STATISTICS, NKV_RPC_UNARY, nkv_serve_method,    \
            &nkv_method_statistics                                             \
    }
#define NKV_SERVE_MAINTENANCE_SECTORS                                          \
    {                                                                          \
        NKV_METHOD_MAINTENANCE_SECTORS, NKV_RPC_SERVER_STREAM,                 \
            nkv_serve_method, &nkv_method_sectors                              \
    }
#define NKV_SERVE_MAINTENANCE_CHECK                                            \
    {                                                                          \
        NKV_METHOD_MAINTENANCE_CHECK, NKV_RPC_SERVER_STREAM, nkv_serve_method, \
            &nkv_method_check                                                  \
    }
#define NKV_SERVE_MAINTENANCE_COLLECT                                          \
    {                                                                          \
        NKV_METHOD_MAINTENANCE_COLLECT, NKV_RPC_SERVER_STREAM,                 \
            nkv_serve_method, &nkv_method_collect                              \
    }
#define NKV_SERVE_MAINTENANCE_ERASE_ALL                                        \
    {                                                                          \
        NKV_METHOD_MAINTENANCE_ERASE_ALL, NKV_RPC_SERVER_STREAM,               \
            nkv_serve_method, &nkv_method_erase_all                            \
    }

#endif
