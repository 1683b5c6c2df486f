/* The keys of a flash file. */
#ifndef NORKV_CLI_IMAGE_KEYS_H
#define NORKV_CLI_IMAGE_KEYS_H

#include "image.h"
#include "records.h"

/*
 * Adds the keys that start with prefix to records, sorted. *damaged counts the
 * entries that cannot be read; those whose key is known are in the list with
 * their status. Errors are reported; free records in any case.
 */
enum nkv_exit nkv_image_keys(struct nkv_image *image, struct nkv_span prefix,
                             struct nkv_records *records, size_t *damaged);

/* nkv_image_judge, then reports damaged entries if there are any. */
enum nkv_exit nkv_image_judge_keys(const struct nkv_image *image,
                                   size_t damaged);

#endif
