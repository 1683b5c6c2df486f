/* The flags' values: numbers in decimal, formats as MAGIC[:CHECKSUM]. */
#include <norkv/geometry.h>

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a number may be. */
struct range {
    uint32_t min;
    uint32_t max;
};

static const struct range ranges[NKV_GEOMETRY_FLAG_COUNT] = {
    [NKV_GEOMETRY_SECTOR_SIZE] = {32, NKV_SECTOR_SIZE_MAX},
    [NKV_GEOMETRY_SECTORS] = {2, UINT32_MAX / 32},
    [NKV_GEOMETRY_PROGRAM_UNIT] = {1, NKV_PROGRAM_UNIT_MAX},
    [NKV_GEOMETRY_COPIES] = {1, NKV_COPIES_MAX},
    [NKV_GEOMETRY_MAX_KEYS] = {1, NKV_GEOMETRY_KEYS_MAX},
};

static bool parse_number(const char *text, struct range range, uint32_t *number)
{
    char *end;
    unsigned long long parsed;

    /* strtoull would take blanks and signs. */
    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    parsed = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || parsed < range.min || parsed > range.max)
        return false;
    *number = (uint32_t)parsed;
    return true;
}

/* Reads 1 to 8 hex digits, with 0x or without, up to end. */
static bool parse_magic(const char *text, const char *end, uint32_t *magic)
{
    char digits[9] = "";
    size_t size;

    if (end - text > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        text += 2;
    size = (size_t)(end - text);
    if (size == 0 || size >= sizeof digits)
        return false;
    memcpy(digits, text, size);
    if (strspn(digits, "0123456789abcdefABCDEF") != size)
        return false;
    *magic = (uint32_t)strtoul(digits, NULL, 16);
    return true;
}

static const struct nkv_checksum *find_checksum(const char *name)
{
    if (strcmp(name, "crc16") == 0)
        return &nkv_checksum_crc16;
    if (strcmp(name, "none") == 0)
        return &nkv_checksum_none;
    if (strcmp(name, "ignore") == 0)
        return &nkv_checksum_ignore;
    return NULL;
}

static bool parse_format(const char *text, struct nkv_format *format,
                         struct nkv_geometry_error *error)
{
    const char *colon = strchr(text, ':');
    const char *end = colon != NULL ? colon : text + strlen(text);

    if (!parse_magic(text, end, &format->magic)) {
        snprintf(error->text, sizeof error->text,
                 "--format %.60s: the magic must be 1 to 8 hex digits", text);
        return false;
    }
    if (format->magic == 0xFFFFFFFFu) {
        snprintf(error->text, sizeof error->text,
                 "--format %.60s: ffffffff is erased flash, no magic", text);
        return false;
    }
    format->checksum = find_checksum(colon != NULL ? colon + 1 : "crc16");
    if (format->checksum == NULL) {
        snprintf(error->text, sizeof error->text,
                 "--format %.60s: no such checksum; there are crc16, none and "
                 "ignore",
                 text);
        return false;
    }
    return true;
}

static bool add_format(struct nkv_geometry *geometry, const char *text,
                       struct nkv_geometry_error *error)
{
    bool is_first = (geometry->given & 1u << NKV_GEOMETRY_FORMAT) == 0;
    size_t count = is_first ? 0 : geometry->format_count;
    struct nkv_format format;

    if (!parse_format(text, &format, error))
        return false;
    if (count == NKV_GEOMETRY_FORMATS_MAX) {
        snprintf(error->text, sizeof error->text,
                 "--format %.60s: give at most %d formats", text,
                 NKV_GEOMETRY_FORMATS_MAX);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (geometry->formats[i].magic == format.magic) {
            snprintf(error->text, sizeof error->text,
                     "--format %.60s: give each magic once", text);
            return false;
        }
    }
    geometry->formats[count] = format;
    geometry->format_count = count + 1;
    return true;
}

static void store_number(struct nkv_geometry *geometry,
                         enum nkv_geometry_flag flag, uint32_t number)
{
    switch (flag) {
    case NKV_GEOMETRY_SECTOR_SIZE:
        geometry->sector_size = number;
        break;
    case NKV_GEOMETRY_SECTORS:
        geometry->sector_count = number;
        break;
    case NKV_GEOMETRY_PROGRAM_UNIT:
        geometry->program_unit = number;
        break;
    case NKV_GEOMETRY_COPIES:
        geometry->copies = (uint8_t)number;
        break;
    case NKV_GEOMETRY_MAX_KEYS:
        geometry->max_keys = number;
        break;
    case NKV_GEOMETRY_FORMAT:
    case NKV_GEOMETRY_FLAG_COUNT:
    default:
        break;
    }
}

static bool set_number(struct nkv_geometry *geometry,
                       enum nkv_geometry_flag flag, const char *text,
                       struct nkv_geometry_error *error)
{
    const struct range *range = &ranges[flag];
    uint32_t number;

    if (!parse_number(text, *range, &number)) {
        snprintf(error->text, sizeof error->text,
                 "--%s %.60s: give a number from %" PRIu32 " to %" PRIu32,
                 nkv_geometry_flag_name(flag), text, range->min, range->max);
        return false;
    }
    store_number(geometry, flag, number);
    return true;
}

bool nkv_geometry_set(struct nkv_geometry *geometry,
                      enum nkv_geometry_flag flag, const char *text,
                      struct nkv_geometry_error *error)
{
    bool done = flag == NKV_GEOMETRY_FORMAT
                    ? add_format(geometry, text, error)
                    : set_number(geometry, flag, text, error);

    if (done)
        geometry->given |= 1u << flag;
    return done;
}
