#include "index.h"

#include <string.h>

/* The first address word carries two flags above its 30 bits of address. */
enum { FLAG_TOMBSTONE = 31, FLAG_MARK = 30 };
static const uint32_t ADDRESS_MASK = (1u << 30) - 1;
/* The address of a copy that is missing; of copy 0: the slot is empty. */
static const uint32_t NO_ADDRESS = (1u << 30) - 1;

static uint32_t *words_of(const struct nkv_store *store, uint32_t slot)
{
    return &store->index[(size_t)slot * (1u + store->copies)];
}

static uint32_t home_of(const struct nkv_store *store, uint32_t hash)
{
    return (uint32_t)((uint64_t)hash * store->slots >> 32);
}

uint32_t nkv_slot_hash(const struct nkv_store *store, uint32_t slot)
{
    return *words_of(store, slot);
}

bool nkv_slot_is_used(const struct nkv_store *store, uint32_t slot)
{
    return (words_of(store, slot)[1] & ADDRESS_MASK) != NO_ADDRESS;
}

bool nkv_slot_has_hash(const struct nkv_store *store, uint32_t slot,
                       uint32_t hash)
{
    return slot < store->slots && nkv_slot_is_used(store, slot) &&
           nkv_slot_hash(store, slot) == hash;
}

static void clear_slot(struct nkv_store *store, uint32_t slot, uint32_t hash)
{
    uint32_t *words = words_of(store, slot);

    words[0] = hash;
    for (uint32_t i = store->copies; i > 0; i--)
        words[i] = NO_ADDRESS;
}

/* Moves count slots from one place to another; the two may overlap. */
static void move(struct nkv_store *store, uint32_t to, uint32_t from,
                 uint32_t count)
{
    memmove(words_of(store, to), words_of(store, from),
            sizeof(uint32_t) * (1u + store->copies) * count);
}

void nkv_index_clear(struct nkv_store *store)
{
    for (uint32_t slot = store->slots; slot-- > 0;)
        clear_slot(store, slot, 0);
}

uint32_t nkv_index_from(const struct nkv_store *store, uint32_t hash)
{
    uint32_t slot = home_of(store, hash);

    if (!nkv_slot_is_used(store, slot))
        return slot;
    while (slot > 0 && nkv_slot_is_used(store, slot - 1) &&
           nkv_slot_hash(store, slot - 1) >= hash)
        slot--;
    while (slot < store->slots && nkv_slot_is_used(store, slot) &&
           nkv_slot_hash(store, slot) < hash)
        slot++;
    return slot;
}

uint32_t nkv_index_insert(struct nkv_store *store, uint32_t hash)
{
    uint32_t slot = nkv_index_from(store, hash), empty = slot;

    if (store->keys + store->tombstones + 1 >= store->slots)
        return NKV_NONE;
    while (empty < store->slots && nkv_slot_is_used(store, empty))
        empty++;
    if (empty < store->slots) {
        move(store, slot + 1, slot, empty - slot);
    } else {
        /* Nothing is empty up to the table's end: the others move down. */
        for (empty = --slot; nkv_slot_is_used(store, empty);)
            empty--;
        move(store, empty, empty + 1, slot - empty);
    }
    clear_slot(store, slot, hash);
    return slot;
}

void nkv_index_remove(struct nkv_store *store, uint32_t slot)
{
    uint32_t next;

    /* Those that could not lie at home come nearer to it. */
    for (; (next = slot + 1) < store->slots && nkv_slot_is_used(store, next) &&
           home_of(store, nkv_slot_hash(store, next)) <= slot;
         slot = next)
        move(store, slot, next, 1);
    for (; slot > 0 && nkv_slot_is_used(store, slot - 1) &&
           home_of(store, nkv_slot_hash(store, slot - 1)) >= slot;
         slot--)
        move(store, slot, slot - 1, 1);
    clear_slot(store, slot, 0);
}

uint32_t nkv_slot_address(const struct nkv_store *store, uint32_t slot,
                          uint32_t copy)
{
    uint32_t units = words_of(store, slot)[1 + copy] & ADDRESS_MASK;

    return units == NO_ADDRESS ? NKV_NONE : units * NKV_UNIT;
}

void nkv_slot_set_address(struct nkv_store *store, uint32_t slot, uint32_t copy,
                          uint32_t address)
{
    uint32_t *word = &words_of(store, slot)[1 + copy];

    *word = (*word & ~ADDRESS_MASK) |
            (address == NKV_NONE ? NO_ADDRESS : address / NKV_UNIT);
}

uint32_t nkv_slot_find_address(const struct nkv_store *store, uint32_t slot,
                               uint32_t address)
{
    for (uint32_t copy = 0; copy < store->copies; copy++)
        if (nkv_slot_address(store, slot, copy) == address)
            return copy;
    return NKV_NONE;
}

uint32_t nkv_slot_find_sector(const struct nkv_store *store, uint32_t slot,
                              uint32_t sector)
{
    uint32_t start = sector * store->sector_bytes;

    for (uint32_t copy = 0; copy < store->copies; copy++)
        if (nkv_slot_address(store, slot, copy) - start < store->sector_bytes)
            return copy;
    return NKV_NONE;
}

uint32_t nkv_slot_copies(const struct nkv_store *store, uint32_t slot)
{
    uint32_t count = nkv_slot_find_address(store, slot, NKV_NONE);

    return count == NKV_NONE ? store->copies : count;
}

static void set_flag(struct nkv_store *store, uint32_t slot, uint32_t bit,
                     bool on)
{
    uint32_t *word = &words_of(store, slot)[1];

    *word = (*word & ~(1u << bit)) | (uint32_t)on << bit;
}

bool nkv_slot_is_tombstone(const struct nkv_store *store, uint32_t slot)
{
    return words_of(store, slot)[1] >> FLAG_TOMBSTONE & 1;
}

void nkv_slot_set_tombstone(struct nkv_store *store, uint32_t slot,
                            bool is_tombstone)
{
    set_flag(store, slot, FLAG_TOMBSTONE, is_tombstone);
}

bool nkv_slot_is_marked(const struct nkv_store *store, uint32_t slot)
{
    return words_of(store, slot)[1] >> FLAG_MARK & 1;
}

void nkv_slot_set_mark(struct nkv_store *store, uint32_t slot, bool marked)
{
    set_flag(store, slot, FLAG_MARK, marked);
}
