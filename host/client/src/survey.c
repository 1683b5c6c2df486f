/* Sectors and checks: streams that go sector by sector. */
#include "download.h"

/* ---- Sectors ---------------------------------------------------------- */

struct listing {
    struct nkv_client_sectors *sectors;
    /* The sector that comes next. */
    uint32_t next;
};

static enum nkv_client_sector_state sector_state(Norkv__V1__SectorState state)
{
    switch (state) {
    case NORKV__V1__SECTOR_STATE__SECTOR_ERASED:
        return NKV_CLIENT_SECTOR_ERASED;
    case NORKV__V1__SECTOR_STATE__SECTOR_OPEN:
        return NKV_CLIENT_SECTOR_OPEN;
    case NORKV__V1__SECTOR_STATE__SECTOR_FULL:
        return NKV_CLIENT_SECTOR_FULL;
    case NORKV__V1__SECTOR_STATE__SECTOR_RETIRED:
        return NKV_CLIENT_SECTOR_RETIRED;
    default:
        return NKV_CLIENT_SECTOR_DAMAGED;
    }
}

/* False: that is the end of the call. */
static bool take_sector(struct nkv_download *download,
                        const Norkv__V1__SectorInfo *from)
{
    struct listing *listing = download->context;
    struct nkv_client_sectors *sectors = listing->sectors;
    const struct nkv_client_sector sector = {
        .number = from->number,
        .state = sector_state(from->state),
        .used_bytes = from->used_bytes,
        .live_bytes = from->live_bytes,
        .erases = from->erases,
        .age = from->age,
    };
    if (from->number != listing->next || listing->next >= sectors->sector_count)
        download->end = NKV_DOWNLOAD_BROKEN;
    else if (!sectors->sector(sectors->context, &sector))
        download->end = NKV_DOWNLOAD_STOPPED;
    else
        listing->next++;
    return download->end == NKV_DOWNLOAD_RUNNING;
}

static void take_sectors(struct nkv_download *download,
                         const ProtobufCMessage *chunk)
{
    const Norkv__V1__SectorsResponse *message = (const void *)chunk;
    struct listing *listing = download->context;
    /* The number of sectors is that of the flash: it stays. */
    if (listing->next == 0) {
        listing->sectors->sector_size = message->sector_size;
        listing->sectors->sector_count = message->sector_count;
    }
    for (size_t i = 0; i < message->n_sectors; i++) {
        if (!take_sector(download, message->sectors[i]))
            return;
    }
    nkv_download_took(download);
    if (message->done && listing->next == listing->sectors->sector_count)
        download->end = NKV_DOWNLOAD_COMPLETE;
    else if (message->done)
        download->end = NKV_DOWNLOAD_BROKEN;
}

static uint8_t *sectors_request(struct nkv_download *download, size_t *size)
{
    const struct listing *listing = download->context;
    Norkv__V1__SectorsRequest request = NORKV__V1__SECTORS_REQUEST__INIT;
    request.store = download->client->store;
    request.first = listing->next;
    return nkv_message_pack(&request.base, size);
}

/* ---- Check ------------------------------------------------------------ */

struct checking {
    struct nkv_client_check *check;
    /* All before this sector is done. */
    uint32_t next;
    /* Findings before this offset were told. */
    uint64_t offset;
    /* Entries in the sectors that the call does not look at. */
    uint32_t entries_before;
};

static enum nkv_client_finding_kind finding_kind(Norkv__V1__FindingKind kind)
{
    switch (kind) {
    case NORKV__V1__FINDING_KIND__FINDING_TORN:
        return NKV_CLIENT_FINDING_TORN;
    case NORKV__V1__FINDING_KIND__FINDING_STALE_ERASE:
        return NKV_CLIENT_FINDING_STALE_ERASE;
    case NORKV__V1__FINDING_KIND__FINDING_FOREIGN:
        return NKV_CLIENT_FINDING_FOREIGN;
    case NORKV__V1__FINDING_KIND__FINDING_MISSING_COPY:
        return NKV_CLIENT_FINDING_MISSING_COPY;
    default:
        return NKV_CLIENT_FINDING_CORRUPT;
    }
}

