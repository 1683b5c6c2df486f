#include "rig.h"
#include "packet_frame.h"

#include <norkv/services.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    assert_non_null(memory);
    return memory;
}

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value == 0 ? otherwise : value;
}

static void init_store(struct nkv_rig_store *store,
                       const struct nkv_rig_options *options)
{
    uint32_t max_keys = or_default(options->max_keys, NKV_RIG_MAX_KEYS);
    uint32_t sectors = or_default(options->sectors, NKV_RIG_SECTORS);
    uint32_t sector_size =
        or_default(options->sector_size, NKV_RIG_SECTOR_SIZE);
    size_t words = NKV_INDEX_WORDS(max_keys, 1);

    nkv_flash_sim_init(&store->flash, sector_size, sectors, 16);
    store->config = (struct nkv_config){
        .flash = &store->flash.flash,
        .memory =
            {
                .index = allocate(words, sizeof(uint32_t)),
                .index_words = words,
                .sectors = allocate(sectors, sizeof(struct nkv_sector)),
                .sector_capacity = sectors,
                .buffer = allocate(256, 1),
                .buffer_size = 256,
            },
        .max_keys = max_keys,
        .first_id = options->first_id,
    };
}

static size_t read_line(void *context, uint8_t *to, size_t capacity)
{
    struct nkv_rig *rig = context;
    size_t left = rig->input_size - rig->input_taken;
    size_t size = left < capacity ? left : capacity;

    memcpy(to, rig->input + rig->input_taken, size);
    rig->input_taken += size;
    return size;
}

static enum nkv_status write_line(void *context, const uint8_t *from,
                                  size_t size)
{
    struct nkv_rig *rig = context;

    if (rig->write_status != NKV_OK) {
        return rig->write_status;
    }
    assert_true(size <= NKV_RIG_LINE - rig->output_size);
    memcpy(rig->output + rig->output_size, from, size);
    rig->output_size += size;
    return NKV_OK;
}

static uint32_t read_clock(void *context)
{
    const struct nkv_rig *rig = context;

    return rig->now_ms;
}

static void init_config(struct nkv_rig *rig)
{
    const struct nkv_rig_options *options = &rig->options;
    size_t max_frame =
        options->max_frame == 0 ? NKV_RIG_FRAME : options->max_frame;
    size_t max_packet =
        options->max_packet == 0 ? NKV_RIG_PACKET : options->max_packet;

    rig->receive = allocate(max_frame, 1);
    rig->transmit = allocate(max_packet, 1);
    rig->config = (struct nkv_server_config){
        .services = &nkv_services_all,
        .product = "bench",
        .unit_id =
            options->unit_id == NULL ? NKV_RIG_UNIT_ID : options->unit_id,
        .firmware = "1.2.3",
        .stores = rig->served,
        .store_count = NKV_RIG_STORES,
        .stream = {.context = rig, .read = read_line, .write = write_line},
        .now_ms = read_clock,
        .clock_context = rig,
        .boot_id = 0x1000,
        .stall_max_ms = options->stall_max_ms,
        .memory =
            {
                .receive = {rig->receive, max_frame},
                .transmit = {rig->transmit, max_packet},
                .calls = rig->calls,
                .work = rig->work,
                .call_count = NKV_RIG_SLOTS,
                .clients = rig->clients,
                .client_count = options->clients == 0 ? 2 : options->clients,
                .answers = rig->answers,
                .answers_per_client = NKV_RIG_ANSWERS,
            },
    };
}

static void mount_all(struct nkv_rig *rig)
{
    static const char *const names[NKV_RIG_STORES] = {"settings", "identity"};

    for (size_t i = 0; i < NKV_RIG_STORES; i++) {
        struct nkv_rig_store *store = &rig->stores[i];

        rig->served[i] = (struct nkv_server_store){
            .name = names[i],
            .store = &store->store,
            .config = &store->config,
            .mount_status = nkv_mount(&store->store, &store->config),
        };
    }
}

void nkv_rig_init(struct nkv_rig *rig, const struct nkv_rig_options *options)
{
    memset(rig, 0, sizeof *rig);
    if (options != NULL) {
        rig->options = *options;
    }
    rig->input = allocate(NKV_RIG_LINE, 1);
    rig->output = allocate(NKV_RIG_LINE, 1);
    rig->frame_bytes = allocate(NKV_RIG_LINE, 1);
    rig->frames = allocate(NKV_RIG_FRAMES, sizeof *rig->frames);
    rig->now_ms = 5000;
    for (size_t i = 0; i < NKV_RIG_STORES; i++) {
        init_store(&rig->stores[i], &rig->options);
    }
    init_config(rig);
    mount_all(rig);
    assert_int_equal(nkv_server_init(&rig->server, &rig->config), NKV_OK);
}

int nkv_rig_set_up(void **state)
{
    static struct nkv_rig rig;

    nkv_rig_init(&rig, NULL);
    *state = &rig;
    return 0;
}

int nkv_rig_tear_down(void **state)
{
    nkv_rig_free(*state);
    return 0;
}

void nkv_rig_restart(struct nkv_rig *rig)
{
    rig->config.boot_id++;
    rig->input_size = 0;
    rig->input_taken = 0;
    rig->output_size = 0;
    mount_all(rig);
    assert_int_equal(nkv_server_init(&rig->server, &rig->config), NKV_OK);
}

