/*
 * The whole server: any bytes from the line, any packets, any requests.
 *
 * The input is a list of actions: a tag, whose low bits say what to do and
 * whose high ones are the upper part of a size, the lower part of it, and so
 * many bytes. Frames and packets are made around them, so that inputs need not
 * guess checksums. Whatever comes in, only whole frames with packets that the
 * client can take go out, and a new mount finds what was there.
 */
#include "fuzz.h"

#include <norkv/ids.h>
#include <norkv/server.h>
#include <norkv/services.h>
#include <stdlib.h>
#include <string.h>

enum {
    SECTOR_SIZE = 512,
    SECTORS = 6,
    UNIT = 16,
    MAX_KEYS = 12,
    MAX_FRAME = 640,
    MAX_PACKET = 700,
    POLLS_MAX = 2000
};

struct bench {
    uint8_t flash[SECTOR_SIZE * SECTORS];
    struct nkv_store store;
    struct nkv_server server;
    struct nkv_hdlc_decoder decoder;
    uint8_t decoded[MAX_PACKET + 16];
    /* What the server is going to read. */
    struct nkv_span input;
    uint32_t now_ms;
    uint32_t call_id;
    bool line_is_cut;
};

static struct bench bench;

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static enum nkv_status read_flash(void *context, uint32_t offset, void *to,
                                  size_t size)
{
    (void)context;
    check(offset <= sizeof bench.flash && size <= sizeof bench.flash - offset);
    memcpy(to, bench.flash + offset, size);
    return NKV_OK;
}

static enum nkv_status program_flash(void *context, uint32_t offset,
                                     const void *from, size_t size)
{
    (void)context;
    check(offset % UNIT == 0 && size % UNIT == 0);
    check(offset <= sizeof bench.flash && size <= sizeof bench.flash - offset);
    for (size_t i = 0; i < size; i++) {
        check(bench.flash[offset + i] == 0xFF);
    }
    memcpy(bench.flash + offset, from, size);
    return NKV_OK;
}

static enum nkv_status erase_flash(void *context, uint32_t sector)
{
    (void)context;
    check(sector < SECTORS);
    memset(bench.flash + sector * SECTOR_SIZE, 0xFF, SECTOR_SIZE);
    return NKV_OK;
}

static const struct nkv_flash flash = {
    .sector_size = SECTOR_SIZE,
    .sector_count = SECTORS,
    .program_unit = UNIT,
    .read = read_flash,
    .program = program_flash,
    .erase = erase_flash,
};

static size_t read_line(void *context, uint8_t *to, size_t capacity)
{
    size_t size = bench.input.size < capacity ? bench.input.size : capacity;

    (void)context;
    if (size > 0) {
        memcpy(to, bench.input.data, size);
        bench.input.data += size;
        bench.input.size -= size;
    }
    return size;
}

static void check_packet(struct nkv_span bytes)
{
    struct nkv_packet packet;

    check(bytes.size <= MAX_PACKET);
    check(nkv_packet_decode(bytes, &packet) == NKV_OK);
    check(packet.type == NKV_PACKET_RESPONSE ||
          packet.type == NKV_PACKET_SERVER_STREAM ||
          packet.type == NKV_PACKET_SERVER_ERROR);
    check(packet.type != NKV_PACKET_SERVER_ERROR || packet.status != NKV_OK);
    check(packet.channel_id == 1);
    check(packet.status <= NKV_UNAUTHENTICATED);
}

static enum nkv_status write_line(void *context, const uint8_t *from,
                                  size_t size)
{
    (void)context;
    if (bench.line_is_cut) {
        return NKV_UNAVAILABLE;
    }
    for (size_t i = 0; i < size; i++) {
        struct nkv_hdlc_frame frame;
        enum nkv_status status =
            nkv_hdlc_decode(&bench.decoder, from[i], &frame);

        check(status == NKV_OK || status == NKV_UNAVAILABLE);
        if (status == NKV_OK) {
            check(frame.address == NKV_HDLC_ADDRESS_RPC);
            check_packet(frame.payload);
        }
    }
    return NKV_OK;
}

static uint32_t read_clock(void *context)
{
    (void)context;
    return bench.now_ms++;
}

static void poll_all(void)
{
    for (int i = 0; nkv_server_poll(&bench.server); i++) {
        check(i < POLLS_MAX);
    }
}

static void take_bytes(struct nkv_span bytes)
{
    bench.input = bytes;
    (void)nkv_server_poll(&bench.server);
    poll_all();
}

/* A frame that is put together for the server. */
struct line {
    uint8_t bytes[2 * (4096 + NKV_PACKET_OVERHEAD_MAX) + 64];
    size_t size;
};

static enum nkv_status append(void *context, const uint8_t *data, size_t size)
{
    struct line *line = context;

    check(size <= sizeof line->bytes - line->size);
    memcpy(line->bytes + line->size, data, size);
    line->size += size;
    return NKV_OK;
}

/* Half of the frame comes, then the rest. */
static void take_packet(struct nkv_span packet)
{
    static struct line line;
    const struct nkv_hdlc_sink sink = {.write = append, .context = &line};

    line.size = 0;
    check(nkv_hdlc_encode(&sink, NKV_HDLC_ADDRESS_RPC, packet) == NKV_OK);
    take_bytes((struct nkv_span){line.bytes, line.size / 2});
    take_bytes((struct nkv_span){line.bytes + line.size / 2,
                                 line.size - line.size / 2});
}

