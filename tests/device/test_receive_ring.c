/* The ring between a UART's interrupt and the server. */
#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <norkv/hdlc.h>
#include <norkv/receive_ring.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The least content of a request: address, control and check, channel, service
 * and method. */
enum { FLAG = 0x7E, CONTENT_MIN = 18, CONTENT_MAX = 300, STREAM_MAX = 400000 };

/* Bytes as they come over the line. */
struct stream {
    uint8_t *bytes;
    size_t size;
};

/* What a receiver makes of them. */
struct receiver {
    struct nkv_hdlc_decoder decoder;
    uint8_t content[CONTENT_MAX];
    unsigned good;
    unsigned bad;
    uint64_t sum;
};

static void init_receiver(struct receiver *receiver)
{
    struct nkv_buffer content = {receiver->content, CONTENT_MAX};

    *receiver = (struct receiver){.good = 0};
    nkv_hdlc_decoder_init(&receiver->decoder, content);
}

static void receive(struct receiver *receiver, uint8_t byte)
{
    struct nkv_hdlc_frame frame;
    enum nkv_status status = nkv_hdlc_decode(&receiver->decoder, byte, &frame);

    if (status == NKV_OK) {
        receiver->good++;
        for (size_t i = 0; i < frame.payload.size; i++) {
            receiver->sum = receiver->sum * 31 + frame.payload.data[i];
        }
    } else if (status != NKV_UNAVAILABLE) {
        receiver->bad++;
    }
}

static enum nkv_status add(void *context, const uint8_t *data, size_t size)
{
    struct stream *stream = context;

    assert_true(size <= STREAM_MAX - stream->size);
    memcpy(stream->bytes + stream->size, data, size);
    stream->size += size;
    return NKV_OK;
}

static void add_frame(struct stream *stream, const uint8_t *payload,
                      size_t size)
{
    struct nkv_hdlc_sink sink = {add, stream};
    struct nkv_span span = {payload, size};

    assert_int_equal(nkv_hdlc_encode(&sink, NKV_HDLC_ADDRESS_RPC, span),
                     NKV_OK);
}

static struct stream new_stream(void)
{
    struct stream stream = {malloc(STREAM_MAX), 0};

    assert_non_null(stream.bytes);
    return stream;
}

static void fill(uint64_t *random, uint8_t *bytes, size_t size, uint32_t kinds)
{
    static const uint8_t special[] = {FLAG, 0x7D, 0x5E, 0x5D};

    for (size_t i = 0; i < size; i++) {
        bytes[i] = nkv_random_below(random, kinds) == 0
                       ? special[nkv_random_below(random, 4)]
                       : (uint8_t)nkv_random(random);
    }
}

/* Good frames, and what is none in between. */
static struct stream mixed_stream(uint64_t seed)
{
    struct stream stream = new_stream();
    uint8_t bytes[CONTENT_MAX];

    for (unsigned i = 0; i < 400; i++) {
        size_t size = nkv_random_below(&seed, CONTENT_MAX);

        fill(&seed, bytes, size, 3);
        if (nkv_random_below(&seed, 3) == 0) {
            (void)add(&stream, bytes, size / 4);
        } else {
            add_frame(&stream, bytes, size);
        }
    }
    return stream;
}

static void read_some(struct nkv_receive_ring *ring, struct receiver *receiver,
                      size_t most)
{
    uint8_t bytes[64];
    size_t size = nkv_receive_ring_read(ring, bytes, most);

    assert_true(size <= most);
    for (size_t i = 0; i < size; i++) {
        receive(receiver, bytes[i]);
    }
}

static void read_all(struct nkv_receive_ring *ring, struct receiver *receiver)
{
    for (unsigned i = 0; i < 200; i++) {
        read_some(ring, receiver, 64);
    }
}

