#include "backup_memory.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64, BLOCK_SIZE = 64 * 1024 };

struct nkv_backup_block {
    struct nkv_backup_block *next;
    size_t used;
    size_t size;
    uint8_t bytes[];
};

static struct nkv_backup_block *add_block(struct nkv_backup *backup,
                                          size_t size)
{
    size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
    struct nkv_backup_block *block = malloc(sizeof *block + room);

    if (block != NULL) {
        block->next = backup->blocks;
        block->used = 0;
        block->size = room;
        backup->blocks = block;
    }
    return block;
}

uint8_t *nkv_backup_room(struct nkv_backup *backup, size_t size)
{
    struct nkv_backup_block *block = backup->blocks;
    uint8_t *room;

    if (block == NULL || block->size - block->used < size) {
        block = add_block(backup, size);
    }
    if (block == NULL) {
        return NULL;
    }
    room = block->bytes + block->used;
    block->used += size;
    return room;
}

bool nkv_backup_keep(struct nkv_backup *backup, struct nkv_record record)
{
    if (backup->count == backup->room) {
        size_t room = backup->room > 0 ? 2 * backup->room : FIRST_ROOM;
        struct nkv_record *records =
            realloc(backup->records, room * sizeof *records);

        if (records == NULL) {
            return false;
        }
        backup->records = records;
        backup->room = room;
    }
    backup->records[backup->count++] = record;
    nkv_digest_add(&backup->digest, record.key, record.value);
    return true;
}

bool nkv_backup_add(struct nkv_backup *backup, struct nkv_span key,
                    struct nkv_span value)
{
    uint8_t *room = nkv_backup_room(backup, key.size + value.size);
    struct nkv_record record = {{room, key.size}, {NULL, value.size}};

    if (room == NULL) {
        return false;
    }
    memcpy(room, key.data, key.size);
    record.value.data = room + key.size;
    if (value.size > 0) {
        memcpy(room + key.size, value.data, value.size);
    }
    return nkv_backup_keep(backup, record);
}

int nkv_backup_compare_keys(struct nkv_span a, struct nkv_span b)
{
    int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);

    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static int compare(const void *left, const void *right)
{
    const struct nkv_record *a = left;
    const struct nkv_record *b = right;

    return nkv_backup_compare_keys(a->key, b->key);
}

const struct nkv_record *nkv_backup_sort(struct nkv_backup *backup)
{
    struct nkv_record *records = backup->records;

    if (backup->count > 0) {
        qsort(records, backup->count, sizeof *records, compare);
    }
    for (size_t i = 1; i < backup->count; i++) {
        if (compare(&records[i - 1], &records[i]) == 0) {
            return &records[i];
        }
    }
    return NULL;
}

/* The record at a place of a backup, or NULL behind the last. */
static const struct nkv_record *at(const struct nkv_backup *backup, size_t i)
{
    return i < backup->count ? &backup->records[i] : NULL;
}

bool nkv_backup_next_pair(struct nkv_backup_pairs *pairs)
{
    const struct nkv_record *left = at(pairs->left, pairs->left_at);
    const struct nkv_record *right = at(pairs->right, pairs->right_at);
    int order = 0;

    if (left != NULL && right != NULL) {
        order = nkv_backup_compare_keys(left->key, right->key);
    }
    pairs->in_left = order <= 0 ? left : NULL;
    pairs->in_right = order >= 0 ? right : NULL;
    pairs->left_at += pairs->in_left != NULL;
    pairs->right_at += pairs->in_right != NULL;
    return left != NULL || right != NULL;
}

bool nkv_record_has_value_of(const struct nkv_record *a,
                             const struct nkv_record *b)
{
    return a->value.size == b->value.size &&
           (a->value.size == 0 ||
            memcmp(a->value.data, b->value.data, a->value.size) == 0);
}

void nkv_backup_free(struct nkv_backup *backup)
{
    while (backup->blocks != NULL) {
        struct nkv_backup_block *next = backup->blocks->next;

        free(backup->blocks);
        backup->blocks = next;
    }
    free(backup->records);
    *backup = (struct nkv_backup){0};
}
