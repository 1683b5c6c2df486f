/* Mounting from inside the engine. */
#ifndef NKV_MOUNT_H
#define NKV_MOUNT_H

#include "core.h"

/* nkv_mount, within the lock, with a config that is valid. */
enum nkv_status nkv_mount_unlocked(struct nkv_store *store,
                                   const struct nkv_config *config);

#endif
