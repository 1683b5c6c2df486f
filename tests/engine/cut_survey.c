/* What lies on the flash, found without the engine's code. */
#include "cut.h"

#include "entry_image.h"

#include <stdio.h>
#include <string.h>

enum {
    ENTRIES_MAX = 1024,
    GRAIN = 16,
    TOMBSTONE_SIZE = 0xFFFF,
    /* Transaction ids wrap: so many at each end are held against each other. */
    WRAP = 1 << 24
};

static const uint32_t magics[] = {NKV_DEFAULT_MAGIC, NKV_CUT_NEW_MAGIC,
                                  0x45766B6E};

struct found {
    const uint8_t *at;
    uint32_t id;
    uint32_t size;
};

struct survey {
    struct found entries[ENTRIES_MAX];
    size_t count;
    uint32_t newest_id;
    uint32_t erased_sectors;
    uint32_t erased_bytes;
    /* Of the current entries: of keys, one copy or as many as configured; of
     * keys and tombstones, all copies, in the program units of today, which is
     * what moving them takes. */
    uint32_t live_min;
    uint32_t live_max;
};

static size_t intact_size(const uint8_t *at, uint32_t room)
{
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        size_t size = nkv_image_intact(at, room, magics[i]);

        if (size > 0) {
            return size;
        }
    }
    return 0;
}

static bool is_erased(const uint8_t *at, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        if (at[i] != 0xFF) {
            return false;
        }
    }
    return true;
}

static bool is_newer(uint32_t a, uint32_t b)
{
    bool wraps = (a < WRAP && b >= UINT32_MAX - WRAP + 1) ||
                 (b < WRAP && a >= UINT32_MAX - WRAP + 1);

    return wraps ? a < b : a > b;
}

static void add(struct survey *survey, const uint8_t *at, size_t size)
{
    struct found *found;

    if (survey->count == ENTRIES_MAX) {
        return;
    }
    found = &survey->entries[survey->count++];
    found->at = at;
    found->id = nkv_load_le32(at + 12);
    found->size = (uint32_t)size;
    if (survey->count == 1 || is_newer(found->id, survey->newest_id)) {
        survey->newest_id = found->id;
    }
}

/* A sector that begins erased holds nothing that counts. */
static void survey_sector(struct survey *survey, const uint8_t *bytes,
                          uint32_t sector_size)
{
    bool is_stale = is_erased(bytes, GRAIN);
    uint32_t at = 0;

    survey->erased_sectors += is_erased(bytes, sector_size);
    while (at < sector_size) {
        size_t size = is_stale ? 0 : intact_size(bytes + at, sector_size - at);

        if (size > 0) {
            add(survey, bytes + at, size);
            at += (uint32_t)size;
        } else {
            survey->erased_bytes += is_erased(bytes + at, GRAIN) ? GRAIN : 0;
            at += GRAIN;
        }
    }
}

static bool is_same_key(const struct found *a, const struct found *b)
{
    return a->at[9] == b->at[9] &&
           memcmp(a->at + 16, b->at + 16, a->at[9]) == 0;
}

/* Adds an entry's size, with those of its copies, when it is current and the
 * first of its copies. */
static void add_live(struct survey *survey, const struct found *found,
                     const struct nkv_bench_setup *setup)
{
    uint32_t count = 0, copies = setup->copies, unit = setup->program_unit;

    for (size_t i = 0; i < survey->count; i++) {
        const struct found *other = &survey->entries[i];

        if (!is_same_key(found, other)) {
            continue;
        }
        if (is_newer(other->id, found->id) ||
            (other->id == found->id && other < found)) {
            return;
        }
        count += other->id == found->id;
    }
    survey->live_max += count * ((found->size + unit - 1) / unit * unit);
    if (nkv_load_le16(found->at + 10) != TOMBSTONE_SIZE) {
        survey->live_min += (count < copies ? count : copies) * found->size;
    }
}

static void survey_flash(struct survey *survey, const struct nkv_bench *bench)
{
    uint32_t size = bench->setup.sector_size;

    memset(survey, 0, sizeof *survey);
    for (uint32_t i = 0; i < bench->setup.sector_count; i++) {
        survey_sector(survey, bench->sim.bytes + (size_t)i * size, size);
    }
    for (size_t i = 0; i < survey->count; i++) {
        add_live(survey, &survey->entries[i], &bench->setup);
    }
}

bool nkv_cut_statistics_are_right(const struct nkv_bench *bench)
{
    static struct survey survey;
    struct nkv_statistics now = nkv_bench_statistics(bench);

    survey_flash(&survey, bench);
    if (survey.count == ENTRIES_MAX) {
        return nkv_cut_complain("too many entries to count", NKV_OK);
    }
    if (now.transaction_count == survey.newest_id &&
        now.live_bytes >= survey.live_min &&
        now.live_bytes <= survey.live_max &&
        now.free_bytes <= survey.erased_bytes &&
        now.erased_sectors <= survey.erased_sectors &&
        now.max_keys == bench->setup.max_keys) {
        return true;
    }
    fprintf(stderr,
            "statistics: id %u, live %u, free %u, erased sectors %u; on the "
            "flash: id %u, live %u to %u, erased bytes %u, sectors %u\n",
            now.transaction_count, now.live_bytes, now.free_bytes,
            now.erased_sectors, survey.newest_id, survey.live_min,
            survey.live_max, survey.erased_bytes, survey.erased_sectors);
    return false;
}

/* Whether the entry at offset overlaps the wound and, in it, is not what was
 * to be there. The upper half of a CRC-16's field is not looked at: what stands
 * there makes no collision. */
static bool is_false_entry(const struct nkv_flash_sim *sim, uint32_t offset,
                           uint32_t room)
{
    const struct nkv_sim_wound *wound = &sim->wound;
    size_t size = intact_size(sim->bytes + offset, room);

    for (uint32_t at = offset; at < offset + size; at++) {
        bool is_ignored = at - offset == 6 || at - offset == 7;

        if (!is_ignored && at - wound->offset < wound->size &&
            sim->bytes[at] != wound->intended[at - wound->offset]) {
            return true;
        }
    }
    return false;
}

bool nkv_cut_is_crc_collision(const struct nkv_flash_sim *sim)
{
    uint32_t sector_size = sim->flash.sector_size;
    uint32_t start = sim->wound.offset / sector_size * sector_size;

    for (uint32_t at = 0; at < sector_size; at += GRAIN) {
        if (is_false_entry(sim, start + at, sector_size - at)) {
            return true;
        }
    }
    return false;
}
