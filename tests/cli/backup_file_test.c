/* Backups as files: what is written is read, and what is damaged is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <backup_file.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPAN(literal)                                                          \
    ((struct nkv_span){(const uint8_t *)(literal), sizeof(literal) - 1})

static struct nkv_span text_span(const char *text)
{
    return (struct nkv_span){(const uint8_t *)text, strlen(text)};
}

/* What docs/backup.md shows. */
static const char documented[] =
    "{\"format\":\"norkv-backup\",\"version\":1,\"product\":\"pump\","
    "\"unit_id\":\"SN-0001\",\"firmware\":\"1.4.2\",\"store\":0,"
    "\"store_name\":\"settings\",\"prefix_hex\":\"\","
    "\"time\":\"2026-11-26T07:00:00Z\",\"changed\":false,\"partial\":false,"
    "\"damaged\":0,"
    "\"record_count\":2,\"bytes\":21,\"digest\":\"%s\",\"records\":[\n"
    "{\"key\":\"mac\",\"key_hex\":\"6d6163\",\"value_hex\":\"02af12345678\"},\n"
    "{\"key\":\"name\",\"key_hex\":\"6e616d65\","
    "\"value_hex\":\"70756d702d303031\",\"text\":\"pump-001\"}\n"
    "]}\n";
static const char documented_digest[] = "b8b6099b2bc71f4e";

static struct nkv_backup small_backup(void)
{
    struct nkv_backup backup = {
        .product = "pump",
        .unit_id = "SN-0001",
        .firmware = "1.4.2",
        .store_name = "settings",
        .time = "2026-11-26T07:00:00Z",
    };

    assert_true(nkv_backup_add(&backup, SPAN("name"), SPAN("pump-001")));
    assert_true(
        nkv_backup_add(&backup, SPAN("mac"), SPAN("\x02\xaf\x12\x34\x56\x78")));
    assert_null(nkv_backup_sort(&backup));
    return backup;
}

static char *small_file(void)
{
    struct nkv_backup backup = small_backup();
    size_t size;
    char *text = nkv_backup_write(&backup, &size);

    assert_non_null(text);
    assert_int_equal(strlen(text), size);
    nkv_backup_free(&backup);
    return text;
}

static void a_file_is_as_documented(void **state)
{
    char *text = small_file();
    char wanted[1024];

    (void)state;
    snprintf(wanted, sizeof wanted, documented, documented_digest);
    assert_string_equal(text, wanted);
    free(text);
}

static void what_was_written_is_read(void **state)
{
    char *text = small_file();
    struct nkv_parse_error error = {0};
    struct nkv_backup backup;

    (void)state;
    assert_true(nkv_backup_read(text_span(text), &backup, &error));
    free(text);
    assert_string_equal(backup.product, "pump");
    assert_string_equal(backup.unit_id, "SN-0001");
    assert_string_equal(backup.firmware, "1.4.2");
    assert_string_equal(backup.store_name, "settings");
    assert_string_equal(backup.time, "2026-11-26T07:00:00Z");
    assert_int_equal(backup.count, 2);
    assert_int_equal(backup.digest.records, 2);
    assert_memory_equal(backup.records[0].key.data, "mac", 3);
    assert_memory_equal(backup.records[1].value.data, "pump-001", 8);
    nkv_backup_free(&backup);
    assert_null(backup.records);
}

/* Any bytes, sizes up to the limits, text with NUL and newline in it. */
static void records_of_all_kinds_come_back(void **state)
{
    static uint8_t bytes[NKV_RECORD_VALUE_MAX];
    struct nkv_backup backup = {.store = 7,
                                .prefix = SPAN("\xff"),
                                .time = "2026-11-26T07:00:00Z",
                                .damaged = 3,
                                .changed = true,
                                .partial = true};
    struct nkv_parse_error error = {0};
    struct nkv_backup read;
    size_t size;
    char *text;

    (void)state;
    memset(bytes, 0xff, sizeof bytes);
    for (size_t i = 1; i <= NKV_RECORD_KEY_MAX; i++) {
        bytes[i - 1] = 0xff;
        assert_true(nkv_backup_add(&backup, (struct nkv_span){bytes, i},
                                   (struct nkv_span){bytes, (i - 1) * 1057}));
    }
    assert_true(nkv_backup_add(&backup, SPAN("\xff\x00"), SPAN("a\0b\n\"\\")));
    assert_null(nkv_backup_sort(&backup));
    text = nkv_backup_write(&backup, &size);
    assert_non_null(text);
    assert_true(nkv_backup_read((struct nkv_span){(const uint8_t *)text, size},
                                &read, &error));
    free(text);
    assert_int_equal(read.count, backup.count);
    assert_int_equal(read.store, 7);
    assert_int_equal(read.damaged, 3);
    assert_true(read.changed);
    assert_true(read.partial);
    assert_int_equal(read.prefix.size, 1);
    assert_true(read.digest.sum == backup.digest.sum);
    for (size_t i = 0; i < read.count; i++) {
        assert_int_equal(read.records[i].key.size, backup.records[i].key.size);
        assert_int_equal(read.records[i].value.size,
                         backup.records[i].value.size);
        if (read.records[i].value.size > 0) {
            assert_memory_equal(read.records[i].value.data,
                                backup.records[i].value.data,
                                read.records[i].value.size);
        }
    }
    nkv_backup_free(&read);
    nkv_backup_free(&backup);
}

