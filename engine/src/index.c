#include "index.h"

/* The first address word carries two flags above its 30 bits of address. */
static const uint32_t FLAG_TOMBSTONE = 1u << 31;
static const uint32_t FLAG_MARK = 1u << 30;
static const uint32_t ADDRESS_MASK = (1u << 30) - 1;
/* The address of a copy that is missing; of copy 0: the slot is empty. */
static const uint32_t NO_ADDRESS = (1u << 30) - 1;

uint32_t nkv_hash(struct nkv_span key)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < key.size; i++)
        hash = (hash ^ key.data[i]) * 16777619u;
    hash ^= hash >> 15;
    hash *= 0x2C1B3C6Du;
    return hash ^ hash >> 13;
}

static uint32_t *words_of(const struct nkv_store *store, uint32_t slot)
{
    return &store->config->memory.index[(size_t)slot * (1u + store->copies)];
}

static uint32_t home_of(const struct nkv_store *store, uint32_t hash)
{
    return (uint32_t)((uint64_t)hash * store->slots >> 32);
}

static uint32_t following(const struct nkv_store *store, uint32_t slot)
{
    return slot + 1 == store->slots ? 0 : slot + 1;
}

/* How far a used slot lies behind its home. */
static uint32_t distance_of(const struct nkv_store *store, uint32_t slot)
{
    uint32_t home = home_of(store, nkv_slot_hash(store, slot));

    return slot >= home ? slot - home : slot + store->slots - home;
}

static void clear_slot(struct nkv_store *store, uint32_t slot)
{
    uint32_t *words = words_of(store, slot);

    words[0] = 0;
    for (uint32_t i = 1; i <= store->copies; i++)
        words[i] = NO_ADDRESS;
}

static void copy_slot(struct nkv_store *store, uint32_t to, uint32_t from)
{
    for (uint32_t i = 0; i <= store->copies; i++)
        words_of(store, to)[i] = words_of(store, from)[i];
}

void nkv_index_clear(struct nkv_store *store)
{
    for (uint32_t slot = 0; slot < store->slots; slot++)
        clear_slot(store, slot);
}

/* Whether the used slot comes before hash in a run, seen distance steps behind
 * hash's home. */
static bool comes_before(const struct nkv_store *store, uint32_t slot,
                         uint32_t distance, uint32_t hash)
{
    uint32_t own = distance_of(store, slot);

    if (own != distance)
        return own > distance;
    return nkv_slot_hash(store, slot) < hash;
}

/* The first place from hash's home on that is empty or not before hash. */
static uint32_t lower_bound(const struct nkv_store *store, uint32_t hash)
{
    uint32_t slot = home_of(store, hash);

    for (uint32_t distance = 0; nkv_slot_is_used(store, slot); distance++) {
        if (!comes_before(store, slot, distance, hash))
            break;
        slot = following(store, slot);
    }
    return slot;
}

uint32_t nkv_index_first(const struct nkv_store *store, uint32_t hash)
{
    uint32_t slot = lower_bound(store, hash);

    if (nkv_slot_is_used(store, slot) && nkv_slot_hash(store, slot) == hash)
        return slot;
    return NKV_NONE;
}

uint32_t nkv_index_next(const struct nkv_store *store, uint32_t slot)
{
    uint32_t next = following(store, slot);

    if (nkv_slot_is_used(store, next) &&
        nkv_slot_hash(store, next) == nkv_slot_hash(store, slot))
        return next;
    return NKV_NONE;
}

uint32_t nkv_index_insert(struct nkv_store *store, uint32_t hash)
{
    uint32_t slot, empty;

    if (store->keys + store->tombstones + 1 >= store->slots)
        return NKV_NONE;
    slot = lower_bound(store, hash);
    for (empty = slot; nkv_slot_is_used(store, empty);)
        empty = following(store, empty);
    while (empty != slot) {
        uint32_t before = (empty == 0 ? store->slots : empty) - 1;
        copy_slot(store, empty, before);
        empty = before;
    }
    clear_slot(store, slot);
    words_of(store, slot)[0] = hash;
    return slot;
}

