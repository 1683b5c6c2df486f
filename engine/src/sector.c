#include "sector.h"

#include "flash_io.h"

void nkv_sector_add_live(struct nkv_store *store, uint32_t address,
                         int32_t bytes)
{
    struct nkv_sector *sector =
        nkv_sector(store, nkv_sector_of(store, address));

    int32_t live = (int32_t)sector->live_units + bytes / NKV_UNIT;

    /* A length that rotted on flash may make the sum go wrong; collection
     * looks at the entries, not at the sum. */
    sector->live_units = (uint16_t)(live < 0 ? 0 : live);
}

uint32_t nkv_sector_used(const struct nkv_store *store, uint32_t sector)
{
    return (uint32_t)nkv_sector(store, sector)->used_units * NKV_UNIT;
}

uint32_t nkv_sector_live(const struct nkv_store *store, uint32_t sector)
{
    return (uint32_t)nkv_sector(store, sector)->live_units * NKV_UNIT;
}

uint32_t nkv_sector_stale(const struct nkv_store *store, uint32_t sector)
{
    return nkv_sector_used(store, sector) - nkv_sector_live(store, sector);
}

void nkv_sector_set_state(struct nkv_store *store, uint32_t number,
                          enum nkv_sector_state state)
{
    struct nkv_sector *sector = nkv_sector(store, number);
    bool erased = state == NKV_SECTOR_ERASED;

    if (sector->state == NKV_SECTOR_ERASED)
        store->erased_sectors--;
    if (erased)
        store->erased_sectors++;
    if (erased)
        sector->holds_cold = false;
    sector->state = (uint8_t)state;
    sector->used_units =
        (uint16_t)(erased ? 0 : store->sector_bytes / NKV_UNIT);
}

void nkv_sector_set_used(struct nkv_store *store, uint32_t sector,
                         uint32_t used)
{
    nkv_sector_set_state(store, sector, NKV_SECTOR_CLOSED);
    if (used % store->flash->program_unit != 0)
        return;
    nkv_sector(store, sector)->state = NKV_SECTOR_OPEN;
    nkv_sector(store, sector)->used_units = (uint16_t)(used / NKV_UNIT);
}

static bool is_taken(const struct nkv_sector_set *taken, uint32_t sector)
{
    for (uint32_t i = 0; i < taken->count; i++)
        if (taken->sectors[i] == sector)
            return true;
    return false;
}

/* Erased sectors that an entry may open. While a collection holds its spare
 * sector, its victim is going to be the one that stays erased. */
static uint32_t erased_to_spend(const struct nkv_store *store,
                                const struct nkv_sector_set *taken,
                                enum nkv_purpose purpose)
{
    uint32_t kept = purpose != NKV_FOR_COLLECTING && store->spare == NKV_NONE;
    uint32_t promised = 0;

    for (uint32_t i = 0; i < taken->count; i++)
        promised +=
            nkv_sector(store, taken->sectors[i])->state == NKV_SECTOR_ERASED;
    return store->erased_sectors > kept + promised
               ? store->erased_sectors - kept - promised
               : 0;
}

static bool may_append(const struct nkv_store *store, uint32_t sector,
                       uint32_t size, enum nkv_purpose purpose)
{
    if (nkv_sector(store, sector)->state != NKV_SECTOR_OPEN ||
        store->sector_bytes - nkv_sector_used(store, sector) < size)
        return false;
    if (sector == store->victim)
        return false;
    /* The room in a spare belongs to what is left of the victim. */
    return purpose == NKV_FOR_COLLECTING || sector != store->spare;
}

static bool keeps_apart(const struct nkv_store *store)
{
    return nkv_sector_count(store) / store->copies >= NKV_SECTORS_TO_KEEP_APART;
}

/* Whether an open sector is the right one for the purpose. */
static bool suits(const struct nkv_store *store, uint32_t sector,
                  enum nkv_purpose purpose)
{
    bool cold = nkv_sector(store, sector)->holds_cold;

    if (!keeps_apart(store) || purpose == NKV_FOR_WRITING)
        return true;
    return cold == (purpose != NKV_FOR_WRITING_APART);
}

uint32_t nkv_sector_choose(const struct nkv_store *store, uint32_t size,
                           const struct nkv_sector_set *taken,
                           enum nkv_purpose purpose)
{
    uint32_t count = nkv_sector_count(store);
    uint32_t erased = NKV_NONE, second_best = NKV_NONE;

    if (size > store->sector_bytes)
        return NKV_NONE;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t sector = (store->head + i) % count;
        if (is_taken(taken, sector))
            continue;
        if (may_append(store, sector, size, purpose)) {
            if (suits(store, sector, purpose))
                return sector;
            if (second_best == NKV_NONE)
                second_best = sector;
        }
        if (erased == NKV_NONE && sector != store->victim &&
            nkv_sector(store, sector)->state == NKV_SECTOR_ERASED)
            erased = sector;
    }
    if (purpose == NKV_FOR_WRITING_COLD)
        return NKV_NONE;
    if (erased != NKV_NONE && erased_to_spend(store, taken, purpose) > 0)
        return erased;
    return purpose == NKV_FOR_WRITING_APART ? NKV_NONE : second_best;
}

/* Whether some sector may hold what a failed write left. */
static bool holds_damage(const struct nkv_store *store)
{
    for (uint32_t i = 0; i < nkv_sector_count(store); i++) {
        enum nkv_sector_state state = nkv_sector(store, i)->state;
        if (state == NKV_SECTOR_DAMAGED || state == NKV_SECTOR_FAILED)
            return true;
    }
    return false;
}

enum nkv_status nkv_sector_erase(struct nkv_store *store, uint32_t sector)
{
    enum nkv_status status = nkv_flash_erase(store, sector);

    if (status != NKV_OK)
        status = nkv_flash_erase(store, sector);
    nkv_sector_set_state(store, sector,
                         status == NKV_OK ? NKV_SECTOR_ERASED
                                          : NKV_SECTOR_FAILED);
    if (store->has_failed_write)
        store->has_failed_write = holds_damage(store);
    return status;
}
