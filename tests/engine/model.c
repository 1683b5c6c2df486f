#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *resize(void *memory, size_t size)
{
    memory = realloc(memory, size > 0 ? size : 1);
    if (memory == NULL) {
        fprintf(stderr, "model: out of memory\n");
        exit(1);
    }
    return memory;
}

void nkv_model_free(struct nkv_model *model)
{
    for (size_t i = 0; i < model->count; i++) {
        free(model->entries[i].value);
    }
    free(model->entries);
    *model = (struct nkv_model){0};
}

struct nkv_model_entry *nkv_model_find(const struct nkv_model *model,
                                       struct nkv_span key)
{
    for (size_t i = 0; i < model->count; i++) {
        struct nkv_model_entry *entry = &model->entries[i];

        if (entry->key_size == key.size &&
            memcmp(entry->key, key.data, key.size) == 0) {
            return entry;
        }
    }
    return NULL;
}

static struct nkv_model_entry *add(struct nkv_model *model, struct nkv_span key)
{
    struct nkv_model_entry *entry;

    if (model->count == model->capacity) {
        model->capacity = model->capacity * 2 + 16;
        model->entries =
            resize(model->entries, model->capacity * sizeof *model->entries);
    }
    entry = &model->entries[model->count++];
    memset(entry, 0, sizeof *entry);
    memcpy(entry->key, key.data, key.size);
    entry->key_size = (uint8_t)key.size;
    return entry;
}

void nkv_model_put(struct nkv_model *model, struct nkv_span key,
                   struct nkv_span value)
{
    struct nkv_model_entry *entry = nkv_model_find(model, key);

    if (entry == NULL) {
        entry = add(model, key);
    }
    entry->value = resize(entry->value, value.size);
    entry->size = value.size;
    if (value.size > 0) {
        memcpy(entry->value, value.data, value.size);
    }
}

bool nkv_model_delete(struct nkv_model *model, struct nkv_span key)
{
    struct nkv_model_entry *entry = nkv_model_find(model, key);

    if (entry == NULL) {
        return false;
    }
    free(entry->value);
    *entry = model->entries[--model->count];
    return true;
}

struct nkv_span nkv_model_value(const struct nkv_model_entry *entry)
{
    return (struct nkv_span){entry->value, entry->size};
}

static bool complain(struct nkv_span key, const char *what,
                     enum nkv_status status)
{
    fprintf(stderr, "key ");
    for (size_t i = 0; i < key.size; i++) {
        fprintf(stderr, "%02x", key.data[i]);
    }
    fprintf(stderr, ": %s (%s)\n", what, nkv_status_name(status));
    return false;
}

bool nkv_store_gives(struct nkv_store *store, struct nkv_span key,
                     struct nkv_span value)
{
    static uint8_t bytes[NKV_VALUE_SIZE_MAX + 1];
    struct nkv_value got = {0};
    struct nkv_buffer to = {bytes, sizeof bytes};
    enum nkv_status status = nkv_get(store, key, 0, to, &got);

    if (value.data == NULL) {
        return status == NKV_NOT_FOUND ||
               complain(key, "should not be there", status);
    }
    if (status != NKV_OK) {
        return complain(key, "should be there", status);
    }
    if (got.size != value.size || got.total_size != value.size) {
        return complain(key, "has another size", status);
    }
    if (value.size > 0 && memcmp(bytes, value.data, value.size) != 0) {
        return complain(key, "has another value", status);
    }
    return true;
}

/* Checks what an iterator found; tells by seen that it came once. */
static bool check_iterated(const struct nkv_model *model,
                           const struct nkv_iterator *iterator, bool *seen)
{
    struct nkv_span key = {iterator->key, iterator->key_size};
    const struct nkv_model_entry *entry = nkv_model_find(model, key);

    if (entry == NULL) {
        return complain(key, "iterated, but should not be there", NKV_OK);
    }
    if (seen[entry - model->entries]) {
        return complain(key, "iterated twice", NKV_OK);
    }
    seen[entry - model->entries] = true;
    if (iterator->value.total_size != entry->size) {
        return complain(key, "iterated with another size", NKV_OK);
    }
    return true;
}

static bool check_iteration(const struct nkv_model *model,
                            struct nkv_store *store)
{
    struct nkv_iterator iterator = {0};
    bool *seen = resize(NULL, model->count);
    enum nkv_status status;
    size_t count = 0;
    bool good = true;

    memset(seen, 0, model->count);
    while ((status = nkv_next(store, &iterator)) == NKV_OK && good) {
        good = check_iterated(model, &iterator, seen);
        count++;
    }
    free(seen);
    if (good && (status != NKV_NOT_FOUND || count != model->count)) {
        fprintf(stderr, "iteration ended with %s after %zu of %zu keys\n",
                nkv_status_name(status), count, model->count);
        return false;
    }
    return good;
}

bool nkv_model_agrees(const struct nkv_model *model, struct nkv_store *store)
{
    struct nkv_statistics statistics;

    nkv_statistics(store, &statistics);
    if (statistics.keys != model->count) {
        fprintf(stderr, "%u keys instead of %zu\n", statistics.keys,
                model->count);
        return false;
    }
    for (size_t i = 0; i < model->count; i++) {
        const struct nkv_model_entry *entry = &model->entries[i];
        struct nkv_span key = {entry->key, entry->key_size};

        if (!nkv_store_gives(store, key, nkv_model_value(entry))) {
            return false;
        }
    }
    return check_iteration(model, store);
}

enum nkv_status nkv_model_read(struct nkv_model *model, struct nkv_store *store)
{
    static uint8_t bytes[NKV_VALUE_SIZE_MAX + 1];
    struct nkv_iterator iterator = {0};
    enum nkv_status status;

    while ((status = nkv_next(store, &iterator)) == NKV_OK) {
        struct nkv_span key = {iterator.key, iterator.key_size};
        struct nkv_value got = {0};
        struct nkv_buffer to = {bytes, sizeof bytes};

        status = nkv_get(store, key, 0, to, &got);
        if (status != NKV_OK) {
            return status;
        }
        nkv_model_put(model, key, (struct nkv_span){bytes, got.size});
    }
    return status == NKV_NOT_FOUND ? NKV_OK : status;
}
