/*
 * What every call does first and last: the lock, and whether the store may be
 * used so.
 *
 * Invariant: nothing in the engine calls the interface between the two, so no
 * call locks twice. A maintenance locks for each of its steps.
 */
#ifndef NKV_ACCESS_H
#define NKV_ACCESS_H

#include "core.h"

/* Locks. NKV_FAILED_PRECONDITION: the store has less than this access. */
enum nkv_status nkv_enter(const struct nkv_store *store,
                          enum nkv_access access);

/* Unlocks, and hands the status on. NKV_UNAVAILABLE: the flash could not be
 * read anew in the middle of the call; nothing is known, and nothing programmed
 * or erased any more, until the store is mounted again. */
enum nkv_status nkv_leave(const struct nkv_store *store,
                          enum nkv_status status);

static inline enum nkv_status nkv_check_key(struct nkv_span key)
{
    return key.size == 0 || key.size > NKV_KEY_SIZE_MAX ? NKV_INVALID_ARGUMENT
                                                        : NKV_OK;
}

#endif
