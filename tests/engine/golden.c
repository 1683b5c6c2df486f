#include "golden.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *what, const char *name)
{
    fprintf(stderr, "golden: %s: %s\n", what, name);
    exit(1);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

size_t nkv_golden_list(char names[][NKV_GOLDEN_NAME_MAX], size_t capacity)
{
    DIR *folder = opendir(NORKV_GOLDEN_DIR);
    size_t count = 0;

    if (folder == NULL) {
        fail("cannot open", NORKV_GOLDEN_DIR);
    }
    for (struct dirent *it = readdir(folder); it != NULL && count < capacity;
         it = readdir(folder)) {
        size_t length = strlen(it->d_name);

        if (length > 4 && length - 4 < NKV_GOLDEN_NAME_MAX &&
            strcmp(it->d_name + length - 4, ".bin") == 0) {
            memcpy(names[count], it->d_name, length - 4);
            names[count++][length - 4] = '\0';
        }
    }
    closedir(folder);
    if (count == 0) {
        fail("no images in", NORKV_GOLDEN_DIR);
    }
    qsort(names, count, sizeof *names, compare_names);
    return count;
}

static size_t decode_hex(const char *hex, uint8_t *to, size_t capacity)
{
    size_t size = strlen(hex) / 2;

    if (size > capacity) {
        fail("too long", hex);
    }
    for (size_t i = 0; i < size; i++) {
        const char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        to[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return size;
}

static uint32_t number_of(const json_t *object, const char *name)
{
    return (uint32_t)json_integer_value(json_object_get(object, name));
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    if (text == NULL) {
        fail("no member", name);
    }
    return text;
}

static void add(struct nkv_model *model, const char *key_hex,
                const char *value_hex)
{
    static uint8_t value[NKV_VALUE_SIZE_MAX];
    uint8_t key[NKV_KEY_SIZE_MAX];
    size_t key_size = decode_hex(key_hex, key, sizeof key);
    size_t value_size = decode_hex(value_hex, value, sizeof value);

    nkv_model_put(model, (struct nkv_span){key, key_size},
                  (struct nkv_span){value, value_size});
}

static void read_mount(const struct nkv_golden *golden, const json_t *root,
                       const char *name, struct nkv_golden_mount *mount)
{
    json_t *object = json_object_get(root, name);
    const char *key;
    json_t *value;
    size_t i;

    snprintf(mount->status, sizeof mount->status, "%s",
             text_of(object, "status"));
    mount->transaction_count = number_of(object, "transaction_count");
    json_object_foreach(json_object_get(object, "keys"), key, value)
    {
        add(&mount->keys, key, json_string_value(value));
    }
    json_array_foreach(json_object_get(object, "tombstones"), i, value)
    {
        add(&mount->tombstones, json_string_value(value), "");
    }
    if (golden->reference_is_right &&
        mount->keys.count != number_of(object, "size")) {
        fail("size is not the number of keys", name);
    }
}

static const struct nkv_checksum *checksum_named(const char *name)
{
    if (strcmp(name, "crc16") == 0) {
        return &nkv_checksum_crc16;
    }
    if (strcmp(name, "none") == 0) {
        return &nkv_checksum_none;
    }
    if (strcmp(name, "ignore") != 0) {
        fail("unknown checksum", name);
    }
    return &nkv_checksum_ignore;
}

static void read_formats(const json_t *root, struct nkv_bench_setup *setup)
{
    const json_t *format;
    size_t i;

    json_array_foreach(json_object_get(root, "formats"), i, format)
    {
        if (i >= NKV_BENCH_FORMATS_MAX) {
            fail("too many formats in", text_of(root, "name"));
        }
        setup->formats[i].magic =
            (uint32_t)strtoul(text_of(format, "magic"), NULL, 16);
        setup->formats[i].checksum =
            checksum_named(text_of(format, "checksum"));
        setup->format_count++;
    }
}

static void read_image(struct nkv_golden *golden)
{
    size_t size =
        (size_t)golden->setup.sector_size * golden->setup.sector_count;
    char path[1024];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s.bin", NORKV_GOLDEN_DIR, golden->name);
    file = fopen(path, "rb");
    golden->image = malloc(size);
    if (file == NULL || golden->image == NULL ||
        fread(golden->image, 1, size, file) != size || fgetc(file) != EOF) {
        fail("cannot read, or of a wrong size", path);
    }
    fclose(file);
}

void nkv_golden_load(struct nkv_golden *golden, const char *name)
{
    char path[1024];
    json_t *root;

    memset(golden, 0, sizeof *golden);
    snprintf(golden->name, sizeof golden->name, "%s", name);
    snprintf(path, sizeof path, "%s/%s.json", NORKV_GOLDEN_DIR, name);
    root = json_load_file(path, 0, NULL);
    if (root == NULL) {
        fail("cannot read", path);
    }
    golden->setup.sector_size = number_of(root, "sector_size");
    golden->setup.sector_count = number_of(root, "sector_count");
    golden->setup.program_unit = number_of(root, "program_unit");
    golden->setup.max_keys = number_of(root, "max_keys");
    golden->setup.copies = (uint8_t)number_of(root, "copies");
    read_formats(root, &golden->setup);
    read_image(golden);
    golden->reference_is_right =
        json_is_true(json_object_get(root, "reference_is_right"));
    read_mount(golden, root, "mount", &golden->mount);
    read_mount(golden, root, "mount_no_repair", &golden->mount_no_repair);
    json_decref(root);
}

void nkv_golden_free(struct nkv_golden *golden)
{
    free(golden->image);
    nkv_model_free(&golden->mount.keys);
    nkv_model_free(&golden->mount.tombstones);
    nkv_model_free(&golden->mount_no_repair.keys);
    nkv_model_free(&golden->mount_no_repair.tombstones);
}

void nkv_golden_bench(const struct nkv_golden *golden, struct nkv_bench *bench)
{
    nkv_bench_init(bench, &golden->setup);
    nkv_flash_sim_load(&bench->sim, golden->image);
}
