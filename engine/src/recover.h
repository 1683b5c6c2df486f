/* What mount repairs at once, because writes cannot begin without it. */
#ifndef NKV_RECOVER_H
#define NKV_RECOVER_H

#include "core.h"

/* Erases sectors that hold nothing that counts, so that at most one such is
 * ever left by a cut. One that cannot be erased is retired. */
void nkv_recover_dirty(struct nkv_store *store);

/*
 * Sees to it that a sector is erased: a collection that was cut short has left
 * one whose current entries all lie elsewhere too. Finds it, makes the index
 * refer to the others, and erases it. Does nothing when one is erased already,
 * or when there is no such sector (the store is then full).
 */
enum nkv_status nkv_recover_erased_sector(struct nkv_store *store);

#endif
