#include <norkv/receive_ring.h>

#include <norkv/hdlc.h>

/*
 * The ring holds frames, each as the size of its content in two bytes and the
 * content, unescaped. The sizes stand where a packet's frame has its address
 * and control, which are always the same: so a frame takes as much room as its
 * content. One that begins otherwise is marked in its size, and takes two bytes
 * more. One byte of the memory is never used, so that a full ring and an empty
 * one differ.
 */

enum {
    /* NKV_HDLC_ADDRESS_RPC as it is on the line. */
    ADDRESS = NKV_HDLC_ADDRESS_RPC << 1 | 1,
    CONTROL = NKV_HDLC_CONTROL,
    IS_OTHER = 0x8000
};

/* What reading gives next. */
enum read_state {
    READ_SIZE,
    READ_ADDRESS,
    READ_CONTROL,
    READ_CONTENT,
    READ_ESCAPED,
    READ_CLOSING
};

void nkv_receive_ring_init(struct nkv_receive_ring *ring,
                           struct nkv_buffer memory)
{
    *ring = (struct nkv_receive_ring){.memory = memory};
}

static size_t after(const struct nkv_receive_ring *ring, size_t place)
{
    return place + 1 == ring->memory.capacity ? 0 : place + 1;
}

/* ---- Putting ---------------------------------------------------------- */

void nkv_receive_ring_lose(struct nkv_receive_ring *ring, size_t count)
{
    unsigned lost = atomic_load_explicit(&ring->lost, memory_order_relaxed);

    atomic_store_explicit(&ring->lost, lost + (unsigned)count,
                          memory_order_relaxed);
}

static bool append(struct nkv_receive_ring *ring, uint8_t byte)
{
    size_t next = after(ring, ring->put_at);

    if (next == atomic_load_explicit(&ring->start, memory_order_acquire)) {
        return false;
    }
    ring->memory.data[ring->put_at] = byte;
    ring->put_at = next;
    return true;
}

static void begin_anew(struct nkv_receive_ring *ring)
{
    ring->put_at = atomic_load_explicit(&ring->end, memory_order_relaxed);
    ring->size = 0;
    ring->is_escaped = false;
    ring->is_other = false;
    ring->is_lost = false;
}

/* The first two bytes of the content lie where its size will. When they are not
 * those of every packet, they are kept behind it. */
static bool append_second(struct nkv_receive_ring *ring, uint8_t byte)
{
    if (!append(ring, byte)) {
        return false;
    }
    if (ring->first == ADDRESS && byte == CONTROL) {
        return true;
    }
    ring->is_other = true;
    return append(ring, ring->first) && append(ring, byte);
}

static bool append_content(struct nkv_receive_ring *ring, uint8_t byte)
{
    if (ring->is_lost || ring->size + 1 == IS_OTHER) {
        return false;
    }
    if (ring->size == 0) {
        ring->first = byte;
    }
    return ring->size == 1 ? append_second(ring, byte) : append(ring, byte);
}

static void put_content(struct nkv_receive_ring *ring, uint8_t byte)
{
    if (append_content(ring, byte)) {
        ring->size++;
        return;
    }
    nkv_receive_ring_lose(ring, ring->size + 1);
    begin_anew(ring);
    ring->is_lost = true;
}

/* Gives the frame to the reading side. */
static void finish(struct nkv_receive_ring *ring)
{
    size_t place = atomic_load_explicit(&ring->end, memory_order_relaxed);
    size_t size = ring->size | (ring->is_other ? IS_OTHER : 0);

    ring->memory.data[place] = (uint8_t)(size & 0xFF);
    ring->memory.data[after(ring, place)] = (uint8_t)(size >> 8);
    atomic_store_explicit(&ring->end, ring->put_at, memory_order_release);
}

/* An escape that nothing may follow is kept as it is: the frame is bad, and as
 * its check is wrong then, the server finds that out. */
