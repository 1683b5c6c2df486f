/*
 * The real client and the real server, with someone between them who changes
 * valid frames: loses, doubles, cuts and damages them, sends old ones again,
 * and changes what is in them and makes the check right again.
 *
 * The input says which calls are made, and what becomes of each frame, in the
 * order in which they come; behind its end all frames pass. Whatever happens,
 * every call ends in time, the flash is used rightly, and in the end a new
 * client puts and gets.
 */
#include "fuzz.h"

#include "real_device.h"
#include <norkv/hdlc.h>
#include <stdlib.h>
#include <string.h>

enum {
    CALLS_MAX = 60,
    DEADLINE_MS = 2000,
    /* A turn of the device beyond a deadline. */
    SLACK_MS = 100,
    FRAME_MAX = 2 * (NKV_DEVICE_PACKET_MAX + 64),
    PLAIN = 150
};

/* One direction: what was sent last. */
struct direction {
    uint8_t frame[FRAME_MAX];
    size_t size;
    uint8_t old[FRAME_MAX];
    size_t old_size;
};

struct session {
    struct nkv_bench bench;
    struct nkv_real_device device;
    struct nkv_client *client;
    struct nkv_span input;
    struct direction directions[2];
};

static struct session session;

static void check(bool holds)
{
    if (!holds)
        abort();
}

static uint32_t next(void)
{
    if (session.input.size == 0)
        return 0;
    session.input.size--;
    return *session.input.data++;
}

/* ---- Between the two -------------------------------------------------- */

static enum nkv_status append(void *context, const uint8_t *data, size_t size)
{
    struct direction *direction = context;
    if (size > sizeof(direction->frame) - direction->size)
        return NKV_RESOURCE_EXHAUSTED;
    memcpy(direction->frame + direction->size, data, size);
    direction->size += size;
    return NKV_OK;
}

/* Changes a byte of the payload, or cuts it, or doubles a piece of it. */
static size_t change(uint8_t *payload, size_t size, size_t capacity)
{
    size_t at = size == 0 ? 0 : (next() << 8 | next()) % size;
    uint32_t how = next();
    if (size == 0)
        return 0;
    if (how < 128)
        payload[at] ^= (uint8_t)(1u << how % 8);
    else if (how < 192)
        payload[at] = (uint8_t)next();
    else if (how < 224)
        size = at;
    else if (size - at <= capacity - size) {
        memcpy(payload + size, payload + at, size - at);
        size += size - at;
    }
    return size;
}

/* What is in the frame becomes something else, and its check is right. */
static void forge(struct direction *direction)
{
    static uint8_t content[FRAME_MAX], payload[FRAME_MAX];
    struct nkv_hdlc_decoder decoder;
    struct nkv_hdlc_frame frame;
    nkv_hdlc_decoder_init(&decoder,
                          (struct nkv_buffer){content, sizeof(content)});
    for (size_t i = 0; i < direction->size; i++) {
        if (nkv_hdlc_decode(&decoder, direction->frame[i], &frame) != NKV_OK)
            continue;
        struct nkv_hdlc_sink sink = {append, direction};
        memcpy(payload, frame.payload.data, frame.payload.size);
        size_t size = change(payload, frame.payload.size, sizeof(payload) / 4);
        direction->size = 0;
        check(nkv_hdlc_encode(&sink, frame.address,
                              (struct nkv_span){payload, size}) == NKV_OK);
        return;
    }
}

static void pass(unsigned end, const uint8_t *bytes, size_t size)
{
    if (size > 0)
        nkv_line_sim_write(&session.bench.line, end,
                           (struct nkv_span){bytes, size});
}

static void keep(struct direction *direction)
{
    memcpy(direction->old, direction->frame, direction->size);
    direction->old_size = direction->size;
}