void nkv_index_remove(struct nkv_store *store, uint32_t slot)
{
    uint32_t next = following(store, slot);

    while (nkv_slot_is_used(store, next) && distance_of(store, next) > 0) {
        copy_slot(store, slot, next);
        slot = next;
        next = following(store, next);
    }
    clear_slot(store, slot);
}

struct nkv_index_walk nkv_index_walk_from(const struct nkv_store *store,
                                          uint32_t hash)
{
    return (struct nkv_index_walk){.home = home_of(store, hash)};
}

uint32_t nkv_index_walk_next(const struct nkv_store *store,
                             struct nkv_index_walk *walk)
{
    /* Slots in front of their home belong behind the table's end: they are
     * passed over at first and come last. */
    while (walk->step < 2 * store->slots - walk->home) {
        uint32_t at = walk->home + walk->step++;
        bool behind_end = at >= store->slots;
        uint32_t slot = behind_end ? at - store->slots : at;
        bool wrapped;

        if (!nkv_slot_is_used(store, slot)) {
            if (behind_end)
                break;
            continue;
        }
        wrapped = home_of(store, nkv_slot_hash(store, slot)) > slot;
        if (wrapped == behind_end)
            return slot;
        if (behind_end)
            break;
    }
    return NKV_NONE;
}

bool nkv_slot_is_used(const struct nkv_store *store, uint32_t slot)
{
    return (words_of(store, slot)[1] & ADDRESS_MASK) != NO_ADDRESS;
}

uint32_t nkv_slot_hash(const struct nkv_store *store, uint32_t slot)
{
    return words_of(store, slot)[0];
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
    uint32_t units = address == NKV_NONE ? NO_ADDRESS : address / NKV_UNIT;

    *word = (*word & ~ADDRESS_MASK) | units;
}

void nkv_slot_remove_address(struct nkv_store *store, uint32_t slot,
                             uint32_t copy)
{
    for (; copy + 1 < store->copies; copy++)
        nkv_slot_set_address(store, slot, copy,
                             nkv_slot_address(store, slot, copy + 1));
    nkv_slot_set_address(store, slot, copy, NKV_NONE);
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
    for (uint32_t copy = 0; copy < store->copies; copy++) {
        uint32_t address = nkv_slot_address(store, slot, copy);
        if (address != NKV_NONE && nkv_sector_of(store, address) == sector)
            return copy;
    }
    return NKV_NONE;
}

bool nkv_index_refers_to(const struct nkv_store *store, uint32_t sector)
{
    for (uint32_t slot = 0; slot < store->slots; slot++)
        if (nkv_slot_find_sector(store, slot, sector) != NKV_NONE)
            return true;
    return false;
}

uint32_t nkv_slot_copies(const struct nkv_store *store, uint32_t slot)
{
    uint32_t count = 0;

    for (uint32_t copy = 0; copy < store->copies; copy++)
        count += nkv_slot_address(store, slot, copy) != NKV_NONE;
    return count;
}

static void set_flag(struct nkv_store *store, uint32_t slot, uint32_t flag,
                     bool on)
{
    uint32_t *word = &words_of(store, slot)[1];

    *word = on ? *word | flag : *word & ~flag;
}

bool nkv_slot_is_tombstone(const struct nkv_store *store, uint32_t slot)
{
    return (words_of(store, slot)[1] & FLAG_TOMBSTONE) != 0;
}

void nkv_slot_set_tombstone(struct nkv_store *store, uint32_t slot,
                            bool is_tombstone)
{
    set_flag(store, slot, FLAG_TOMBSTONE, is_tombstone);
}

bool nkv_slot_is_marked(const struct nkv_store *store, uint32_t slot)
{
    return (words_of(store, slot)[1] & FLAG_MARK) != 0;
}

void nkv_slot_set_mark(struct nkv_store *store, uint32_t slot, bool marked)
{
    set_flag(store, slot, FLAG_MARK, marked);
}