static void put_flag(struct nkv_receive_ring *ring)
{
    if (ring->is_escaped) {
        put_content(ring, NKV_HDLC_ESCAPE);
    }
    /* A byte alone is as bad with another one behind it. */
    if (ring->size == 1) {
        put_content(ring, 0);
    }
    if (ring->size > 0) {
        finish(ring);
    }
    begin_anew(ring);
}

void nkv_receive_ring_put(struct nkv_receive_ring *ring, uint8_t byte)
{
    if (byte == NKV_HDLC_FLAG) {
        put_flag(ring);
    } else if (byte == NKV_HDLC_ESCAPE && !ring->is_escaped) {
        ring->is_escaped = true;
    } else if (byte == NKV_HDLC_ESCAPE) {
        ring->is_escaped = false;
        put_content(ring, NKV_HDLC_ESCAPE);
        put_content(ring, NKV_HDLC_ESCAPE);
    } else {
        put_content(ring, ring->is_escaped ? byte ^ NKV_HDLC_ESCAPE_XOR : byte);
        ring->is_escaped = false;
    }
}

/* ---- Reading ---------------------------------------------------------- */

static uint8_t take(const struct nkv_receive_ring *ring, size_t *place)
{
    uint8_t byte = ring->memory.data[*place];

    *place = after(ring, *place);
    return byte;
}

static uint8_t read_content(struct nkv_receive_ring *ring, size_t *place)
{
    uint8_t byte = ring->memory.data[*place];
    bool is_escaped = ring->read_state == READ_ESCAPED;

    if (!is_escaped && (byte == NKV_HDLC_FLAG || byte == NKV_HDLC_ESCAPE)) {
        ring->read_state = READ_ESCAPED;
        return NKV_HDLC_ESCAPE;
    }
    *place = after(ring, *place);
    ring->left--;
    ring->read_state = ring->left == 0 ? READ_CLOSING : READ_CONTENT;
    return is_escaped ? byte ^ NKV_HDLC_ESCAPE_XOR : byte;
}

static uint8_t read_size(struct nkv_receive_ring *ring, size_t *place)
{
    size_t size = take(ring, place);

    size |= (size_t)take(ring, place) << 8;
    ring->left = size & (IS_OTHER - 1u);
    ring->read_state = (size & IS_OTHER) != 0 ? READ_CONTENT : READ_ADDRESS;
    return NKV_HDLC_FLAG;
}

/* The next byte of a frame that is there. */
static uint8_t read_byte(struct nkv_receive_ring *ring, size_t *place)
{
    switch (ring->read_state) {
    case READ_SIZE:
        return read_size(ring, place);
    case READ_ADDRESS:
        ring->left--;
        ring->read_state = READ_CONTROL;
        return ADDRESS;
    case READ_CONTROL:
        ring->left--;
        ring->read_state = ring->left == 0 ? READ_CLOSING : READ_CONTENT;
        return CONTROL;
    case READ_CLOSING:
        ring->read_state = READ_SIZE;
        return NKV_HDLC_FLAG;
    default:
        return read_content(ring, place);
    }
}

size_t nkv_receive_ring_read(struct nkv_receive_ring *ring, uint8_t *to,
                             size_t capacity)
{
    size_t place = atomic_load_explicit(&ring->start, memory_order_relaxed);
    size_t end = atomic_load_explicit(&ring->end, memory_order_acquire);
    size_t size = 0;

    while (size < capacity && (place != end || ring->read_state != READ_SIZE)) {
        to[size++] = read_byte(ring, &place);
    }
    atomic_store_explicit(&ring->start, place, memory_order_release);
    return size;
}

uint32_t nkv_receive_ring_take_overruns(struct nkv_receive_ring *ring)
{
    uint32_t lost = atomic_load_explicit(&ring->lost, memory_order_relaxed);
    uint32_t count = lost - ring->told;

    ring->told = lost;
    return count;
}
