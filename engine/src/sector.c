#include "sector.h"

#include "flash_io.h"
#include "index.h"

enum {
    /* Sectors a copy from which on new entries and relocated ones go to
     * different open sectors; with fewer the second open sector costs more
     * than it gains. */
    SECTORS_TO_KEEP_APART = 8,
    /* Times an erase is tried. */
    ERASE_TRIES = 2
};

uint32_t nkv_sector_of(const struct nkv_store *store, uint32_t address)
{
    return address / store->sector_bytes;
}

void nkv_sector_add_live(struct nkv_store *store, uint32_t address,
                         int32_t bytes)
{
    struct nkv_sector *sector =
        nkv_sector(store, nkv_sector_of(store, address));
    int32_t live = (int32_t)sector->live_units + bytes / NKV_UNIT;

    /* A length that rotted on flash may make the sum go wrong; collection
     * looks at the entries, not at the sum. */
    if (live < 0)
        live = 0;
    sector->live_units = (uint16_t)(live < UINT16_MAX ? live : UINT16_MAX);
}

uint32_t nkv_sector_stale(const struct nkv_store *store, uint32_t sector)
{
    uint32_t used = nkv_sector_used(store, sector);
    uint32_t live = nkv_sector_live(store, sector);

    return used > live ? used - live : 0;
}

bool nkv_sector_can_be_emptied(const struct nkv_store *store, uint32_t sector)
{
    return nkv_sector(store, sector)->state != NKV_SECTOR_RETIRED &&
           nkv_sector_live(store, sector) <= store->sector_bytes;
}

uint32_t nkv_sector_room(const struct nkv_store *store, uint32_t sector)
{
    return nkv_sector(store, sector)->state == NKV_SECTOR_OPEN
               ? store->sector_bytes - nkv_sector_used(store, sector)
               : 0;
}

uint32_t nkv_sector_room_for(const struct nkv_store *store, uint32_t sector,
                             enum nkv_purpose purpose)
{
    /* Where there is a copy too many, a collected entry might be copied once
     * more. The room in a spare belongs to what is left of the victim. */
    bool is_barred = purpose == NKV_FOR_COLLECTING
                         ? nkv_sector(store, sector)->flags & NKV_FLAG_SURPLUS
                         : sector == store->spare;

    return is_barred ? 0 : nkv_sector_room(store, sector);
}

uint32_t nkv_sector_room_beside(const struct nkv_store *store, uint32_t sector,
                                enum nkv_purpose purpose)
{
    uint32_t most = 0;

    for (uint32_t i = 0; i < store->sector_count; i++)
        if (i != sector && nkv_sector_room_for(store, i, purpose) > most)
            most = nkv_sector_room_for(store, i, purpose);
    return most;
}

void nkv_sector_set_state(struct nkv_store *store, uint32_t number,
                          enum nkv_sector_state state)
{
    struct nkv_sector *sector = nkv_sector(store, number);
    uint32_t used = store->sector_bytes / NKV_UNIT;

    if (sector->state == NKV_SECTOR_ERASED)
        store->erased_sectors--;
    if (state == NKV_SECTOR_ERASED) {
        store->erased_sectors++;
        sector->flags = 0;
        used = 0;
    }
    sector->state = (uint8_t)state;
    sector->used_units = (uint16_t)used;
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

/* How many erased sectors entries may open. While a collection holds its spare
 * sector, its victim is going to be the one that stays erased. */
static uint32_t count_erased_for(const struct nkv_store *store,
                                 enum nkv_purpose purpose)
{
    uint32_t kept = purpose != NKV_FOR_COLLECTING && store->spare == NKV_NONE;

    return store->erased_sectors > kept ? store->erased_sectors - kept : 0;
}

uint32_t nkv_sectors_for(const struct nkv_store *store, uint32_t size)
{
    uint32_t count = count_erased_for(store, NKV_FOR_WRITING);

    for (uint32_t i = 0; i < store->sector_count; i++)
        count += i != store->victim && i != store->spare &&
                 nkv_sector_room(store, i) >= size;
    return count;
}

bool nkv_keeps_apart(const struct nkv_store *store)
{
    return store->sector_count >= SECTORS_TO_KEEP_APART * store->copies;
}

/* Whether an open sector is the right one for the purpose. */
static bool suits(const struct nkv_store *store, uint32_t sector,
                  enum nkv_purpose purpose)
{
    bool cold = nkv_sector(store, sector)->flags & NKV_FLAG_COLD;

    return purpose == NKV_FOR_WRITING || store->is_merging ||
           !nkv_keeps_apart(store) ||
           cold == (purpose != NKV_FOR_WRITING_APART);
}

uint32_t nkv_sector_choose(const struct nkv_store *store, uint32_t size,
                           uint32_t slot, enum nkv_purpose purpose)
{
    uint32_t sector = store->head, erased = NKV_NONE, second_best = NKV_NONE;

    for (uint32_t i = store->sector_count; i > 0; i--, sector++) {
        if (sector == store->sector_count)
            sector = 0;
        if (sector == store->victim ||
            (slot != NKV_NONE &&
             nkv_slot_find_sector(store, slot, sector) != NKV_NONE))
            continue;
        if (nkv_sector(store, sector)->state == NKV_SECTOR_ERASED &&
            erased == NKV_NONE)
            erased = sector;
        if (nkv_sector_room_for(store, sector, purpose) < size)
            continue;
        if (suits(store, sector, purpose))
            return sector;
        if (second_best == NKV_NONE)
            second_best = sector;
    }
    if (erased != NKV_NONE && purpose != NKV_FOR_WRITING_COLD &&
        count_erased_for(store, purpose) > 0)
        return erased;
    return purpose == NKV_FOR_COLLECTING ? second_best : NKV_NONE;
}

static enum nkv_status erase_once(struct nkv_store *store, uint32_t sector)
{
    const struct nkv_flash *flash = store->flash;
    uint32_t start = sector * store->sector_bytes, end;
    enum nkv_status status =
        nkv_flash_status(flash->erase(flash->context, sector));

    store->counters[NKV_COUNT_ERASES]++;
    if (nkv_sector(store, sector)->erases < UINT16_MAX)
        nkv_sector(store, sector)->erases++;
    if (status == NKV_OK)
        status = nkv_flash_skip(store, start, start + store->sector_bytes, 0xFF,
                                &end);
    if (status == NKV_OK && end != start + store->sector_bytes)
        status = NKV_DATA_LOSS;
    if (status != NKV_OK)
        store->counters[NKV_COUNT_ERASE_ERRORS]++;
    return status;
}

/* Whether some sector may hold what a failed write left. */
static bool holds_damage(const struct nkv_store *store)
{
    for (uint32_t i = 0; i < store->sector_count; i++) {
        uint8_t state = nkv_sector(store, i)->state;
        if (state == NKV_SECTOR_DAMAGED || state == NKV_SECTOR_RETIRED)
            return true;
    }
    return false;
}

enum nkv_status nkv_sector_erase(struct nkv_store *store, uint32_t sector)
{
    enum nkv_status status = NKV_DATA_LOSS;

    if (store->access == NKV_ACCESS_NONE)
        return NKV_UNAVAILABLE;
    for (int i = 0; i < ERASE_TRIES && status != NKV_OK; i++)
        status = erase_once(store, sector);
    nkv_sector_set_state(store, sector,
                         status == NKV_OK ? NKV_SECTOR_ERASED
                                          : NKV_SECTOR_RETIRED);
    store->is_unsure = store->is_unsure && holds_damage(store);
    /* There may be room now for copies that had none. */
    store->lacks_copies |= store->copies > 1;
    return status;
}
