#include <norkv/geometry.h>

#include <inttypes.h>
#include <stdio.h>

static const char *const flag_names[NKV_GEOMETRY_FLAG_COUNT] = {
    [NKV_GEOMETRY_SECTOR_SIZE] = "sector-size",
    [NKV_GEOMETRY_SECTORS] = "sectors",
    [NKV_GEOMETRY_PROGRAM_UNIT] = "program-unit",
    [NKV_GEOMETRY_COPIES] = "copies",
    [NKV_GEOMETRY_FORMAT] = "format",
    [NKV_GEOMETRY_MAX_KEYS] = "max-keys",
};

void nkv_geometry_init(struct nkv_geometry *geometry)
{
    *geometry = (struct nkv_geometry){
        .sector_size = 4096,
        .sector_count = 16,
        .program_unit = 16,
        .copies = 1,
        .max_keys = 256,
        .formats = {{NKV_DEFAULT_MAGIC, &nkv_checksum_crc16}},
        .format_count = 1,
    };
}

const char *nkv_geometry_flag_name(enum nkv_geometry_flag flag)
{
    return flag_names[flag];
}

const char *nkv_geometry_help(void)
{
    return "  --sector-size BYTES   what one erase clears (4096)\n"
           "  --sectors COUNT       sectors of the partition (16)\n"
           "  --program-unit BYTES  smallest piece that is programmed (16)\n"
           "  --copies COUNT        copies kept of each entry, 1 to 4 (1)\n"
           "  --format MAGIC[:crc16|none|ignore]\n"
           "                        an entry format to read, its magic in "
           "hex;\n"
           "                        may be repeated, the first is written\n"
           "                        (5ab2f0b5:crc16)\n"
           "  --max-keys COUNT      keys that may be present at once (256)\n";
}

static bool is_power_of_two(uint32_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

/* The limits that the engine's mount sets to each sector. */
static bool check_sector(const struct nkv_geometry *geometry,
                         struct nkv_geometry_error *error)
{
    uint32_t size = geometry->sector_size;

    if (!is_power_of_two(geometry->program_unit) ||
        geometry->program_unit > NKV_PROGRAM_UNIT_MAX) {
        snprintf(error->text, sizeof error->text,
                 "--program-unit %" PRIu32 ": give a power of two up to %d",
                 geometry->program_unit, NKV_PROGRAM_UNIT_MAX);
        return false;
    }
    if (size < 32 || size > NKV_SECTOR_SIZE_MAX || size % 16 != 0) {
        snprintf(error->text, sizeof error->text,
                 "--sector-size %" PRIu32 ": give a multiple of 16 from 32 "
                 "to %d bytes",
                 size, NKV_SECTOR_SIZE_MAX);
        return false;
    }
    if (size % geometry->program_unit != 0) {
        snprintf(error->text, sizeof error->text,
                 "--sector-size %" PRIu32 ": give a multiple of the program "
                 "unit, %" PRIu32,
                 size, geometry->program_unit);
        return false;
    }
    return true;
}

static bool check_sector_count(const struct nkv_geometry *geometry,
                               struct nkv_geometry_error *error)
{
    if (geometry->sector_count < 2) {
        snprintf(error->text, sizeof error->text,
                 "%" PRIu32 " sectors of %" PRIu32
                 " bytes: a store needs at least 2 (--sectors, --sector-size)",
                 geometry->sector_count, geometry->sector_size);
        return false;
    }
    if (geometry->sector_count > UINT32_MAX / geometry->sector_size) {
        snprintf(error->text, sizeof error->text,
                 "%" PRIu32 " sectors of %" PRIu32
                 " bytes: a partition must be smaller than 4 GiB",
                 geometry->sector_count, geometry->sector_size);
        return false;
    }
    if (geometry->copies >= geometry->sector_count) {
        snprintf(error->text, sizeof error->text,
                 "--copies %u: give fewer than there are sectors, %" PRIu32,
                 geometry->copies, geometry->sector_count);
        return false;
    }
    return true;
}

bool nkv_geometry_check(const struct nkv_geometry *geometry,
                        struct nkv_geometry_error *error)
{
    return check_sector(geometry, error) && check_sector_count(geometry, error);
}

uint64_t nkv_geometry_size(const struct nkv_geometry *geometry)
{
    return (uint64_t)geometry->sector_count * geometry->sector_size;
}

bool nkv_geometry_fit(struct nkv_geometry *geometry, uint64_t size,
                      struct nkv_geometry_error *error)
{
    bool is_given = (geometry->given & 1u << NKV_GEOMETRY_SECTORS) != 0;

    if (is_given && size != nkv_geometry_size(geometry)) {
        snprintf(error->text, sizeof error->text,
                 "it has %" PRIu64 " bytes, but %" PRIu32 " sectors of %" PRIu32
                 " bytes are %" PRIu64 ": give its --sectors and --sector-size",
                 size, geometry->sector_count, geometry->sector_size,
                 nkv_geometry_size(geometry));
        return false;
    }
    if (size == 0 || size % geometry->sector_size != 0 ||
        size / geometry->sector_size > UINT32_MAX) {
        snprintf(error->text, sizeof error->text,
                 "it has %" PRIu64 " bytes, which are no sectors of %" PRIu32
                 " bytes: give its --sector-size",
                 size, geometry->sector_size);
        return false;
    }
    geometry->sector_count = (uint32_t)(size / geometry->sector_size);
    return true;
}
