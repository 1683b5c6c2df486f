/*
 * Arbitrary bytes as a flash image: mounting, reading, writing, collecting and
 * erasing all end in bounded time, keep the rules of the flash, and what was
 * read before a remount is there after it.
 *
 * Byte 0 chooses the geometry, byte 1 the configuration, the rest is the image;
 * what is missing of it is erased.
 */
#include "flash_sim.h"
#include "fuzz.h"
#include "results.h"

#include <norkv/store.h>
#include <norkv/survey.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEYS_MAX = 64,
    COPIES_MAX = 3,
    SECTORS_MAX = 16,
    PARTITION_MAX = 6144,
    STEPS_MAX = 100000,
    /* Bits of byte 1 above the number of copies. */
    FLAG_FORMATS = 4,
    FLAG_SEAL = 8,
    FLAG_FEW_KEYS = 16,
    FLAG_MANUAL_REPAIR = 32,
    FLAG_FAST_MOUNT = 64,
    FLAG_STEPS = 128
};

struct rig {
    struct nkv_flash_sim sim;
    struct nkv_config config;
    struct nkv_store store;
    uint32_t index[NKV_INDEX_WORDS(KEYS_MAX, COPIES_MAX)];
    struct nkv_sector sectors[SECTORS_MAX];
    uint8_t buffer[256];
};

static const struct nkv_format formats[] = {
    {NKV_DEFAULT_MAGIC, &nkv_checksum_crc16},
    {0x41a2db83, &nkv_checksum_crc16},
    {0xd49ba138, &nkv_checksum_none},
    {0x9bce4ad5, &nkv_checksum_ignore},
};

static const struct {
    uint16_t sector_size;
    uint8_t sector_count;
    uint16_t program_unit;
} geometries[] = {{512, 2, 16}, {512, 4, 16},  {512, 6, 16},
                  {512, 6, 1},  {160, 10, 32}, {256, 4, 64},
                  {512, 8, 16}, {1024, 4, 64}, {1024, 3, 256}};

static void demand(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "fuzz_mount: not so: %s\n", what);
        abort();
    }
}

static uint16_t crc16(const uint8_t *data, size_t size)
{
    return (uint16_t)nkv_checksum_crc16.update(nkv_checksum_crc16.initial, data,
                                               size);
}

/* Gives what looks like an entry a right CRC, so that the fuzzer gets past
 * it. */
static void seal(uint8_t *image, size_t size, size_t sector_size)
{
    for (size_t at = 0; at + 32 <= size; at += 16) {
        uint8_t *entry = image + at;
        size_t alignment = (entry[8] + 1u) * 16u;
        size_t value = nkv_load_le16(entry + 10);
        size_t total = 16u + entry[9] + (value == 0xFFFF ? 0 : value);

        total = (total + alignment - 1) / alignment * alignment;
        if (nkv_load_le32(entry) != NKV_DEFAULT_MAGIC ||
            total > sector_size - at % sector_size) {
            continue;
        }
        nkv_store_le32(entry + 4, 0);
        nkv_store_le32(entry + 4, crc16(entry, total));
    }
}

static void configure(struct rig *rig, uint8_t flags)
{
    uint8_t copies = (flags & 3) > 0 ? flags & 3 : 1;

    if (copies >= rig->sim.flash.sector_count) {
        copies = 1;
    }
    rig->config = (struct nkv_config){
        .flash = &rig->sim.flash,
        .formats = formats,
        .format_count = flags & FLAG_FORMATS ? 4 : 1,
        .memory = {.index = rig->index,
                   .index_words = NKV_INDEX_WORDS(KEYS_MAX, COPIES_MAX),
                   .sectors = rig->sectors,
                   .sector_capacity = SECTORS_MAX,
                   .buffer = rig->buffer,
                   .buffer_size = sizeof rig->buffer},
        .max_keys = flags & FLAG_FEW_KEYS ? 3 : KEYS_MAX,
        .copies = copies,
        .manual_repair = (flags & FLAG_MANUAL_REPAIR) != 0,
        .fast_mount = (flags & FLAG_FAST_MOUNT) != 0,
        .steps_per_write = flags & FLAG_STEPS ? 3 : 0,
    };
}

static void set_up(struct rig *rig, const uint8_t *data, size_t size)
{
    static uint8_t image[PARTITION_MAX];
    size_t choice = data[0] % (sizeof geometries / sizeof *geometries);

    memset(rig, 0, sizeof *rig);
    nkv_flash_sim_init(&rig->sim, geometries[choice].sector_size,
                       geometries[choice].sector_count,
                       geometries[choice].program_unit);
    memset(image, 0xFF, sizeof image);
    memcpy(image, data + 2,
           size - 2 < rig->sim.size ? size - 2 : rig->sim.size);
    if (data[1] & FLAG_SEAL) {
        seal(image, rig->sim.size, rig->sim.flash.sector_size);
    }
    nkv_flash_sim_load(&rig->sim, image);
    configure(rig, data[1]);
}

/* Mounts, which may write the flash a few times and read it a few hundred. */
static enum nkv_status mount(struct rig *rig)
{
    const struct nkv_sim_counts before = rig->sim.counts;
    const struct nkv_sim_counts *now = &rig->sim.counts;
    enum nkv_status status = nkv_mount(&rig->store, &rig->config);
    uint64_t size = rig->sim.size;

