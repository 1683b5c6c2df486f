/* norkv stats: what the store holds and what happened to it. */
#include "command.h"
#include "device.h"
#include "output.h"
#include "show_fault.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* A number of struct nkv_client_statistics; the label is that of the lines for
 * people, a group begins where heading is not NULL. */
struct number {
    const char *heading;
    const char *name;
    const char *label;
    size_t offset;
};

#define NUMBER(heading, member, label)                                         \
    {                                                                          \
        heading, #member, label,                                               \
            offsetof(struct nkv_client_statistics, member)                     \
    }

static const struct number numbers[] = {
    NUMBER("store", keys, "keys"),
    NUMBER(NULL, max_keys, "keys at most"),
    NUMBER(NULL, tombstones, "tombstones"),
    NUMBER(NULL, max_tombstones, "tombstones at most"),
    NUMBER(NULL, transaction_count, "newest transaction id"),
    NUMBER(NULL, live_bytes, "live bytes"),
    NUMBER(NULL, stale_bytes, "stale bytes"),
    NUMBER(NULL, free_bytes, "free bytes"),
    NUMBER(NULL, sector_size, "bytes a sector"),
    NUMBER(NULL, sector_count, "sectors"),
    NUMBER(NULL, erased_sectors, "erased sectors"),
    NUMBER(NULL, damaged_sectors, "damaged sectors"),
    NUMBER(NULL, missing_copies, "missing copies"),
    NUMBER(NULL, copies, "copies of each entry"),
    NUMBER(NULL, program_unit, "program unit, bytes"),
    NUMBER(NULL, reserved_bytes, "bytes kept for collection"),
    NUMBER(NULL, retired_sectors, "retired sectors"),
    NUMBER(NULL, retired_bytes, "bytes in retired sectors"),
    NUMBER(NULL, value_room, "largest new value"),
    NUMBER(NULL, pending_steps, "steps left to do"),
    NUMBER("since it was mounted", erases, "erases"),
    NUMBER(NULL, bytes_programmed, "bytes programmed"),
    NUMBER(NULL, collections, "collections"),
    NUMBER(NULL, entries_relocated, "entries relocated"),
    NUMBER(NULL, steps, "steps done"),
    NUMBER(NULL, longest_write_steps, "most steps of a write"),
    NUMBER(NULL, corrupt_entries, "corrupt entries found"),
    NUMBER(NULL, entries_recovered, "entries recovered"),
    NUMBER(NULL, entries_lost, "entries lost"),
    NUMBER(NULL, entries_healed, "entries healed"),
    NUMBER(NULL, read_errors, "read errors"),
    NUMBER(NULL, program_errors, "program errors"),
    NUMBER(NULL, erase_errors, "erase errors"),
    NUMBER("line, since the device started", frames_received,
           "frames received"),
    NUMBER(NULL, bad_frames, "bad frames"),
    NUMBER(NULL, oversize_frames, "frames too large"),
    NUMBER(NULL, bad_packets, "bad packets"),
    NUMBER(NULL, frames_sent, "frames sent"),
    NUMBER(NULL, replays, "answers given again"),
    NUMBER(NULL, overruns, "receive overruns"),
    NUMBER(NULL, stray_frames, "frames to nobody"),
    NUMBER(NULL, calls_refused, "calls refused as busy"),
    NUMBER(NULL, calls_cancelled, "calls given up"),
    NUMBER(NULL, uptime_ms, "up for, ms"),
};

static uint32_t number_of(const struct nkv_client_statistics *statistics,
                          const struct number *number)
{
    uint32_t value;

    memcpy(&value, (const uint8_t *)statistics + number->offset, sizeof value);
    return value;
}

/* A store that is full has no largest value that fits. */
static bool is_absent(const struct nkv_client_statistics *statistics,
                      const struct number *number)
{
    return !statistics->has_room &&
           number->offset == offsetof(struct nkv_client_statistics, value_room);
}

static enum nkv_exit print_json(const struct nkv_client_statistics *statistics)
{
    json_t *object = json_object();

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (is_absent(statistics, &numbers[i])) {
            json_object_set_new(object, numbers[i].name, json_null());
            continue;
        }
        nkv_json_set_integer(object, numbers[i].name,
                             number_of(statistics, &numbers[i]));
    }
    nkv_json_set_text(object, "mount_status",
                      nkv_status_name(statistics->mount_status));
    nkv_json_set_fault(object, statistics->fault, statistics->fault_detail);
    return nkv_print_json(object);
}

static void print_lines(const struct nkv_client_statistics *statistics)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (numbers[i].heading != NULL) {
            printf("%s\n", numbers[i].heading);
        }
        if (is_absent(statistics, &numbers[i])) {
            printf("  %-26s%10s\n", numbers[i].label, "none");
            continue;
        }
        printf("  %-26s%10" PRIu32 "\n", numbers[i].label,
               number_of(statistics, &numbers[i]));
    }
    printf("mounted with %s\n", nkv_status_name(statistics->mount_status));
    if (statistics->fault != NKV_FAULT_NONE) {
        char text[NKV_FAULT_TEXT_SIZE];

        nkv_client_explain_fault(statistics->fault, statistics->fault_detail,
                                 text);
        printf("fault: %s\n", text);
    }
}

enum nkv_exit nkv_run_stats(const struct nkv_options *options, int count,
                            char **operands)
{
    struct nkv_call_options call = nkv_call_of(options, NKV_TIMEOUT_SHORT);
    struct nkv_client_statistics statistics;
    struct nkv_client *client;
    enum nkv_exit code = nkv_connect(options, NKV_TIMEOUT_SHORT, &client);
    enum nkv_status status;

    (void)count;
    (void)operands;
    if (code != NKV_EXIT_DONE) {
        return code;
    }
    status = nkv_client_statistics(client, &call, &statistics);
    if (status != NKV_OK) {
        code = nkv_fail_call(client, status);
    } else if (nkv_given(options, NKV_OPTION_JSON)) {
        code = print_json(&statistics);
    } else {
        print_lines(&statistics);
    }
    nkv_client_free(&client);
    return code;
}
