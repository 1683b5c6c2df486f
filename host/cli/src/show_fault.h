/* What keeps a store from being used, as commands show it. */
#ifndef NORKV_CLI_SHOW_FAULT_H
#define NORKV_CLI_SHOW_FAULT_H

#include <jansson.h>
#include <norkv/client.h>

/* Adds "fault", the name or NONE; where there is one also its "fault_detail"
 * and "fault_text". */
void nkv_json_set_fault(json_t *object, enum nkv_fault fault, uint32_t detail);

#endif
