#include <norkv/receive_ring.h>

/*
 * The ring holds frames, each as the size of its content in two bytes and the
 * content, unescaped. One byte of the memory is never used, so that a full ring
 * and an empty one differ.
 */

enum { FLAG = 0x7E, ESCAPE = 0x7D, ESCAPE_BIT = 0x20, SIZE_MAX_16 = 0xFFFF };

/* What reading gives next. */
enum read_state { READ_SIZE, READ_CONTENT, READ_ESCAPED, READ_CLOSING };

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

static void lose(struct nkv_receive_ring *ring, size_t count)
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

/* Makes room for the size of a frame. */
static bool begin(struct nkv_receive_ring *ring)
{
    return append(ring, 0) && append(ring, 0);
}

static void begin_anew(struct nkv_receive_ring *ring)
{
    ring->put_at = atomic_load_explicit(&ring->end, memory_order_relaxed);
    ring->size = 0;
    ring->is_escaped = false;
    ring->is_lost = false;
}

static void put_content(struct nkv_receive_ring *ring, uint8_t byte)
{
    bool fits = !ring->is_lost && ring->size < SIZE_MAX_16 &&
                (ring->size > 0 || begin(ring)) && append(ring, byte);

    if (fits) {
        ring->size++;
        return;
    }
    lose(ring, ring->size + 1);
    begin_anew(ring);
    ring->is_lost = true;
}

/* Gives the frame to the reading side. */
static void finish(struct nkv_receive_ring *ring)
{
    size_t place = atomic_load_explicit(&ring->end, memory_order_relaxed);

    ring->memory.data[place] = (uint8_t)(ring->size & 0xFF);
    ring->memory.data[after(ring, place)] = (uint8_t)(ring->size >> 8);
    atomic_store_explicit(&ring->end, ring->put_at, memory_order_release);
}

/* An escape that nothing may follow is kept as it is: the frame is bad, and as
 * its check is wrong then, the server finds that out. */
static void put_flag(struct nkv_receive_ring *ring)
{
    if (ring->is_escaped) {
        put_content(ring, ESCAPE);
    }
    if (ring->size > 0) {
        finish(ring);
    }
    begin_anew(ring);
}

void nkv_receive_ring_put(struct nkv_receive_ring *ring, uint8_t byte)
{
    if (byte == FLAG) {
        put_flag(ring);
    } else if (byte == ESCAPE && !ring->is_escaped) {
        ring->is_escaped = true;
    } else if (byte == ESCAPE) {
        ring->is_escaped = false;
        put_content(ring, ESCAPE);
        put_content(ring, ESCAPE);
    } else {
        put_content(ring, ring->is_escaped ? byte ^ ESCAPE_BIT : byte);
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

    if (!is_escaped && (byte == FLAG || byte == ESCAPE)) {
        ring->read_state = READ_ESCAPED;
        return ESCAPE;
    }
    *place = after(ring, *place);
    ring->left--;
    ring->read_state = ring->left == 0 ? READ_CLOSING : READ_CONTENT;
    return is_escaped ? byte ^ ESCAPE_BIT : byte;
}

/* The next byte of a frame that is there. */
static uint8_t read_byte(struct nkv_receive_ring *ring, size_t *place)
{
    switch (ring->read_state) {
    case READ_SIZE:
        ring->left = take(ring, place);
        ring->left |= (size_t)take(ring, place) << 8;
        ring->read_state = READ_CONTENT;
        return FLAG;
    case READ_CLOSING:
        ring->read_state = READ_SIZE;
        return FLAG;
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

    while (size < capacity &&
           (place != end || ring->read_state == READ_CLOSING)) {
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