static void a_store_without_records_is_a_backup(void **state)
{
    struct nkv_backup backup = {.time = "2026-11-26T07:00:00Z"};
    struct nkv_parse_error error = {0};
    struct nkv_backup read;
    size_t size;
    char *text = nkv_backup_write(&backup, &size);

    (void)state;
    assert_non_null(text);
    assert_true(nkv_backup_read(text_span(text), &read, &error));
    assert_int_equal(read.count, 0);
    assert_string_equal(read.product, "");
    nkv_backup_free(&read);
    free(text);
}

static void a_key_that_comes_twice_is_found(void **state)
{
    struct nkv_backup backup = small_backup();
    const struct nkv_record *twice;

    (void)state;
    assert_true(nkv_backup_add(&backup, SPAN("mac"), SPAN("")));
    twice = nkv_backup_sort(&backup);
    assert_non_null(twice);
    assert_memory_equal(twice->key.data, "mac", 3);
    nkv_backup_free(&backup);
}

static void expect_refused(const char *text, size_t size, const char *why)
{
    struct nkv_parse_error error = {0};
    struct nkv_backup backup;

    if (nkv_backup_read((struct nkv_span){(const uint8_t *)text, size}, &backup,
                        &error)) {
        fail_msg("taken: %.*s", (int)size, text);
    }
    assert_null(backup.records);
    assert_null(backup.blocks);
    if (strstr(error.text, why) == NULL) {
        fail_msg("'%s' does not say '%s'", error.text, why);
    }
}

static void a_file_cut_anywhere_is_refused(void **state)
{
    char *text = small_file();

    (void)state;
    /* The newline behind the end says nothing. */
    for (size_t size = 0; size + 1 < strlen(text); size++) {
        expect_refused(text, size, "");
    }
    expect_refused(text, 100, "cut");
    free(text);
}

/* Replaces what is there once by something else. */
static char *with(const char *from, const char *to)
{
    char *text = small_file();
    char *at = strstr(text, from);
    size_t size = strlen(text) + strlen(to) + 1;
    char *changed = malloc(size);

    assert_non_null(changed);
    assert_non_null(at);
    *at = '\0';
    (void)snprintf(changed, size, "%s%s%s", text, to, at + strlen(from));
    free(text);
    return changed;
}

static void expect_change_refused(const char *from, const char *to,
                                  const char *why)
{
    char *text = with(from, to);

    expect_refused(text, strlen(text), why);
    free(text);
}

static void each_wrong_member_is_named(void **state)
{
    (void)state;
    expect_change_refused("norkv-backup", "tar", "not a backup");
    expect_change_refused("\"version\":1", "\"version\":2", "version 2");
    expect_change_refused("\"version\":1", "\"version\":\"1\"", "version");
    expect_change_refused("\"unit_id\":\"SN-0001\",", "", "unit_id is missing");
    expect_change_refused("\"store\":0", "\"store\":-1", "store");
    expect_change_refused("\"store\":0", "\"store\":4294967296", "store");
    expect_change_refused("\"store\":0", "\"store\":0.5", "store");
    expect_change_refused("\"store\":0", "\"store\":0,\"stor\":0",
                          "stor is not known");
    expect_change_refused("\"changed\":false", "\"changed\":0", "changed");
    expect_change_refused("\"partial\":false,", "", "partial is missing");
    expect_change_refused("07:00:00Z", "07:00:00", "time");
    expect_change_refused("07:00:00Z", "7:00:00Z", "time");
    expect_change_refused("\"prefix_hex\":\"\"", "\"prefix_hex\":\"f\"",
                          "prefix_hex");
    expect_change_refused("\"prefix_hex\":\"\"", "\"prefix_hex\":\"6d\"",
                          "record 2: the key does not begin");
    expect_change_refused("SN-0001", "SN\\u0000", "unit_id");
    expect_change_refused("\"unit_id\":", "\"product\":", "comes twice");
    expect_change_refused("\"records\":[", "\"records\":0,\"x\":[", "records");
}

