/* norkv image check: what is on a flash file, and what is wrong with it. */
#include "command.h"
#include "damage.h"
#include "image.h"
#include "output.h"

#include <inttypes.h>
#include <norkv/survey.h>
#include <stdio.h>

struct check {
    struct nkv_image image;
    /* What mounting said before repair. */
    enum nkv_status bare;
    struct nkv_statistics statistics;
    uint64_t live;
    uint64_t stale;
    uint64_t corrupt;
    uint64_t free;
    /* Places where something that was intact is gone, or is not ours. */
    size_t losses;
    /* An array of objects. */
    json_t *damage;
};

/* NULL: this is no damage. */
static const char *kind_name(enum nkv_place_kind kind)
{
    switch (kind) {
    case NKV_PLACE_TORN:
        return "torn";
    case NKV_PLACE_CORRUPT:
        return "corrupt";
    case NKV_PLACE_STALE_ERASE:
        return "stale_erase";
    case NKV_PLACE_FOREIGN:
        return "foreign";
    case NKV_PLACE_MISSING_COPY:
        return "missing_copy";
    case NKV_PLACE_LIVE:
    case NKV_PLACE_TOMBSTONE:
    case NKV_PLACE_STALE:
    case NKV_PLACE_FREE:
    default:
        return NULL;
    }
}

/* Which sum a place goes into. */
static uint64_t *sum_of(struct check *check, enum nkv_place_kind kind)
{
    switch (kind) {
    case NKV_PLACE_LIVE:
    case NKV_PLACE_TOMBSTONE:
    case NKV_PLACE_MISSING_COPY:
        return &check->live;
    case NKV_PLACE_STALE:
    case NKV_PLACE_STALE_ERASE:
        return &check->stale;
    case NKV_PLACE_FREE:
        return &check->free;
    case NKV_PLACE_TORN:
    case NKV_PLACE_CORRUPT:
    case NKV_PLACE_FOREIGN:
    default:
        return &check->corrupt;
    }
}

static bool visit(void *context, const struct nkv_place *place)
{
    struct check *check = context;
    const char *kind = kind_name(place->kind);
    json_t *object;

    *sum_of(check, place->kind) += place->size;
    if (kind == NULL) {
        return true;
    }
    if (place->kind == NKV_PLACE_FOREIGN ||
        (place->kind == NKV_PLACE_CORRUPT && !place->intact_elsewhere)) {
        check->losses++;
    }
    object = nkv_damage_object(place->sector, place->offset, kind,
                               (struct nkv_span){place->key, place->key_size});
    return json_array_append_new(check->damage, object) == 0;
}

static enum nkv_exit survey(struct check *check)
{
    struct nkv_image *image = &check->image;
    enum nkv_status status;

    image->config.manual_repair = true;
    image->mounted = nkv_mount(&image->store, &image->config);
    nkv_statistics(&image->store, &check->statistics);
    status = nkv_survey(&image->store, visit, check);
    if (check->live + check->stale + check->corrupt + check->free !=
        image->bytes.size) {
        return nkv_fail(NKV_EXIT_FAILED,
                        "'%s': mounting says %s, the survey %s: it could not "
                        "be looked through; check the geometry flags",
                        image->path, nkv_status_name(image->mounted),
                        nkv_status_name(status));
    }
    return NKV_EXIT_DONE;
}

static void try_repair(struct check *check)
{
    struct nkv_image *image = &check->image;

    check->bare = image->mounted;
    image->config.manual_repair = false;
    image->mounted = nkv_mount(&image->store, &image->config);
}

static enum nkv_exit print_json(const struct check *check)
{
    json_t *object = json_object();

    nkv_json_set_text(object, "status", nkv_status_name(check->bare));
    nkv_json_set_text(object, "repaired_status",
                      nkv_status_name(check->image.mounted));
    nkv_json_set_integer(object, "keys", check->statistics.keys);
    nkv_json_set_integer(object, "tombstones", check->statistics.tombstones);
    nkv_json_set_integer(object, "transaction_count",
                         check->statistics.transaction_count);
    nkv_json_set_integer(object, "live_bytes", (json_int_t)check->live);
    nkv_json_set_integer(object, "stale_bytes", (json_int_t)check->stale);
    nkv_json_set_integer(object, "corrupt_bytes", (json_int_t)check->corrupt);
    nkv_json_set_integer(object, "free_bytes", (json_int_t)check->free);
    json_object_set(object, "damage", check->damage);
    return nkv_print_json(object);
}

static void print_lines(const struct check *check)
{
    const struct nkv_statistics *statistics = &check->statistics;

    printf("bare scan            %s\n", nkv_status_name(check->bare));
    printf("after repair         %s\n", nkv_status_name(check->image.mounted));
    printf("keys                 %" PRIu32 "\n", statistics->keys);
    printf("tombstones           %" PRIu32 "\n", statistics->tombstones);
    printf("newest transaction   %" PRIu32 "\n", statistics->transaction_count);
    printf("live bytes           %" PRIu64 "\n", check->live);
    printf("stale bytes          %" PRIu64 "\n", check->stale);
    printf("corrupt bytes        %" PRIu64 "\n", check->corrupt);
    printf("free bytes           %" PRIu64 "\n", check->free);
    for (size_t i = 0; i < json_array_size(check->damage); i++) {
        nkv_print_damage(json_array_get(check->damage, i));
    }
}

/* Whether all is well. */
static enum nkv_exit judge(const struct check *check)
{
    const struct nkv_image *image = &check->image;

    /* Then it does not know all that is there, or all of it is to go. */
    if (image->mounted == NKV_RESOURCE_EXHAUSTED ||
        nkv_is_erase_cut(&image->store)) {
        return nkv_image_judge(image);
    }
    if (check->losses > 0) {
        return nkv_fail(NKV_EXIT_FAILED,
                        "'%s': %zu places with lost or foreign data: put the "
                        "keys concerned again, or check --format",
                        image->path, check->losses);
    }
    return NKV_EXIT_DONE;
}

static enum nkv_exit report(const struct nkv_options *options,
                            const struct check *check)
{
    enum nkv_exit code = NKV_EXIT_DONE;

    if (nkv_given(options, NKV_OPTION_JSON)) {
        code = print_json(check);
    } else {
        print_lines(check);
    }
    return code == NKV_EXIT_DONE ? judge(check) : code;
}

enum nkv_exit nkv_run_image_check(const struct nkv_options *options, int count,
                                  char **operands)
{
    struct check check = {.damage = json_array()};
    enum nkv_exit code = nkv_image_load(options, operands[0], &check.image);

    (void)count;
    if (code == NKV_EXIT_DONE) {
        code = survey(&check);
        if (code == NKV_EXIT_DONE) {
            try_repair(&check);
            code = report(options, &check);
        }
        nkv_image_free(&check.image);
    }
    json_decref(check.damage);
    return code;
}
