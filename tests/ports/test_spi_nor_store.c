/* The store on the driver on the chip: what it writes is there after a remount
 * and after each power cut, and no bus cycle is one that should not be. */
#include "ports_check.h"
#include "spi_nor.h"
#include "spi_nor_model.h"

#include <norkv/store.h>
#include <stdio.h>
#include <string.h>

enum {
    SECTOR = 4096,
    SECTORS = 4,
    KEYS = 6,
    /* Enough to go round all sectors several times. */
    WRITES = 160,
    VALUE_SIZE = 300,
    CUT_WRITES = 60
};

NKV_DEFINE_MEMORY(memory, KEYS, 1, SECTORS, 256);

/* A chip with a partition that a store is on. */
struct rig {
    struct nkv_spi_nor_model model;
    struct nkv_spi_nor_config nor_config;
    struct nkv_spi_nor nor;
    struct nkv_config config;
    struct nkv_store store;
};

static struct rig rig;

static void open_rig(const struct nkv_spi_nor_part *part)
{
    nkv_spi_nor_model_init(&rig.model, part);
    rig.nor_config = (struct nkv_spi_nor_config){
        .bus = &rig.model.bus,
        .size = SECTORS * SECTOR,
        .offset = NKV_SPI_NOR_AT_END,
    };
    rig.config = (struct nkv_config){
        .flash = &rig.nor.flash,
        .memory = memory,
        .max_keys = KEYS,
    };
}

static void mount(void)
{
    assert_ok(nkv_spi_nor_start(&rig.nor, &rig.nor_config));
    assert_ok(nkv_mount(&rig.store, &rig.config));
}

static struct nkv_span key_of(uint32_t number, char text[4])
{
    snprintf(text, 4, "k%u", (unsigned)(number % KEYS));
    return (struct nkv_span){(const uint8_t *)text, strlen(text)};
}

/* The number-th value: its size and bytes follow from it. */
static struct nkv_span value_of(uint32_t number, uint8_t bytes[VALUE_SIZE])
{
    memset(bytes, (int)(number & 0xFF), VALUE_SIZE);
    bytes[0] = (uint8_t)(number >> 8);
    return (struct nkv_span){bytes, VALUE_SIZE - number % 64};
}

static enum nkv_status put(uint32_t number)
{
    uint8_t bytes[VALUE_SIZE];
    char text[4];

    return nkv_put(&rig.store, key_of(number, text), value_of(number, bytes));
}

static bool has(uint32_t number)
{
    uint8_t expected[VALUE_SIZE];
    uint8_t bytes[VALUE_SIZE];
    struct nkv_value value;
    char text[4];
    const struct nkv_span span = value_of(number, expected);

    return nkv_get(&rig.store, key_of(number, text), 0,
                   (struct nkv_buffer){bytes, sizeof bytes},
                   &value) == NKV_OK &&
           value.size == span.size && memcmp(bytes, expected, span.size) == 0;
}

/* That each key has the last of the first count values. The one put of which
 * nobody knows how it ended, the count-th, may be there too. */
static void expect_values(uint32_t count, bool is_last_open)
{
    for (uint32_t key = 0; key < KEYS; key++) {
        uint32_t last = UINT32_MAX;

        for (uint32_t i = key; i < count; i += KEYS) {
            last = i;
        }
        if (is_last_open && count % KEYS == key && has(count)) {
            continue;
        }
        if (last != UINT32_MAX) {
            assert_true(has(last));
        }
    }
}

static void write_and_remount(const struct nkv_spi_nor_part *part)
{
    open_rig(part);
    mount();
    for (uint32_t i = 0; i < WRITES; i++) {
        assert_ok(put(i));
    }
    assert_ok(nkv_maintain(&rig.store, NKV_MAINTAIN_HEAVY));
    expect_values(WRITES, false);
    nkv_spi_nor_model_power_on(&rig.model);
    mount();
    expect_values(WRITES, false);
    assert_true(rig.model.counts.erases > 2 * SECTORS);
    assert_no_violation(&rig.model);
    assert_int_equal(rig.nor.fault, NKV_SPI_NOR_NO_FAULT);
    nkv_spi_nor_model_free(&rig.model);
}

static void values_are_there_after_collections_and_a_remount(void **state)
{
    (void)state;
    write_and_remount(&nkv_spi_nor_w25q80);
}

static void so_they_are_at_the_end_of_32_mib(void **state)
{
    (void)state;
    write_and_remount(&nkv_spi_nor_w25q256);
}

/* A W25Q80 but for its size, which makes new ones fast. */
static struct nkv_spi_nor_part small_part(void)
{
    struct nkv_spi_nor_part part = nkv_spi_nor_w25q80;

    part.size = 64 << 10;
    part.id[2] = 0x10;
    return part;
}

/* One power cut in the at-th operation of a run; false: it has fewer. */
static bool cut_at(uint32_t at, uint32_t amount)
{
    const struct nkv_spi_nor_part part = small_part();
    uint32_t done = 0;
    bool was_cut;

    open_rig(&part);
    mount();
    rig.model.cut = (struct nkv_spi_nor_cut){.at = at, .amount = amount};
    while (done < CUT_WRITES && put(done) == NKV_OK) {
        done++;
    }
    was_cut = rig.model.is_off;
    assert_int_equal(was_cut, done < CUT_WRITES);
    nkv_spi_nor_model_power_on(&rig.model);
    mount();
    expect_values(done, was_cut);
    /* It goes on from there. */
    for (uint32_t i = done; i < done + KEYS; i++) {
        assert_ok(put(i));
    }
    expect_values(done + KEYS, false);
    assert_no_violation(&rig.model);
    nkv_spi_nor_model_free(&rig.model);
    return was_cut;
}

static void acknowledged_values_survive_every_power_cut(void **state)
{
    static const uint32_t amounts[] = {0, 1, 2, 17};
    uint32_t cuts = 0;

    (void)state;
    for (size_t i = 0; i < sizeof amounts / sizeof amounts[0]; i++) {
        for (uint32_t at = 1; cut_at(at, amounts[i]); at++) {
            cuts++;
        }
    }
    print_message("%u power cuts\n", (unsigned)cuts);
    assert_true(cuts > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_there_after_collections_and_a_remount),
        cmocka_unit_test(so_they_are_at_the_end_of_32_mib),
        cmocka_unit_test(acknowledged_values_survive_every_power_cut),
    };

    return cmocka_run_group_tests_name("a store on SPI NOR", tests, NULL, NULL);
}