/* What becomes of a frame. */
static void meddle(unsigned end)
{
    struct direction *direction = &session.directions[end];
    uint32_t how = next();
    if (how < PLAIN) {
        pass(end, direction->frame, direction->size);
    } else if (how < 165) {
        /* It is lost. */
    } else if (how < 180) {
        pass(end, direction->frame, direction->size);
        pass(end, direction->frame, direction->size);
    } else if (how < 190) {
        pass(end, direction->frame, direction->size);
        pass(end, direction->old, direction->old_size);
    } else if (how < 205) {
        direction->frame[(next() << 8 | next()) % direction->size] ^=
            (uint8_t)(1u << next() % 8);
        pass(end, direction->frame, direction->size);
    } else if (how < 215) {
        pass(end, direction->frame, next() % direction->size);
    } else {
        forge(direction);
        pass(end, direction->frame, direction->size);
    }
    if (how % 3 == 0)
        keep(direction);
    direction->size = 0;
}

/* The client writes frames whole. */
static enum nkv_status write_from_client(void *context, struct nkv_span bytes,
                                         uint32_t timeout_ms, size_t *size)
{
    struct direction *direction = &session.directions[NKV_BENCH_CLIENT];
    (void)context;
    (void)timeout_ms;
    check(append(direction, bytes.data, bytes.size) == NKV_OK);
    meddle(NKV_BENCH_CLIENT);
    *size = bytes.size;
    return NKV_OK;
}

/* The server writes pieces; a frame ends with a flag. */
static enum nkv_status write_from_device(void *context, const uint8_t *from,
                                         size_t size)
{
    struct direction *direction = &session.directions[NKV_BENCH_DEVICE];
    (void)context;
    check(append(direction, from, size) == NKV_OK);
    if (from[size - 1] == 0x7e && direction->size > 1)
        meddle(NKV_BENCH_DEVICE);
    return NKV_OK;
}

/* ---- Calls ------------------------------------------------------------ */

static void open_client(uint32_t seed)
{
    struct nkv_client_transport transport = nkv_bench_transport(&session.bench);
    struct nkv_client_options options = {
        .deadline_ms = DEADLINE_MS,
        .seed = seed,
    };
    transport.write = write_from_client;
    check(nkv_client_open_transport(&transport, &options, &session.client) ==
          NKV_OK);
}

static struct nkv_span choose_key(void)
{
    static const uint8_t keys[] = "abcdefgh";
    uint32_t at = next() % 6;
    return (struct nkv_span){keys + at, 1 + next() % 3};
}

static struct nkv_span choose_value(void)
{
    static const uint8_t values[256] = {0x7e, 0x7d, 1, 2, 3};
    return (struct nkv_span){values, next()};
}

static bool pass_record(void *context, const struct nkv_client_record *record)
{
    (void)context;
    return record->key.size <= NKV_CLIENT_KEY_SIZE_MAX;
}

static bool pass_sector(void *context, const struct nkv_client_sector *sector)
{
    (void)context;
    (void)sector;
    return true;
}

static bool pass_finding(void *context,
                         const struct nkv_client_finding *finding)
{
    (void)context;
    (void)finding;
    return true;
}

static enum nkv_status next_record(void *context, struct nkv_span *key,
                                   struct nkv_span *value)
{
    uint32_t *left = context;
    if (*left == 0)
        return NKV_NOT_FOUND;
    --*left;
    *key = choose_key();
    *value = choose_value();
    return NKV_OK;
}

static enum nkv_status apply(const struct nkv_call_options *call)
{
    struct nkv_mutation mutations[12] = {0};
    size_t count = 1 + next() % 12;
    for (size_t i = 0; i < count; i++) {
        mutations[i].kind =
            next() % 4 == 0 ? NKV_MUTATION_DELETE : NKV_MUTATION_PUT;
        mutations[i].key = choose_key();
        mutations[i].value = choose_value();
        mutations[i].conditional = next() % 4 == 0;
        mutations[i].if_version = next() % 8;
    }
    return nkv_client_apply(session.client, call, mutations, count, NULL);
}

static enum nkv_status get(const struct nkv_call_options *call)
{
    struct nkv_client_value value;
    enum nkv_status status =
        nkv_client_get(session.client, call, choose_key(), &value);
    nkv_client_value_clear(&value);
    return status;
}

static enum nkv_status restore(const struct nkv_call_options *call)
{
    uint32_t count = next() % 32;
    struct nkv_client_restore restore = {
        .next = next_record,
        .context = &count,
        .chunk_size = next(),
    };
    return nkv_client_restore(session.client, call, &restore);
}