static void frames_come_as_without_the_ring(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint8_t memory[1024];
        struct nkv_receive_ring ring;
        struct receiver direct, behind;
        struct stream stream = mixed_stream(seed);
        uint64_t random = seed;

        nkv_receive_ring_init(&ring,
                              (struct nkv_buffer){memory, 700 + seed * 16});
        init_receiver(&direct);
        init_receiver(&behind);
        for (size_t i = 0; i < stream.size; i++) {
            receive(&direct, stream.bytes[i]);
            nkv_receive_ring_put(&ring, stream.bytes[i]);
            if (nkv_random_below(&random, 8) == 0) {
                read_some(&ring, &behind, 1 + nkv_random_below(&random, 64));
            }
        }
        read_all(&ring, &behind);
        assert_true(direct.good > 150);
        assert_int_equal(behind.good, direct.good);
        assert_int_equal(behind.bad, direct.bad);
        assert_true(behind.sum == direct.sum);
        assert_int_equal(nkv_receive_ring_take_overruns(&ring), 0);
        free(stream.bytes);
    }
}

/* Puts frames of content bytes each, all escapes, as far as the window goes. */
static unsigned fill_window(struct nkv_receive_ring *ring, uint32_t window,
                            uint32_t content)
{
    enum { AROUND = 6 };
    uint8_t bytes[4096];
    struct stream stream = new_stream();
    unsigned count = 0;

    memset(bytes, FLAG, sizeof bytes);
    for (; window >= content; window -= content) {
        add_frame(&stream, bytes, content - AROUND);
        count++;
    }
    for (size_t i = 0; i < stream.size; i++) {
        nkv_receive_ring_put(ring, stream.bytes[i]);
    }
    free(stream.bytes);
    return count;
}

static void a_window_of_flags_and_escapes_fits(void **state)
{
    static uint8_t memory[4096];

    (void)state;
    for (uint32_t capacity = NKV_RECEIVE_RING_MIN; capacity <= sizeof memory;
         capacity += capacity / 5 + 1) {
        uint32_t window = NKV_RECEIVE_RING_WINDOW(capacity);

        for (uint32_t content = CONTENT_MIN; content <= window;
             content += 1 + content / 7) {
            struct nkv_receive_ring ring;
            struct receiver receiver;
            unsigned count;

            nkv_receive_ring_init(&ring, (struct nkv_buffer){memory, capacity});
            init_receiver(&receiver);
            /* Twice, so that it goes over the end of the memory. */
            for (unsigned i = 0; i < 2; i++) {
                count = fill_window(&ring, window, content);
                assert_int_equal(nkv_receive_ring_take_overruns(&ring), 0);
                read_all(&ring, &receiver);
            }
            assert_int_equal(receiver.good + receiver.bad, 2 * count);
        }
    }
}

static void what_does_not_fit_is_lost_whole_and_counted(void **state)
{
    uint8_t memory[128];
    uint8_t bytes[100] = {1, 2, 3};
    struct nkv_receive_ring ring;
    struct receiver receiver;
    struct stream stream = new_stream();

    (void)state;
    nkv_receive_ring_init(&ring, (struct nkv_buffer){memory, sizeof memory});
    init_receiver(&receiver);
    add_frame(&stream, bytes, 60);
    add_frame(&stream, bytes, 60);
    add_frame(&stream, bytes, 30);
    for (size_t i = 0; i < stream.size; i++) {
        nkv_receive_ring_put(&ring, stream.bytes[i]);
    }
    assert_int_equal(nkv_receive_ring_take_overruns(&ring), 66);
    assert_int_equal(nkv_receive_ring_take_overruns(&ring), 0);
    read_all(&ring, &receiver);
    assert_int_equal(receiver.good, 2);
    assert_int_equal(receiver.bad, 0);
    free(stream.bytes);
}