/* Tells a finding, unless it was told in an earlier call. */
static void take_finding(struct nkv_download *download,
                         const Norkv__V1__Finding *from)
{
    struct checking *checking = download->context;
    struct nkv_client_check *check = checking->check;
    const struct nkv_client_finding finding = {
        .kind = finding_kind(from->kind),
        .sector = from->sector,
        .offset = from->offset,
        .size = from->size,
        .key = nkv_message_span(from->key),
        .intact_elsewhere = from->intact_elsewhere != 0,
    };
    if (from->offset < checking->offset)
        return;
    checking->offset = (uint64_t)from->offset + 1;
    check->findings++;
    if (!check->finding(check->context, &finding))
        download->end = NKV_DOWNLOAD_STOPPED;
}

static bool is_check_sound(const struct checking *checking,
                           const Norkv__V1__CheckResponse *message)
{
    return message->sectors_checked >= checking->next &&
           message->sectors_checked <= message->sector_count &&
           (!message->done ||
            message->sectors_checked == message->sector_count) &&
           (message->finding == NULL ||
            message->finding->key.len <= NKV_CLIENT_KEY_SIZE_MAX);
}

static void take_check(struct nkv_download *download,
                       const ProtobufCMessage *chunk)
{
    const Norkv__V1__CheckResponse *message = (const void *)chunk;
    struct checking *checking = download->context;
    struct nkv_client_check *check = checking->check;
    if (!is_check_sound(checking, message)) {
        download->end = NKV_DOWNLOAD_BROKEN;
        return;
    }
    checking->next = message->sectors_checked;
    check->sector_count = message->sector_count;
    check->entries = checking->entries_before + message->entries;
    if (message->finding != NULL)
        take_finding(download, message->finding);
    if (download->end != NKV_DOWNLOAD_RUNNING)
        return;
    nkv_download_took(download);
    if (check->progress != NULL)
        check->progress(check->context, checking->next, check->sector_count);
    if (message->done)
        download->end = NKV_DOWNLOAD_COMPLETE;
}

static uint8_t *check_request(struct nkv_download *download, size_t *size)
{
    struct checking *checking = download->context;
    Norkv__V1__CheckRequest request = NORKV__V1__CHECK_REQUEST__INIT;
    checking->entries_before = checking->check->entries;
    request.store = download->client->store;
    request.first = checking->next;
    return nkv_message_pack(&request.base, size);
}

/* ---- Calls ------------------------------------------------------------ */

static enum nkv_status run(struct nkv_client *client,
                           const struct nkv_call_options *call,
                           const char *name,
                           const struct nkv_download_kind *kind, void *context)
{
    struct nkv_download download = {
        .client = client,
        .kind = kind,
        .context = context,
    };
    enum nkv_status status = nkv_host_begin(client, call, name, NULL);
    if (status == NKV_OK)
        status = nkv_host_need_session(client, false);
    if (status == NKV_OK)
        status = nkv_download_run(&download);
    return nkv_host_end(client, status);
}

enum nkv_status nkv_client_sectors(struct nkv_client *client,
                                   const struct nkv_call_options *call,
                                   struct nkv_client_sectors *sectors)
{
    static const struct nkv_download_kind kind = {
        .method = NKV_METHOD_SECTORS,
        .request = sectors_request,
        .chunk = take_sectors,
    };
    struct listing listing = {.sectors = sectors};
    sectors->sector_size = 0;
    sectors->sector_count = 0;
    return run(client, call, "sectors", &kind, &listing);
}

enum nkv_status nkv_client_check(struct nkv_client *client,
                                 const struct nkv_call_options *call,
                                 struct nkv_client_check *check)
{
    static const struct nkv_download_kind kind = {
        .method = NKV_METHOD_CHECK,
        .request = check_request,
        .chunk = take_check,
    };
    struct checking checking = {.check = check};
    check->sector_count = 0;
    check->entries = 0;
    check->findings = 0;
    return run(client, call, "check", &kind, &checking);
}
