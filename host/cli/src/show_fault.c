#include "show_fault.h"

#include "json_set.h"

void nkv_json_set_fault(json_t *object, enum nkv_fault fault, uint32_t detail)
{
    char text[NKV_FAULT_TEXT_SIZE];

    nkv_json_set_text(object, "fault", nkv_fault_name(fault));
    if (fault == NKV_FAULT_NONE) {
        return;
    }
    nkv_client_explain_fault(fault, detail, text);
    nkv_json_set_integer(object, "fault_detail", detail);
    nkv_json_set_text(object, "fault_text", text);
}
