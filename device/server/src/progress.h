/* What operations on a whole store tell of their progress. */
#ifndef NKV_PROGRESS_H
#define NKV_PROGRESS_H

#include "service.h"

/* Tells how far an operation is. False: the line is gone, and the call with
 * it. */
bool nkv_progress(struct nkv_rpc_call *call, uint32_t steps);

/* Ends the call, with the status that its store gave. */
void nkv_progress_end(struct nkv_rpc_call *call, enum nkv_status status,
                      uint32_t steps);

#endif