    demand(now->operations - before.operations <=
               4u * ((uint64_t)rig->sim.units + rig->sim.flash.sector_count) +
                   64,
           "mount writes no more than it may");
    demand(now->read_bytes - before.read_bytes <= 256 * size &&
               now->reads - before.reads <= 64 * size,
           "mount reads no more than it may");
    return status;
}

/* Keys and values as one number, whatever their order. */
static uint32_t read_all(struct rig *rig, uint32_t *count)
{
    static uint8_t value[PARTITION_MAX];
    struct nkv_iterator iterator = {0};
    uint32_t sum = 0;
    enum nkv_status status;

    for (*count = 0; *count <= KEYS_MAX; ++*count) {
        struct nkv_span key = {iterator.key, 0};
        struct nkv_buffer to = {value, sizeof value};
        struct nkv_value got = {0};

        do {
            status = nkv_next(&rig->store, &iterator);
        } while (status == NKV_DATA_LOSS);
        if (status != NKV_OK) {
            break;
        }
        key.size = iterator.key_size;
        status = nkv_get(&rig->store, key, 0, to, &got);
        demand(status == NKV_OK || status == NKV_DATA_LOSS, "get of a key");
        sum += (uint32_t)crc16(iterator.key, key.size) << 16 ^
               crc16(value, got.size);
    }
    return sum;
}

static bool add_place(void *context, const struct nkv_place *place)
{
    *(uint32_t *)context += place->size;
    return true;
}

static void check(struct rig *rig)
{
    struct nkv_statistics now;
    uint32_t surveyed = 0;

    nkv_statistics(&rig->store, &now);
    demand(now.live_bytes + now.stale_bytes + now.free_bytes == rig->sim.size,
           "live, stale and free bytes add up");
    demand(nkv_survey(&rig->store, add_place, &surveyed) == NKV_OK,
           "the survey works");
    demand(surveyed == rig->sim.size, "the survey covers the flash");
    demand(rig->sim.violations == 0, "the rules of the flash are kept");
}

static void write_some(struct rig *rig)
{
    const uint8_t bytes[] = "some bytes to be keys and values";
    struct nkv_span key = {bytes, 4};

    for (size_t i = 0; i < 20; i++) {
        struct nkv_span value = {bytes, i};
        enum nkv_status status = nkv_put(&rig->store, key, value);

        demand(status == NKV_OK || status == NKV_RESOURCE_EXHAUSTED ||
                   status == NKV_FAILED_PRECONDITION,
               "put ends well or finds the store full or read-only");
        key.size = 1 + i % 3;
    }
    key.size = 2;
    (void)!nkv_delete(&rig->store, key);
}

static void maintain(struct rig *rig)
{
    bool more = true;

    for (int i = 0; more; i++) {
        demand(i < STEPS_MAX, "steps come to an end");
        if (nkv_step(&rig->store, &more) != NKV_OK) {
            break;
        }
    }
    (void)!nkv_maintain(&rig->store, NKV_MAINTAIN_PARTIAL);
    (void)!nkv_maintain(&rig->store, NKV_MAINTAIN_FULL);
    (void)!nkv_maintain(&rig->store, NKV_MAINTAIN_HEAVY);
}

/* What is read now is read after a remount as well. */
static void remount(struct rig *rig)
{
    uint32_t count, count_again, sum = read_all(rig, &count);
    enum nkv_status status = mount(rig);

    demand(status == NKV_OK || status == NKV_DATA_LOSS ||
               status == NKV_RESOURCE_EXHAUSTED,
           "it mounts again");
    demand(read_all(rig, &count_again) == sum && count == count_again,
           "a remount changes nothing");
    check(rig);
}

/* Erases all; nothing is left, then and after a mount. */
static void start_over(struct rig *rig)
{
    uint64_t operations = rig->sim.counts.operations;
    uint32_t count;

    demand(nkv_erase_all(&rig->store) == NKV_OK, "erase_all works");
    demand(rig->sim.counts.operations - operations <=
               2u * rig->sim.flash.sector_count + 2u * rig->sim.units + 64,
           "erase_all takes an erase a sector and a few entries");
    (void)read_all(rig, &count);
    demand(count == 0, "nothing is left");
    demand(mount(rig) == NKV_OK, "it mounts then");
    (void)read_all(rig, &count);
    demand(count == 0, "nothing is back");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rig rig;
    enum nkv_status status;
    uint32_t count;

    if (size < 2) {
        return 0;
    }
    nkv_fault_tried("arbitrary bytes as an image");
    set_up(&rig, data, size);
    status = mount(&rig);
    demand(status == NKV_OK || status == NKV_DATA_LOSS ||
               status == NKV_RESOURCE_EXHAUSTED ||
               status == NKV_FAILED_PRECONDITION,
           "mount says something sensible");
    (void)read_all(&rig, &count);
    if (status == NKV_FAILED_PRECONDITION) {
        demand(rig.sim.counts.operations == 0, "mount left the flash alone");
        start_over(&rig);
    }
    check(&rig);
    write_some(&rig);
    check(&rig);
    if (status == NKV_OK || status == NKV_FAILED_PRECONDITION) {
        remount(&rig);
    }
    maintain(&rig);
    check(&rig);
    write_some(&rig);
    check(&rig);
    start_over(&rig);
    check(&rig);
    write_some(&rig);
    check(&rig);
    nkv_flash_sim_free(&rig.sim);
    nkv_fault_survived();
    return 0;
}
