#include "real_device.h"

#include "test.h"

#include <norkv/services.h>
#include <stdlib.h>

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

/* ---- Flash that takes its time ---------------------------------------- */

/* The device hears nothing but what its ring takes. */
static void pass_time(struct nkv_real_device *device, uint64_t us)
{
    uint8_t bytes[256];
    struct nkv_buffer room = {bytes, sizeof(bytes)};
    struct nkv_line_sim *line = &device->bench->line;
    line->now_us += us;
    if (us == 0 || !device->options.is_deaf)
        return;
    size_t size;
    while ((size = nkv_line_sim_read(line, NKV_BENCH_DEVICE, room)) > 0) {
        device->unheard += size;
        nkv_server_count_overruns(&device->server, (uint32_t)size);
    }
}

static enum nkv_status timed_read(void *context, uint32_t offset, void *to,
                                  size_t size)
{
    struct nkv_device_part *part = context;
    return part->flash.flash.read(&part->flash, offset, to, size);
}

static enum nkv_status timed_program(void *context, uint32_t offset,
                                     const void *from, size_t size)
{
    struct nkv_device_part *part = context;
    uint32_t unit_us = part->device->options.program_us;
    pass_time(part->device, size / part->timed.program_unit * unit_us);
    return part->flash.flash.program(&part->flash, offset, from, size);
}

static enum nkv_status timed_erase(void *context, uint32_t sector)
{
    struct nkv_device_part *part = context;
    pass_time(part->device, part->device->options.erase_us);
    return part->flash.flash.erase(&part->flash, sector);
}

static void init_part(struct nkv_real_device *device,
                      struct nkv_device_part *part)
{
    const struct nkv_device_options *options = &device->options;
    uint32_t sectors = or_default(options->sector_count, 16);
    uint32_t max_keys = or_default(options->max_keys, 128);
    size_t words = NKV_INDEX_WORDS(max_keys, 1);
    nkv_flash_sim_init(&part->flash, or_default(options->sector_size, 4096),
                       sectors, 16);
    part->device = device;
    part->timed = part->flash.flash;
    part->timed.context = part;
    part->timed.read = timed_read;
    part->timed.program = timed_program;
    part->timed.erase = timed_erase;
    part->config = (struct nkv_config){
        .flash = &part->timed,
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
    };
}

static bool is_power_off(const struct nkv_real_device *device)
{
    for (size_t i = 0; i < NKV_DEVICE_STORES; i++) {
        if (device->parts[i].flash.is_off)
            return true;
    }
    return false;
}

/* ---- The line and the clock ------------------------------------------- */

static size_t read_line(void *context, uint8_t *to, size_t capacity)
{
    struct nkv_real_device *device = context;
    struct nkv_buffer room = {to, capacity};
    if (device->options.ring_size != 0)
        return nkv_receive_ring_read(&device->ring, to, capacity);
    return nkv_line_sim_read(&device->bench->line, NKV_BENCH_DEVICE, room);
}

/* What the interrupt does: it is never late. */
static void fill_ring(struct nkv_real_device *device)
{
    uint8_t bytes[256];
    struct nkv_buffer room = {bytes, sizeof(bytes)};
    size_t size;
    if (device->options.ring_size == 0)
        return;
    while ((size = nkv_line_sim_read(&device->bench->line, NKV_BENCH_DEVICE,
                                     room)) > 0) {
        for (size_t i = 0; i < size; i++)
            nkv_receive_ring_put(&device->ring, bytes[i]);
    }
    nkv_server_count_overruns(&device->server,
                              nkv_receive_ring_take_overruns(&device->ring));
}

static void send_frame(struct nkv_real_device *device, struct nkv_span frame)
{
    struct nkv_line_sim *line = &device->bench->line;
    nkv_line_sim_write(line, NKV_BENCH_DEVICE, frame);
    if (device->options.transmit_size == 0 || line->speed.baud == 0)
        return;
    uint64_t waiting_us =
        (uint64_t)device->options.transmit_size * 10000000 / line->speed.baud;
    uint64_t sent_us = nkv_line_sim_sent_us(line, NKV_BENCH_DEVICE);
    if (sent_us > line->now_us + waiting_us)
        device->sending_until_us = sent_us - waiting_us;
}

/* Whether the frame that is leaving gets lost. */
static bool is_frame_lost(struct nkv_real_device *device)
{
    if (device->frames_sent == device->lose_at_frame) {
        device->lose_at_frame = 0;
        return true;
    }
    if (device->lose_frames == 0)
        return false;
    device->lose_frames--;
    return true;
}

/* The server hands over pieces; a frame ends with a flag. */
static enum nkv_status write_line(void *context, const uint8_t *from,
                                  size_t size)
{
    struct nkv_real_device *device = context;
    device->failed = device->failed || is_power_off(device);
    if (device->failed)
        return NKV_UNAVAILABLE;
    assert_true(size > 0 && size <= sizeof(device->frame) - device->frame_size);
    memcpy(device->frame + device->frame_size, from, size);
    device->frame_size += size;
    if (from[size - 1] != 0x7e || device->frame_size == 1)
        return NKV_OK;
    struct nkv_span frame = {device->frame, device->frame_size};
    device->frame_size = 0;
    device->frames_sent++;
    if (device->restart_at_frame != 0 &&
        device->frames_sent >= device->restart_at_frame) {
        device->restart_at_frame = 0;
        device->failed = true;
        return NKV_UNAVAILABLE;
    }
    if (!is_frame_lost(device))
        send_frame(device, frame);
    return NKV_OK;
}