static void each_wrong_record_is_named(void **state)
{
    (void)state;
    expect_change_refused("\"6d6163\"", "\"6d616\"", "record 1: key_hex");
    expect_change_refused("\"6d6163\"", "\"6d616g\"", "record 1: key_hex");
    expect_change_refused("\"6d6163\"", "7", "record 1: key_hex");
    expect_change_refused("\"key_hex\":\"6d6163\",", "", "key_hex is missing");
    expect_change_refused("\"key\":\"mac\"", "\"key\":\"max\"", "differ");
    expect_change_refused("\"text\":\"pump-001\"", "\"text\":\"pump-002\"",
                          "record 2: text and value_hex differ");
    expect_change_refused("\"text\":\"pump-001\"", "\"note\":\"\"",
                          "note is not known");
    expect_change_refused("02af12345678", "02af1234567", "record 1: value_hex");
    expect_change_refused("02af12345678", "02af12345679", "digest");
    expect_change_refused("\"key\":\"mac\",\"key_hex\":\"6d6163\"",
                          "\"key_hex\":\"\"", "1 to 63");
    expect_change_refused("\"key\":\"name\",\"key_hex\":\"6e616d65\"",
                          "\"key\":\"mac\",\"key_hex\":\"6d6163\"",
                          "'mac' comes twice");
    expect_change_refused("{\"key\":\"mac\"", "[],{\"key\":\"mac\"",
                          "record 1: it is no object");
    expect_change_refused("\"record_count\":2", "\"record_count\":3",
                          "record_count");
    expect_change_refused("\"bytes\":21", "\"bytes\":22", "bytes");
    expect_change_refused("\"digest\":\"", "\"digest\":\"0", "digest");
    expect_change_refused("]}", "]}x", "no JSON");
}

static void a_key_of_64_bytes_is_refused(void **state)
{
    char digits[2 * 64 + 1];
    char record[512];

    (void)state;
    memset(digits, 'a', sizeof digits - 1);
    digits[sizeof digits - 1] = '\0';
    snprintf(record, sizeof record, "\"key_hex\":\"%s\"", digits);
    expect_change_refused("\"key\":\"mac\",\"key_hex\":\"6d6163\"", record,
                          "64 bytes");
}

/* As jq or Python lay it out. */
static void another_layout_is_read(void **state)
{
    char *text = with(",\"version\":1", "\n  , \"version\" : 1");
    struct nkv_parse_error error = {0};
    struct nkv_backup backup;

    (void)state;
    assert_true(nkv_backup_read(text_span(text), &backup, &error));
    nkv_backup_free(&backup);
    free(text);
}

/* Whatever bit flips: refused, or only what no sum covers is different. */
static void no_flipped_bit_changes_a_record(void **state)
{
    char *text = small_file();
    size_t size = strlen(text);
    struct nkv_parse_error error = {0};

    (void)state;
    for (size_t bit = 0; bit < 8 * size; bit++) {
        struct nkv_backup backup;

        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
        if (nkv_backup_read((struct nkv_span){(const uint8_t *)text, size},
                            &backup, &error)) {
            assert_int_equal(backup.count, 2);
            assert_memory_equal(backup.records[0].key.data, "mac", 3);
            assert_memory_equal(backup.records[0].value.data,
                                "\x02\xaf\x12\x34\x56\x78", 6);
            assert_memory_equal(backup.records[1].key.data, "name", 4);
            assert_memory_equal(backup.records[1].value.data, "pump-001", 8);
            nkv_backup_free(&backup);
        }
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_as_documented),
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(records_of_all_kinds_come_back),
        cmocka_unit_test(a_store_without_records_is_a_backup),
        cmocka_unit_test(a_key_that_comes_twice_is_found),
        cmocka_unit_test(a_file_cut_anywhere_is_refused),
        cmocka_unit_test(each_wrong_member_is_named),
        cmocka_unit_test(each_wrong_record_is_named),
        cmocka_unit_test(a_key_of_64_bytes_is_refused),
        cmocka_unit_test(another_layout_is_read),
        cmocka_unit_test(no_flipped_bit_changes_a_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
