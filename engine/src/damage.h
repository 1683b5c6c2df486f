/* Telling what is a neighbour of a damaged entry from what is a part of it. */
#ifndef NKV_DAMAGE_H
#define NKV_DAMAGE_H

#include "entry.h"

/*
 * Whether the damaged entry at `damaged`, whose header is sound, may end at
 * address, where an intact entry begins within its extent: its checksum passes
 * once one of its three lengths is taken to be what makes it end there, or it
 * has none. If not, what begins there is a part of its value.
 */
enum nkv_status nkv_damage_ends_at(struct nkv_store *store, uint32_t damaged,
                                   uint32_t address, bool *ends);

#endif
