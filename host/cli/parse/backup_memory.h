/* The memory of a backup, for those who fill one in. */
#ifndef NORKV_CLI_BACKUP_MEMORY_H
#define NORKV_CLI_BACKUP_MEMORY_H

#include "backup_file.h"

/* Room of this size that lasts as long as the backup. NULL: no memory. */
uint8_t *nkv_backup_room(struct nkv_backup *backup, size_t size);

/* Adds a record whose key and value last as long as the backup. */
bool nkv_backup_keep(struct nkv_backup *backup, struct nkv_record record);

#endif