static enum nkv_status look(const struct nkv_call_options *call)
{
    struct nkv_client *client = session.client;
    struct nkv_client_statistics statistics;
    struct nkv_client_key_info info;
    struct nkv_client_digest digest;
    struct nkv_client_sectors sectors = {.sector = pass_sector};
    struct nkv_client_check check_call = {.finding = pass_finding};
    switch (next() % 6) {
    case 0:
        return nkv_client_statistics(client, call, &statistics);
    case 1:
        return nkv_client_describe(client, call, choose_key(), &info);
    case 2:
        return nkv_client_digest(client, call, (struct nkv_span){NULL, 0},
                                 &digest, NULL);
    case 3:
        return nkv_client_sectors(client, call, &sectors);
    case 4:
        return nkv_client_check(client, call, &check_call);
    default:
        return nkv_client_echo(client, call, "echo", NULL);
    }
}

static enum nkv_status list(const struct nkv_call_options *call)
{
    struct nkv_client_scan scan = {
        .keys_only = next() % 2 != 0,
        .record = pass_record,
    };
    struct nkv_client_backup backup = {.record = pass_record};
    if (next() % 2 == 0)
        return nkv_client_scan(session.client, call, &scan);
    return nkv_client_backup(session.client, call, &backup);
}

static enum nkv_status maintain(const struct nkv_call_options *call)
{
    if (next() % 8 == 0)
        return nkv_client_erase_all(session.client, call, NKV_DEVICE_UNIT_ID,
                                    NULL);
    return nkv_client_collect(session.client, call, next() % 3, NULL);
}

static void make_call(void)
{
    static enum nkv_status (*const calls[])(
        const struct nkv_call_options *call) = {
        apply, apply, apply, get, list, list, restore, restore, look, maintain,
    };
    struct nkv_call_options call = {
        .store = next() % 2,
        .deadline_ms = DEADLINE_MS,
    };
    uint64_t begun = nkv_bench_now_ms(&session.bench);
    uint32_t choice = next() % (sizeof(calls) / sizeof(calls[0]) + 1);
    if (choice == sizeof(calls) / sizeof(calls[0])) {
        nkv_client_free(&session.client);
        open_client(1 + next());
        return;
    }
    /* Any status: it is the input's work. */
    (void)calls[choice](&call);
    check(nkv_bench_now_ms(&session.bench) - begun <= DEADLINE_MS + SLACK_MS);
}

/* Nothing that happened keeps a new client from its work. */
static void check_end(void)
{
    static const uint8_t text[] = "end";
    struct nkv_span span = {text, sizeof(text)};
    struct nkv_client_value value;
    nkv_client_free(&session.client);
    nkv_bench_wait(&session.bench, DEADLINE_MS);
    nkv_real_device_restart(&session.device);
    open_client(12345);
    check(nkv_client_erase_all(session.client, NULL, NKV_DEVICE_UNIT_ID,
                               NULL) == NKV_OK);
    check(nkv_client_put(session.client, NULL, span, span) == NKV_OK);
    check(nkv_client_get(session.client, NULL, span, &value) == NKV_OK);
    check(value.size == span.size && memcmp(value.data, text, value.size) == 0);
    nkv_client_value_clear(&value);
    nkv_client_free(&session.client);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct nkv_device_options options = {
        .sector_size = 512,
        .sector_count = 8,
        .max_keys = 16,
        .packet_size = 600,
        .frame_size = 400,
        .ring_size = 512,
    };
    memset(&session, 0, sizeof(session));
    nkv_bench_init(&session.bench, 1);
    session.bench.line.speed = (struct nkv_line_speed){115200, 1};
    nkv_real_device_init(&session.device, &session.bench, &options);
    session.device.config.stream.write = write_from_device;
    open_client(1);
    session.input = (struct nkv_span){data, size};
    for (unsigned i = 0; i < CALLS_MAX && session.input.size > 0; i++)
        make_call();
    session.input.size = 0;
    check_end();
    nkv_real_device_free(&session.device);
    nkv_bench_free(&session.bench);
    return 0;
}
