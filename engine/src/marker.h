/*
 * The erase marker: an entry with a magic of its own that says "this store is
 * being erased". pw_kvs takes it for a corrupt entry. Anything with a newer id
 * says that the erase was finished.
 */
#ifndef NKV_MARKER_H
#define NKV_MARKER_H

#include "entry.h"

/* "nkvE" */
static const uint32_t NKV_MARKER_MAGIC = 0x45766B6Eu;

enum {
    /* The key, a single byte. */
    NKV_MARKER_KEY = 0
};

static inline bool nkv_is_marker(const struct nkv_entry *entry)
{
    return entry->magic == NKV_MARKER_MAGIC;
}

#endif
