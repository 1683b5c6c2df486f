/* What a device says of an upload: how far it is, and what it has room for. */
#include "restore.h"

#include "internal.h"
#include <norkv/crc32.h>
#include <norkv/record.h>
#include <string.h>

enum {
    CAUTION_MAX = 5,
    /* A second loss within so many windows is no accident; after so many
     * without one, more of the window is tried. */
    CLOSE_WINDOWS = 4,
    CALM_WINDOWS = 16
};

void nkv_restore_note_loss(struct nkv_restoring *restoring)
{
    if (restoring->calm < (uint64_t)CLOSE_WINDOWS * restoring->window &&
        restoring->caution < CAUTION_MAX)
        restoring->caution++;
    restoring->calm = 0;
}

static void grow_calm(struct nkv_restoring *restoring, size_t content)
{
    restoring->calm += content;
    if (restoring->caution == 0 ||
        restoring->calm < (uint64_t)CALM_WINDOWS * restoring->window)
        return;
    restoring->caution--;
    restoring->calm = (uint64_t)CLOSE_WINDOWS * restoring->window;
}

/* Takes chunks that are done off those in flight. */
static void land_flights(struct nkv_restoring *restoring)
{
    size_t count = 0;
    while (count < restoring->flight_count &&
           restoring->offset - restoring->flights[count].end <=
               UINT32_MAX / 2) {
        size_t content = restoring->flights[count++].content;
        restoring->client->window.chunks -= content;
        grow_calm(restoring, content);
    }
    restoring->flight_count -= count;
    memmove(restoring->flights, restoring->flights + count,
            restoring->flight_count * sizeof(restoring->flights[0]));
}

static size_t less(size_t from, size_t size)
{
    return from > size ? from - size : 0;
}

static void drop_front(struct nkv_restoring *restoring, size_t size)
{
    restoring->offset += (uint32_t)size;
    restoring->size -= size;
    if (size > 0)
        memmove(restoring->bytes, restoring->bytes + size, restoring->size);
    restoring->sent = less(restoring->sent, size);
    restoring->ever_sent = less(restoring->ever_sent, size);
}

/* Counts the queue's first size bytes as done. False: they are no whole
 * records. */
static bool count_done(struct nkv_restoring *restoring, size_t size)
{
    struct nkv_span records = {restoring->bytes, size};
    struct nkv_record record;
    uint32_t count = 0;
    uint64_t bytes = 0;
    enum nkv_status status;
    while ((status = nkv_record_next(&records, &record)) == NKV_OK) {
        count++;
        bytes += record.key.size + record.value.size;
    }
    if (status != NKV_NOT_FOUND)
        return false;
    restoring->restore->records += count;
    restoring->restore->bytes += bytes;
    return true;
}

void nkv_restore_take_all(struct nkv_restoring *restoring)
{
    /* What was put into the queue is whole records. */
    (void)count_done(restoring, restoring->size);
    drop_front(restoring, restoring->size);
}

/* The device has done the queue's first size bytes; what it says of them must
 * fit them. */
static void advance(struct nkv_restoring *restoring,
                    const Norkv__V1__RestoreResponse *credit, size_t size)
{
    uint32_t crc32 = nkv_crc32(restoring->crc32, restoring->bytes, size);
    if (credit->crc32 != crc32) {
        restoring->nonsense = "what arrived at the device is not what was sent "
                              "(the CRC-32 differs)";
    } else if (!count_done(restoring, size)) {
        restoring->nonsense = "the device acknowledges half a record";
    } else {
        restoring->crc32 = crc32;
        restoring->silent = 0;
        restoring->idle_credits = 0;
        drop_front(restoring, size);
        land_flights(restoring);
    }
}

static void take_figures(struct nkv_restoring *restoring,
                         const Norkv__V1__RestoreResponse *credit)
{
    struct nkv_client_restore *restore = restoring->restore;
    uint32_t written = restoring->written_before + credit->written;
    restoring->has_credit = true;
    restoring->window = credit->window;
    if (written > restore->written && written <= restore->records)
        restore->written = written;
    restoring->is_back_wanted |= credit->retransmit != 0;
    if (credit->reason != NORKV__V1__REASON__REASON_NONE) {
        restoring->is_failed = true;
        restoring->reason = (enum nkv_reason)credit->reason;
    }
}

static void judge(struct nkv_restoring *restoring,
                  const Norkv__V1__RestoreResponse *credit)
{
    uint32_t size = credit->next_offset - restoring->offset;
    restoring->credits++;
    restoring->idle_credits++;
    /* One that a predecessor's call with this id was waiting for. */
    if (!restoring->is_begun && credit->next_offset != 0)
        return;
    /* One that is late, or the call has begun anew. */
    if (size > UINT32_MAX / 2)
        return;
    if (size > restoring->ever_sent) {
        restoring->nonsense = "the device acknowledges what was not sent";
        return;
    }
    if (credit->window == 0)
        restoring->nonsense = "the device has room for nothing";
    else if (size > 0)
        advance(restoring, credit, size);
    if (restoring->nonsense != NULL)
        return;
    take_figures(restoring, credit);
    if (size > 0 && restoring->restore->progress != NULL)
        restoring->restore->progress(restoring->restore->context,
                                     restoring->restore);
}

void nkv_restore_take_credit(void *context, struct nkv_span payload)
{
    struct nkv_restoring *restoring = context;
    Norkv__V1__RestoreResponse *credit =
        norkv__v1__restore_response__unpack(NULL, payload.size, payload.data);
    if (credit == NULL) {
        restoring->nonsense = "the device's answer does not decode";
    } else {
        if (restoring->nonsense == NULL)
            judge(restoring, credit);
        norkv__v1__restore_response__free_unpacked(credit, NULL);
    }
    /* The request is answered: from here on we wait in our own way. */
    if (!restoring->is_begun &&
        (restoring->has_credit || restoring->nonsense != NULL))
        restoring->exchange.stop = true;
}