static void noise_without_end_blocks_nothing(void **state)
{
    uint8_t memory[64];
    uint8_t bytes[20] = {1};
    struct nkv_receive_ring ring;
    struct receiver receiver;
    struct stream stream = new_stream();

    (void)state;
    nkv_receive_ring_init(&ring, (struct nkv_buffer){memory, sizeof memory});
    init_receiver(&receiver);
    for (unsigned i = 0; i < 100000; i++) {
        nkv_receive_ring_put(&ring, 0);
    }
    assert_int_equal(nkv_receive_ring_take_overruns(&ring), 100000);
    add_frame(&stream, bytes, sizeof bytes);
    for (size_t i = 0; i < stream.size; i++) {
        nkv_receive_ring_put(&ring, stream.bytes[i]);
    }
    read_all(&ring, &receiver);
    assert_int_equal(receiver.good, 1);
    free(stream.bytes);
}

static void what_the_uart_lost_is_counted_with_the_rest(void **state)
{
    uint8_t memory[64];
    struct nkv_receive_ring ring;

    (void)state;
    nkv_receive_ring_init(&ring, (struct nkv_buffer){memory, sizeof memory});
    nkv_receive_ring_lose(&ring, 1);
    nkv_receive_ring_lose(&ring, 2);
    assert_int_equal(nkv_receive_ring_take_overruns(&ring), 3);
    assert_int_equal(nkv_receive_ring_take_overruns(&ring), 0);
    for (unsigned i = 0; i < sizeof memory; i++) {
        nkv_receive_ring_put(&ring, 1);
    }
    nkv_receive_ring_lose(&ring, 1);
    assert_int_equal(nkv_receive_ring_take_overruns(&ring), sizeof memory + 1);
}

struct sender {
    struct nkv_receive_ring *ring;
    const struct stream *stream;
    atomic_size_t *read_count;
};

/* Keeps within the window by the frames that were read. */
static void *send(void *context)
{
    const struct sender *sender = context;
    size_t frames = 0;

    for (size_t i = 0; i < sender->stream->size; i++) {
        while (frames / 2 >= atomic_load(sender->read_count) + 4) {
        }
        nkv_receive_ring_put(sender->ring, sender->stream->bytes[i]);
        frames += sender->stream->bytes[i] == FLAG;
    }
    return NULL;
}

static void both_sides_may_work_at_once(void **state)
{
    enum { FRAMES = 20000, SIZE = 8 };
    uint8_t memory[96];
    uint8_t bytes[SIZE];
    uint64_t random = 5;
    struct nkv_receive_ring ring;
    struct receiver direct, behind;
    struct stream stream = new_stream();
    atomic_size_t read_count = 0;
    struct sender sender = {&ring, &stream, &read_count};
    pthread_t thread;

    (void)state;
    nkv_receive_ring_init(&ring, (struct nkv_buffer){memory, sizeof memory});
    init_receiver(&direct);
    init_receiver(&behind);
    for (unsigned i = 0; i < FRAMES; i++) {
        fill(&random, bytes, SIZE, 3);
        add_frame(&stream, bytes, SIZE);
    }
    for (size_t i = 0; i < stream.size; i++) {
        receive(&direct, stream.bytes[i]);
    }
    assert_int_equal(pthread_create(&thread, NULL, send, &sender), 0);
    while (behind.good + behind.bad < FRAMES) {
        read_some(&ring, &behind, 7);
        atomic_store(&read_count, behind.good + behind.bad);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(behind.good, FRAMES);
    assert_true(behind.sum == direct.sum);
    assert_int_equal(nkv_receive_ring_take_overruns(&ring), 0);
    free(stream.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_as_without_the_ring),
        cmocka_unit_test(a_window_of_flags_and_escapes_fits),
        cmocka_unit_test(what_does_not_fit_is_lost_whole_and_counted),
        cmocka_unit_test(noise_without_end_blocks_nothing),
        cmocka_unit_test(what_the_uart_lost_is_counted_with_the_rest),
        cmocka_unit_test(both_sides_may_work_at_once),
    };
    return cmocka_run_group_tests_name("receive_ring", tests, NULL, NULL);
}
