/*
 * Holds norkv image dump and check to what a golden image's .json says:
 * golden_check NORKV GOLDEN-FOLDER NAME. With --flags in NORKV's place it only
 * prints the flags for the image.
 */
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* What is right where the reference is wrong; NULL: what the .json says. A
 * list of statuses is apart by blanks. */
struct correction {
    const char *name;
    const char *status;
    const char *repaired_status;
    /* Objects as in the .json. */
    const char *keys;
    int transaction_count;
};

static const struct correction corrections[] = {
    {"brick_gc_cut", NULL, "OK", NULL, -1},
    {"crosses_sector", NULL, NULL, "mount", 1},
    {"dirty_tail_hidden", "OK DATA_LOSS", NULL, NULL, -1},
    {"erased_gap", NULL, NULL,
     "{\"6b657931\":\"76616c756531\",\"6b32\":\"76616c756532\"}", 3},
    {"half_erased_sector", "OK DATA_LOSS", NULL, NULL, -1},
    {"hash_collision", NULL, NULL,
     "{\"4434\":\"6f6e65\",\"6446553653\":\"74776f\"}", -1},
    {"no_free_sector_full", "OK DATA_LOSS RESOURCE_EXHAUSTED",
     "OK RESOURCE_EXHAUSTED", NULL, -1},
    {"txid_rollover", NULL, NULL, "{\"6b\":\"6e6577\"}", 0},
};

struct golden {
    const char *norkv;
    const char *folder;
    const char *name;
    json_t *description;
    /* The flags for the image, as a shell takes them. */
    char flags[1024];
    int failures;
};

static void fail(struct golden *golden, const char *what, const char *got,
                 const char *wanted)
{
    printf("%s: %s is %s, expected %s\n", golden->name, what, got, wanted);
    golden->failures++;
}

static json_t *member(const json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);

    if (value == NULL) {
        printf("no member %s\n", name);
        exit(1);
    }
    return value;
}

static int number(const json_t *object, const char *name)
{
    return (int)json_integer_value(member(object, name));
}

static const char *text(const json_t *object, const char *name)
{
    return json_string_value(member(object, name));
}

static const struct correction *correction_of(const char *name)
{
    static const struct correction none = {.transaction_count = -1};

    for (size_t i = 0; i < sizeof corrections / sizeof corrections[0]; i++) {
        if (strcmp(corrections[i].name, name) == 0) {
            return &corrections[i];
        }
    }
    return &none;
}

static void load(struct golden *golden)
{
    const json_t *format;
    json_error_t error;
    char path[1024];
    size_t used;
    size_t i;

    snprintf(path, sizeof path, "%s/%s.json", golden->folder, golden->name);
    golden->description = json_load_file(path, 0, &error);
    if (golden->description == NULL) {
        printf("%s: %s\n", path, error.text);
        exit(1);
    }
    used = (size_t)snprintf(golden->flags, sizeof golden->flags,
                            "--sector-size %d --sectors %d --program-unit %d "
                            "--copies %d",
                            number(golden->description, "sector_size"),
                            number(golden->description, "sector_count"),
                            number(golden->description, "program_unit"),
                            number(golden->description, "copies"));
    json_array_foreach(member(golden->description, "formats"), i, format)
    {
        used += (size_t)snprintf(
            golden->flags + used, sizeof golden->flags - used,
            " --format %s:%s", text(format, "magic"), text(format, "checksum"));
    }
}

/* Runs norkv image COMMAND on the image; returns its output's objects. */
static json_t *run(struct golden *golden, const char *command, int *exit_code)
{
    json_t *objects = json_array();
    char line[2048];
    char *output = NULL;
    size_t room = 0;
    FILE *pipe;
    int status;

    snprintf(line, sizeof line, "'%s' image %s '%s/%s.bin' --json %s",
             golden->norkv, command, golden->folder, golden->name,
             golden->flags);
    pipe = popen(line, "r");
    while (pipe != NULL && getline(&output, &room, pipe) > 0) {
        json_t *object = json_loads(output, JSON_REJECT_DUPLICATES, NULL);

        if (json_array_append_new(objects, object) != 0) {
            fail(golden, command, "no JSON", "an object a line");
        }
    }
    free(output);
    status = pipe != NULL ? pclose(pipe) : -1;
    *exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return objects;
}

/* The keys that must be there, as {key_hex: value_hex}. Borrowed, or new. */
static json_t *expected_keys(const struct golden *golden, const char *mount)
{
    const char *right = correction_of(golden->name)->keys;

    if (right != NULL && right[0] == '{') {
        return json_loads(right, 0, NULL);
    }
    if (right != NULL) {
        mount = right;
    }
    return json_incref(member(member(golden->description, mount), "keys"));
}

static void check_dump(struct golden *golden, const char *command,
                       const char *mount)
{
    json_t *wanted = expected_keys(golden, mount);
    json_t *got = json_object();
    const json_t *object;
    json_t *objects;
    int exit_code;
    size_t i;

    objects = run(golden, command, &exit_code);
    json_array_foreach(objects, i, object)
    {
        json_object_set(got, text(object, "key_hex"),
                        member(object, "value_hex"));
        number(object, "version");
    }
    if (!json_equal(got, wanted) ||
        json_array_size(objects) != json_object_size(wanted)) {
        char *got_text = json_dumps(got, JSON_SORT_KEYS);
        char *wanted_text = json_dumps(wanted, JSON_SORT_KEYS);

        fail(golden, command, got_text, wanted_text);
        free(got_text);
        free(wanted_text);
    }
    if (exit_code != 0) {
        fail(golden, command, "no success", "exit code 0");
    }
    json_decref(objects);
    json_decref(got);
    json_decref(wanted);
}

