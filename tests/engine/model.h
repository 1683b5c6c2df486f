/* A plain map from keys to values: what a store must always be equal to. */
#ifndef NORKV_TESTS_MODEL_H
#define NORKV_TESTS_MODEL_H

#include <norkv/store.h>

struct nkv_model_entry {
    uint8_t key[NKV_KEY_SIZE_MAX];
    uint8_t key_size;
    uint8_t *value;
    size_t size;
};

struct nkv_model {
    struct nkv_model_entry *entries;
    size_t count;
    size_t capacity;
};

/* An empty model is all zero. */
void nkv_model_free(struct nkv_model *model);

/* The entry with this key, or NULL. Valid until the next change. */
struct nkv_model_entry *nkv_model_find(const struct nkv_model *model,
                                       struct nkv_span key);

void nkv_model_put(struct nkv_model *model, struct nkv_span key,
                   struct nkv_span value);

/* Whether the key was there. */
bool nkv_model_delete(struct nkv_model *model, struct nkv_span key);

struct nkv_span nkv_model_value(const struct nkv_model_entry *entry);

/* Whether the store gives this value for the key; data NULL: none. Prints what
 * is wrong. */
bool nkv_store_gives(struct nkv_store *store, struct nkv_span key,
                     struct nkv_span value);

/* Whether keys, values, iteration and the statistics' number of keys agree.
 * Prints what is wrong. */
bool nkv_model_agrees(const struct nkv_model *model, struct nkv_store *store);

/* Takes over what the store holds. */
enum nkv_status nkv_model_read(struct nkv_model *model,
                               struct nkv_store *store);

#endif
