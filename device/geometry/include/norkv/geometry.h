/*
 * A partition and its store as the user of a tool describes them: the flags
 * --sector-size, --sectors, --program-unit, --copies, --format and --max-keys,
 * their defaults and limits, and the memory that such a store needs.
 *
 * For programs on a host: memory comes from malloc. Firmware knows its geometry
 * when it is compiled and has no use for this.
 */
#ifndef NORKV_GEOMETRY_H
#define NORKV_GEOMETRY_H

#include <norkv/flash.h>
#include <norkv/format.h>
#include <norkv/store.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /* Formats that can be given. */
    NKV_GEOMETRY_FORMATS_MAX = 16,
    /* The most keys, as the engine's. */
    NKV_GEOMETRY_KEYS_MAX = (1 << 24) - 1,
    /* Room for any of the texts that say what is wrong. */
    NKV_GEOMETRY_ERROR_SIZE = 200
};

/* The flags, in the order of nkv_geometry_help. */
enum nkv_geometry_flag {
    NKV_GEOMETRY_SECTOR_SIZE,
    NKV_GEOMETRY_SECTORS,
    NKV_GEOMETRY_PROGRAM_UNIT,
    NKV_GEOMETRY_COPIES,
    NKV_GEOMETRY_FORMAT,
    NKV_GEOMETRY_MAX_KEYS,
    NKV_GEOMETRY_FLAG_COUNT
};

struct nkv_geometry {
    /* Bytes. */
    uint32_t sector_size;
    uint32_t sector_count;
    /* Bytes. */
    uint32_t program_unit;
    uint32_t max_keys;
    uint8_t copies;
    /* Which flags were given: bit 1 << flag. */
    unsigned given;
    /* Never empty; the first is written. */
    struct nkv_format formats[NKV_GEOMETRY_FORMATS_MAX];
    size_t format_count;
};

/* What is wrong with what a user gave, and what to do: one line, no newline. */
struct nkv_geometry_error {
    char text[NKV_GEOMETRY_ERROR_SIZE];
};

/* 16 sectors of 4096 bytes, program unit 16, one copy, 256 keys, and the
 * format 5ab2f0b5:crc16. */
void nkv_geometry_init(struct nkv_geometry *geometry);

/* The flag's name without its dashes, "sector-size". Static storage. */
const char *nkv_geometry_flag_name(enum nkv_geometry_flag flag);

/* What a tool's help says of the flags: a few lines, each ends with a newline.
 * Static storage. */
const char *nkv_geometry_help(void);

/*
 * Takes one flag's value as it was given. --format adds one more format; the
 * first takes the default's place.
 *
 * False: error says why, and the geometry is as it was.
 */
bool nkv_geometry_set(struct nkv_geometry *geometry,
                      enum nkv_geometry_flag flag, const char *text,
                      struct nkv_geometry_error *error);

/*
 * Checks that the flags go together. False: error says why not.
 *
 * A geometry that passes is one that nkv_mount takes.
 */
bool nkv_geometry_check(const struct nkv_geometry *geometry,
                        struct nkv_geometry_error *error);

/* Bytes of the partition. */
uint64_t nkv_geometry_size(const struct nkv_geometry *geometry);

/*
 * Sets the number of sectors to what a file of size bytes holds. A number that
 * was given must be that one.
 *
 * False: size is no multiple of the sector size, or not what was given; error
 * says which sizes fit, and the geometry is as it was.
 */
bool nkv_geometry_fit(struct nkv_geometry *geometry, uint64_t size,
                      struct nkv_geometry_error *error);

/*
 * Describes the store in config, and its partition in flash: everything but
 * the driver's functions, and the memory. Both borrow from geometry and from
 * one another.
 */
void nkv_geometry_configure(const struct nkv_geometry *geometry,
                            struct nkv_flash *flash, struct nkv_config *config);

/* Allocates the memory that a store of this geometry works in; end it with
 * nkv_geometry_release. False: there is none, and memory is all zero. */
bool nkv_geometry_allocate(const struct nkv_geometry *geometry,
                           struct nkv_memory *memory);

/* Frees what nkv_geometry_allocate gave, and sets it to zero. */
void nkv_geometry_release(struct nkv_memory *memory);

#endif
