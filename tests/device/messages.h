/* Requests and answers of the services, as the tests want to say them. */
#ifndef NKV_MESSAGES_H
#define NKV_MESSAGES_H

#include "norkv.pb.h"
#include "rig.h"

/* A put, or with is_delete a deletion, of a key. */
struct nkv_test_write {
    uint32_t store;
    struct nkv_span key;
    struct nkv_span value;
    /* 0: no op. */
    uint32_t session;
    uint32_t seq;
    bool is_conditional;
    uint32_t if_version;
    uint32_t crc32;
    bool is_delete;
};

struct nkv_test_answer {
    enum nkv_status status;
    norkv_v1_WriteResponse message;
};

struct nkv_test_value {
    enum nkv_status status;
    norkv_v1_GetResponse message;
    /* Valid until the next call. */
    struct nkv_span value;
};

struct nkv_test_description {
    enum nkv_status status;
    norkv_v1_DescribeResponse message;
};

struct nkv_test_store_info {
    norkv_v1_StoreInfo message;
    struct nkv_span name;
};

struct nkv_test_opened {
    enum nkv_status status;
    norkv_v1_OpenResponse message;
    struct nkv_span product;
    struct nkv_span unit_id;
    struct nkv_span firmware;
    struct nkv_test_store_info stores[NKV_SERVER_STORES_MAX];
    size_t store_count;
};

/* The bytes of a C string. */
struct nkv_span nkv_text(const char *text);

bool nkv_span_is(struct nkv_span span, const char *text);

/* The payload of a write, made in to. */
struct nkv_span nkv_write_payload(const struct nkv_test_write *write,
                                  struct nkv_buffer to);

struct nkv_test_opened nkv_rig_open(struct nkv_rig *rig, uint32_t client,
                                    uint32_t max_packet);
struct nkv_test_answer nkv_rig_write(struct nkv_rig *rig,
                                     const struct nkv_test_write *write);
struct nkv_test_value nkv_rig_get(struct nkv_rig *rig, uint32_t store,
                                  const char *key, uint32_t offset,
                                  uint32_t max_size);
struct nkv_test_description nkv_rig_describe(struct nkv_rig *rig,
                                             uint32_t store, const char *key);
norkv_v1_StatisticsResponse nkv_rig_statistics(struct nkv_rig *rig,
                                               uint32_t store);
norkv_v1_StatisticsResponse nkv_rig_more_statistics(struct nkv_rig *rig,
                                                    uint32_t store);

/* A plain put or delete in store 0 that must succeed. */
void nkv_rig_put(struct nkv_rig *rig, const char *key, const char *value);
void nkv_rig_delete(struct nkv_rig *rig, const char *key);

/* Sends a chunk of records of the upload call_id; request says the rest. */
void nkv_rig_send_restore(struct nkv_rig *rig, uint32_t call_id,
                          norkv_v1_RestoreRequest request,
                          struct nkv_span records);

/* Store 0's value of key must be this; NULL: there must be none. */
void nkv_rig_expect(struct nkv_rig *rig, const char *key, const char *value);

#endif