struct method {
    uint32_t service;
    uint32_t id;
};

static const struct method methods[] = {
    {NKV_SERVICE_DEVICE, NKV_METHOD_DEVICE_OPEN},
    {NKV_SERVICE_ECHO_SERVICE, NKV_METHOD_ECHO_SERVICE_ECHO},
    {NKV_SERVICE_STORE, NKV_METHOD_STORE_GET},
    {NKV_SERVICE_STORE, NKV_METHOD_STORE_DESCRIBE},
    {NKV_SERVICE_STORE, NKV_METHOD_STORE_PUT},
    {NKV_SERVICE_STORE, NKV_METHOD_STORE_DELETE},
    {NKV_SERVICE_STORE, NKV_METHOD_STORE_SCAN},
    {NKV_SERVICE_MAINTENANCE, NKV_METHOD_MAINTENANCE_STATISTICS},
    {NKV_SERVICE_MAINTENANCE, NKV_METHOD_MAINTENANCE_COLLECT},
    {NKV_SERVICE_MAINTENANCE, NKV_METHOD_MAINTENANCE_ERASE_ALL},
    {NKV_SERVICE_STORE, NKV_METHOD_STORE_BACKUP},
    {NKV_SERVICE_STORE, NKV_METHOD_STORE_DIGEST},
    {NKV_SERVICE_STORE, NKV_METHOD_STORE_RESTORE},
    {NKV_SERVICE_MAINTENANCE, NKV_METHOD_MAINTENANCE_SECTORS},
    {NKV_SERVICE_MAINTENANCE, NKV_METHOD_MAINTENANCE_CHECK},
};

/* The first byte chooses the method, the rest is the payload. */
static void take_request(struct nkv_span bytes)
{
    static uint8_t buffer[4096 + NKV_PACKET_OVERHEAD_MAX];
    const size_t count = sizeof methods / sizeof methods[0];
    struct nkv_packet packet = {.channel_id = 1, .call_id = ++bench.call_id};
    size_t size = 0;

    if (bytes.size == 0) {
        return;
    }
    packet.service_id = methods[bytes.data[0] % count].service;
    packet.method_id = methods[bytes.data[0] % count].id;
    packet.payload = (struct nkv_span){bytes.data + 1, bytes.size - 1};
    check(nkv_packet_encode(&packet, (struct nkv_buffer){buffer, sizeof buffer},
                            &size) == NKV_OK);
    take_packet((struct nkv_span){buffer, size});
}

static void take_time(struct nkv_span bytes)
{
    bench.now_ms += (uint32_t)bytes.size * 16;
    bench.line_is_cut = bytes.size % 2 != 0;
    if (bench.line_is_cut) {
        nkv_server_disconnect(&bench.server);
    } else {
        nkv_hdlc_decoder_init(
            &bench.decoder,
            (struct nkv_buffer){bench.decoded, sizeof bench.decoded});
    }
    poll_all();
}

static void act(unsigned kind, struct nkv_span bytes)
{
    switch (kind) {
    case 0:
        take_bytes(bytes);
        break;
    case 1:
        take_packet(bytes);
        break;
    case 2:
        take_request(bytes);
        break;
    default:
        take_time(bytes);
        break;
    }
}

static void run(const uint8_t *data, size_t size)
{
    while (size >= 2) {
        struct nkv_span bytes = {data + 2,
                                 (size_t)data[0] >> 4 << 8 | (size_t)data[1]};
        unsigned kind = data[0] % 4;

        if (bytes.size > size - 2) {
            bytes.size = size - 2;
        }
        data += 2 + bytes.size;
        size -= 2 + bytes.size;
        act(kind, bytes);
    }
}

NKV_DEFINE_MEMORY(store_memory, MAX_KEYS, 1, SECTORS, 64);
NKV_DEFINE_SERVER_MEMORY(server_memory, MAX_FRAME, MAX_PACKET, 3, 2, 4);

static void check_remount(const struct nkv_config *config)
{
    struct nkv_statistics before;
    struct nkv_statistics after;

    nkv_statistics(&bench.store, &before);
    check(nkv_mount(&bench.store, config) == NKV_OK);
    nkv_statistics(&bench.store, &after);
    check(before.keys == after.keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct nkv_config store_config = {
        .flash = &flash,
        .memory = store_memory,
        .max_keys = MAX_KEYS,
    };
    struct nkv_server_store stores[] = {
        {.name = "fuzz", .store = &bench.store, .config = &store_config},
    };
    const struct nkv_server_config config = {
        .services = &nkv_services_all,
        .product = "bench",
        .unit_id = "U",
        .stores = stores,
        .store_count = 1,
        .stream = {.read = read_line, .write = write_line},
        .now_ms = read_clock,
        .boot_id = 0,
        .memory = server_memory,
    };

    memset(&bench, 0, sizeof bench);
    memset(bench.flash, 0xFF, sizeof bench.flash);
    nkv_hdlc_decoder_init(&bench.decoder, (struct nkv_buffer){
                                              bench.decoded,
                                              sizeof bench.decoded,
                                          });
    check(nkv_mount(&bench.store, &store_config) == NKV_OK);
    check(nkv_server_init(&bench.server, &config) == NKV_OK);
    run(data, size);
    check_remount(&store_config);
    return 0;
}