/* Is word one of those in list? */
static bool is_listed(const char *list, const char *word)
{
    size_t size = strlen(word);

    for (const char *at = list; (at = strstr(at, word)) != NULL; at += size) {
        if ((at == list || at[-1] == ' ') &&
            (at[size] == '\0' || at[size] == ' ')) {
            return true;
        }
    }
    return false;
}

static void expect_status(struct golden *golden, const char *name,
                          const char *got, const char *right, const char *mount)
{
    const char *wanted =
        right != NULL ? right
                      : text(member(golden->description, mount), "status");

    if (!is_listed(wanted, got)) {
        fail(golden, name, got, wanted);
    }
}

static void expect_number(struct golden *golden, const char *name,
                          const json_t *object, json_int_t wanted)
{
    json_int_t got = json_integer_value(member(object, name));
    char got_text[32];
    char wanted_text[32];

    if (got != wanted) {
        snprintf(got_text, sizeof got_text, "%" JSON_INTEGER_FORMAT, got);
        snprintf(wanted_text, sizeof wanted_text, "%" JSON_INTEGER_FORMAT,
                 wanted);
        fail(golden, name, got_text, wanted_text);
    }
}

static void check_numbers(struct golden *golden, const json_t *object)
{
    const struct correction *right = correction_of(golden->name);
    const json_t *mount = member(golden->description, "mount");
    json_t *keys = expected_keys(golden, "mount");

    expect_number(golden, "keys", object, (json_int_t)json_object_size(keys));
    expect_number(golden, "tombstones", object,
                  (json_int_t)json_array_size(member(mount, "tombstones")));
    expect_number(golden, "transaction_count", object,
                  right->transaction_count >= 0
                      ? right->transaction_count
                      : json_integer_value(member(mount, "transaction_count")));
    json_decref(keys);
}

/* The four sums make the file, and damage is what the status says. */
static void check_survey(struct golden *golden, const json_t *object)
{
    json_int_t sum =
        number(object, "live_bytes") + number(object, "stale_bytes") +
        number(object, "corrupt_bytes") + number(object, "free_bytes");
    json_int_t size = (json_int_t)number(golden->description, "sector_size") *
                      number(golden->description, "sector_count");
    bool damaged = json_array_size(member(object, "damage")) > 0;
    bool said = strcmp(text(object, "status"), "DATA_LOSS") == 0;

    if (sum != size) {
        fail(golden, "the sum of bytes", "another", "the file's size");
    }
    /* A full store needs repair without a damaged place. */
    if (damaged != said &&
        !json_is_false(member(golden->description, "reference_is_right"))) {
        fail(golden, "damage", damaged ? "listed" : "not listed",
             text(object, "status"));
    }
}

/* Exit code 1 is for corrupt and foreign places; of redundancy there is a
 * second copy. */
static void check_exit_code(struct golden *golden, const json_t *object,
                            int exit_code)
{
    bool corrupt = false;
    const json_t *place;
    size_t i;

    json_array_foreach(member(object, "damage"), i, place)
    {
        const char *kind = text(place, "kind");

        number(place, "sector");
        number(place, "offset");
        corrupt = corrupt || strcmp(kind, "corrupt") == 0 ||
                  strcmp(kind, "foreign") == 0;
    }
    if (number(golden->description, "copies") > 1) {
        corrupt = false;
    }
    if (exit_code != (corrupt ? 1 : 0)) {
        fail(golden, "exit code of check", "another",
             corrupt ? "1: something is lost" : "0: nothing is lost");
    }
}

static void check_check(struct golden *golden)
{
    const struct correction *right = correction_of(golden->name);
    int exit_code;
    json_t *objects = run(golden, "check", &exit_code);
    const json_t *object = json_array_get(objects, 0);

    if (json_array_size(objects) != 1) {
        fail(golden, "check", "not one object", "one");
    } else {
        expect_status(golden, "status", text(object, "status"), right->status,
                      "mount_no_repair");
        expect_status(golden, "repaired_status",
                      text(object, "repaired_status"), right->repaired_status,
                      "mount");
        check_numbers(golden, object);
        check_survey(golden, object);
        check_exit_code(golden, object, exit_code);
    }
    json_decref(objects);
}

/* The bytes of the image, for comparison. */
static char *read_image(const struct golden *golden, size_t *size)
{
    static const size_t room = 1 << 20;
    char *bytes = malloc(room);
    char path[1024];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s.bin", golden->folder, golden->name);
    file = fopen(path, "rb");
    if (bytes == NULL || file == NULL) {
        printf("%s: %s\n", path, strerror(errno));
        exit(1);
    }
    *size = fread(bytes, 1, room, file);
    fclose(file);
    return bytes;
}

/* Everything that only reads, and that it does. */
static void check_image(struct golden *golden)
{
    size_t size_before;
    size_t size_after;
    char *before = read_image(golden, &size_before);
    char *after;

    check_dump(golden, "dump", "mount");
    check_dump(golden, "dump --no-repair", "mount_no_repair");
    check_check(golden);
    after = read_image(golden, &size_after);
    if (size_before != size_after || memcmp(before, after, size_after) != 0) {
        fail(golden, "the image", "changed", "the same after reading");
    }
    free(before);
    free(after);
}

int main(int argc, char **argv)
{
    struct golden golden = {0};

    if (argc != 4) {
        fprintf(stderr, "golden_check NORKV|--flags FOLDER NAME\n");
        return 2;
    }
    golden.norkv = argv[1];
    golden.folder = argv[2];
    golden.name = argv[3];
    load(&golden);
    if (strcmp(golden.norkv, "--flags") == 0) {
        puts(golden.flags);
    } else {
        check_image(&golden);
    }
    json_decref(golden.description);
    return golden.failures > 0 ? 1 : 0;
}
