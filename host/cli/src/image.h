/*
 * A flash file as a store: a copy of it in memory, which is written back only
 * when a command says so.
 */
#ifndef NORKV_CLI_IMAGE_H
#define NORKV_CLI_IMAGE_H

#include "files.h"
#include "options.h"
#include "ram_flash.h"
#include "report.h"

#include <norkv/store.h>

struct nkv_image {
    const char *path;
    /* What the store works on. */
    struct nkv_blob bytes;
    /* What the file holds; empty when there is no file yet. */
    struct nkv_blob original;
    struct nkv_geometry geometry;
    struct nkv_ram_flash ram;
    struct nkv_flash flash;
    struct nkv_config config;
    struct nkv_store store;
    /* What mounting said. */
    enum nkv_status mounted;
    /* Keeps others from the file while a command writes; -1: not locked. */
    int lock;
};

/*
 * Reads a flash file and sets the store up, with the geometry of the options,
 * the number of sectors from the file's size, and an index for all the keys
 * that fit into it. Not mounted yet.
 *
 * image must stay where it is. NKV_EXIT_DONE: free it.
 */
enum nkv_exit nkv_image_load(const struct nkv_options *options,
                             const char *path, struct nkv_image *image);

/* Sets up a store on erased flash for a file that is to be. */
enum nkv_exit nkv_image_create(const struct nkv_options *options,
                               const char *path, struct nkv_image *image);

/* Mounts, or mounts again; with --no-repair, as the flash is. */
void nkv_image_mount(const struct nkv_options *options,
                     struct nkv_image *image);

/* nkv_image_load and nkv_image_mount. The caller looks at mounted. */
enum nkv_exit nkv_image_open(const struct nkv_options *options,
                             const char *path, struct nkv_image *image);

/* As nkv_image_open, for a command that writes: first locks the file against
 * simulators and other such commands. */
enum nkv_exit nkv_image_open_to_write(const struct nkv_options *options,
                                      const char *path,
                                      struct nkv_image *image);

/* Reports that the image is not in order, if mounting said so; what could be
 * read was shown by then. */
enum nkv_exit nkv_image_judge(const struct nkv_image *image);

/* Reports a status that the engine gave for a key, which may be empty. */
enum nkv_exit nkv_image_fail(const struct nkv_image *image, struct nkv_span key,
                             enum nkv_status status);

/* Replaces the file by what is in memory, if that is another. */
enum nkv_exit nkv_image_save(struct nkv_image *image);

/*
 * Reads a whole value, allocated: the caller frees it. NKV_INTERNAL: no
 * memory.
 */
NKV_MUST_USE enum nkv_status nkv_image_get(struct nkv_image *image,
                                           struct nkv_span key,
                                           struct nkv_blob *value,
                                           uint32_t *version);

void nkv_image_free(struct nkv_image *image);

#endif