static uint32_t now_ms(void *context)
{
    const struct nkv_real_device *device = context;
    return (uint32_t)nkv_bench_now_ms(device->bench);
}

/* ---- Starting --------------------------------------------------------- */

static void start(struct nkv_real_device *device)
{
    static const char *const names[NKV_DEVICE_STORES] = {"settings",
                                                         "identity"};
    for (size_t i = 0; i < NKV_DEVICE_STORES; i++) {
        struct nkv_device_part *part = &device->parts[i];
        device->served[i] = (struct nkv_server_store){
            .name = names[i],
            .store = &part->store,
            .config = &part->config,
            .mount_status = nkv_mount(&part->store, &part->config),
        };
        assert_int_equal(device->served[i].mount_status, NKV_OK);
    }
    nkv_receive_ring_init(
        &device->ring,
        (struct nkv_buffer){device->ring_memory, device->options.ring_size});
    device->sending_until_us = 0;
    device->boots++;
    device->config.boot_id = 0x51ab0000u + device->boots;
    assert_int_equal(nkv_server_init(&device->server, &device->config), NKV_OK);
}

void nkv_real_device_restart(struct nkv_real_device *device)
{
    nkv_line_sim_clear(&device->bench->line, NKV_BENCH_DEVICE);
    for (size_t i = 0; i < NKV_DEVICE_STORES; i++)
        nkv_flash_sim_power_on(&device->parts[i].flash);
    device->failed = false;
    device->frame_size = 0;
    start(device);
}

static bool poll_device(void *context, struct nkv_line_sim *line)
{
    struct nkv_real_device *device = context;
    fill_ring(device);
    if (device->sending_until_us > line->now_us) {
        device->bench->device_at_us = device->sending_until_us;
        return false;
    }
    if (device->cut_at_frame != 0 &&
        device->frames_sent >= device->cut_at_frame) {
        device->cut_at_frame = 0;
        device->bench->cut_at_ms = nkv_bench_now_ms(device->bench);
    }
    if (device->before_poll != NULL && device->before_poll(device))
        nkv_real_device_restart(device);
    bool more = nkv_server_poll(&device->server);
    if (device->failed || is_power_off(device))
        nkv_real_device_restart(device);
    fill_ring(device);
    return more;
}

static void init_config(struct nkv_real_device *device)
{
    size_t packet = device->options.packet_size;
    size_t frame = device->options.frame_size;
    uint32_t window = device->options.rx_window;
    if (window == 0 && device->options.ring_size != 0)
        window = NKV_RECEIVE_RING_WINDOW(device->options.ring_size);
    /* A deaf part tells its largest frame. */
    if (window == 0 && !device->options.is_deaf)
        window = 2 * NKV_DEVICE_FRAME;
    device->config = (struct nkv_server_config){
        .services = &nkv_services_all,
        .product = "bench",
        .unit_id = NKV_DEVICE_UNIT_ID,
        .firmware = "1.2.3",
        .stores = device->served,
        .store_count = NKV_DEVICE_STORES,
        .stream = {.context = device, .read = read_line, .write = write_line},
        .now_ms = now_ms,
        .clock_context = device,
        .rx_window = window,
        .stall_max_ms = or_default(device->options.stall_max_ms, 50),
        .memory =
            {
                .receive = {device->receive,
                            frame == 0 ? NKV_DEVICE_FRAME : frame},
                .transmit = {device->transmit,
                             packet == 0 ? NKV_DEVICE_PACKET_MAX : packet},
                .calls = device->calls,
                .work = device->work,
                .call_count = NKV_DEVICE_SLOTS,
                .clients = device->clients,
                .client_count = NKV_DEVICE_CLIENTS,
                .answers = device->answers,
                .answers_per_client = NKV_DEVICE_ANSWERS,
            },
    };
}

void nkv_real_device_init(struct nkv_real_device *device,
                          struct nkv_bench *bench,
                          const struct nkv_device_options *options)
{
    memset(device, 0, sizeof(*device));
    device->bench = bench;
    if (options != NULL)
        device->options = *options;
    for (size_t i = 0; i < NKV_DEVICE_STORES; i++)
        init_part(device, &device->parts[i]);
    init_config(device);
    start(device);
    bench->device = poll_device;
    bench->device_context = device;
}

void nkv_real_device_free(struct nkv_real_device *device)
{
    for (size_t i = 0; i < NKV_DEVICE_STORES; i++) {
        struct nkv_device_part *part = &device->parts[i];
        assert_int_equal(part->flash.violations, 0);
        free(part->config.memory.index);
        free(part->config.memory.sectors);
        free(part->config.memory.buffer);
        nkv_flash_sim_free(&part->flash);
    }
    device->bench->device = NULL;
}
