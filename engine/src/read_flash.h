/*
 * Rebuilding everything in RAM from flash.
 *
 * Two passes. The first indexes values; a value on flash is what makes a slot,
 * so the table holds as many keys as it was made for, whatever the number of
 * tombstones on flash. The second lets tombstones supersede values; one whose
 * key has no value left on flash is not needed any more and is passed over,
 * unless it carries the newest id.
 *
 * A cut may leave bits that read differently from time to time, but only where
 * the last program of a sector went: in the last unit that is not erased. So
 * that one, and the erased ones up to the one behind the entries, are read many
 * times, unless the sector is full and what it holds cannot be what was being
 * written; in a damaged sector that one and the next. What is not steady counts
 * as damage.
 */
#ifndef NKV_READ_FLASH_H
#define NKV_READ_FLASH_H

#include "entry.h"

/*
 * Fills in index, sectors, ids and what decides how the store may be used
 * anew. Sectors that are retired stay so, and store->excluded is passed
 * over.
 *
 * Any status but NKV_OK: the flash did not answer.
 */
enum nkv_status nkv_read_flash(struct nkv_store *store);

#endif