void nkv_rig_free(struct nkv_rig *rig)
{
    for (size_t i = 0; i < NKV_RIG_STORES; i++) {
        assert_int_equal(rig->stores[i].flash.violations, 0);
        free(rig->stores[i].config.memory.index);
        free(rig->stores[i].config.memory.sectors);
        free(rig->stores[i].config.memory.buffer);
        nkv_flash_sim_free(&rig->stores[i].flash);
    }
    free(rig->receive);
    free(rig->transmit);
    free(rig->input);
    free(rig->output);
    free(rig->frame_bytes);
    free(rig->frames);
}

void nkv_rig_send_bytes(struct nkv_rig *rig, const void *bytes, size_t size)
{
    if (rig->input_taken == rig->input_size) {
        rig->input_taken = 0;
        rig->input_size = 0;
    }
    assert_true(size <= NKV_RIG_LINE - rig->input_size);
    if (size > 0) {
        memcpy(rig->input + rig->input_size, bytes, size);
    }
    rig->input_size += size;
}

static enum nkv_status put_on_line(void *context, const uint8_t *data,
                                   size_t size)
{
    nkv_rig_send_bytes(context, data, size);
    return NKV_OK;
}

void nkv_rig_send_packet(struct nkv_rig *rig, const struct nkv_packet *packet)
{
    struct nkv_hdlc_sink sink = {.write = put_on_line, .context = rig};

    assert_int_equal(nkv_packet_frame_send(&sink, packet), NKV_OK);
}

uint32_t nkv_rig_request(struct nkv_rig *rig, uint32_t service, uint32_t method,
                         struct nkv_span payload)
{
    struct nkv_packet packet = {
        .type = NKV_PACKET_REQUEST,
        .channel_id = 1,
        .service_id = service,
        .method_id = method,
        .call_id = ++rig->next_call_id,
        .payload = payload,
    };

    nkv_rig_send_packet(rig, &packet);
    return packet.call_id;
}

void nkv_rig_cancel(struct nkv_rig *rig, uint32_t service, uint32_t method,
                    uint32_t call_id)
{
    nkv_rig_send_packet(rig, &(struct nkv_packet){
                                 .type = NKV_PACKET_CLIENT_ERROR,
                                 .channel_id = 1,
                                 .service_id = service,
                                 .method_id = method,
                                 .call_id = call_id,
                                 .status = NKV_CANCELLED,
                             });
}

static void keep_frame(struct nkv_rig *rig, const struct nkv_hdlc_frame *frame,
                       size_t *used)
{
    struct nkv_rig_frame *kept = &rig->frames[rig->frame_count];

    assert_true(rig->frame_count < NKV_RIG_FRAMES);
    kept->address = frame->address;
    kept->payload =
        (struct nkv_span){rig->frame_bytes + *used, frame->payload.size};
    memcpy(rig->frame_bytes + *used, frame->payload.data, frame->payload.size);
    *used += frame->payload.size;
    rig->frame_count++;
}

/* Everything that the server sends must be whole frames. */
static void find_frames(struct nkv_rig *rig)
{
    size_t capacity = NKV_SERVER_PACKET_MAX + 16;
    uint8_t *buffer = allocate(capacity, 1);
    struct nkv_hdlc_decoder decoder;
    size_t used = 0;

    rig->frame_count = 0;
    nkv_hdlc_decoder_init(&decoder, (struct nkv_buffer){buffer, capacity});
    for (size_t i = 0; i < rig->output_size; i++) {
        struct nkv_hdlc_frame frame;
        enum nkv_status status =
            nkv_hdlc_decode(&decoder, rig->output[i], &frame);

        assert_true(status == NKV_OK || status == NKV_UNAVAILABLE);
        if (status == NKV_OK) {
            keep_frame(rig, &frame, &used);
        }
    }
    rig->output_size = 0;
    free(buffer);
}

bool nkv_rig_poll(struct nkv_rig *rig)
{
    bool more = nkv_server_poll(&rig->server);

    find_frames(rig);
    return more;
}

void nkv_rig_run(struct nkv_rig *rig)
{
    int polls = 0;

    while (nkv_server_poll(&rig->server)) {
        polls++;
        assert_true(polls < 100000);
    }
    find_frames(rig);
}

struct nkv_packet nkv_rig_packet(const struct nkv_rig *rig, size_t i)
{
    struct nkv_packet packet = {0};

    assert_true(i < rig->frame_count);
    assert_int_equal(rig->frames[i].address, NKV_HDLC_ADDRESS_RPC);
    assert_int_equal(nkv_packet_decode(rig->frames[i].payload, &packet),
                     NKV_OK);
    return packet;
}

struct nkv_packet nkv_rig_call(struct nkv_rig *rig, uint32_t service,
                               uint32_t method, struct nkv_span payload)
{
    uint32_t call_id = nkv_rig_request(rig, service, method, payload);
    struct nkv_packet reply;

    nkv_rig_run(rig);
    assert_int_equal(rig->frame_count, 1);
    reply = nkv_rig_packet(rig, 0);
    assert_int_equal(reply.type, NKV_PACKET_RESPONSE);
    assert_int_equal(reply.channel_id, 1);
    assert_int_equal(reply.service_id, service);
    assert_int_equal(reply.method_id, method);
    assert_int_equal(reply.call_id, call_id);
    return reply;
}
