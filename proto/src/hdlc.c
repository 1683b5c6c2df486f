#include <norkv/crc32.h>
#include <norkv/hdlc.h>

enum { CRC_SIZE = 4, CONTROL_SIZE = 1, FLAG_SIZE = 1 };

enum decoder_state { BETWEEN_FRAMES, IN_FRAME, AFTER_ESCAPE };

/* The CRC-32 of any bytes followed by their own CRC-32, little-endian. */
static const uint32_t good_crc = 0x2144DF1C;

static void start_frame(struct nkv_hdlc_decoder *decoder)
{
    decoder->size = 0;
    decoder->crc = 0;
    decoder->state = IN_FRAME;
}

/*
 * Takes a content byte. What the buffer cannot hold still counts and enters
 * the CRC, so that a frame too large is told from a damaged one.
 */
static void append(struct nkv_hdlc_decoder *decoder, uint8_t byte)
{
    if (decoder->size < decoder->capacity) {
        decoder->buffer[decoder->size] = byte;
    }
    if (decoder->size < SIZE_MAX) {
        decoder->size++;
    }
    decoder->crc = nkv_crc32(decoder->crc, &byte, 1);
}

/*
 * Reads the address: seven bits a byte above bit 0, the least significant
 * first, and bit 0 set in the last. Returns its size, 0 when it has no end.
 */
static size_t read_address(struct nkv_span content, uint64_t *address)
{
    *address = 0;
    for (size_t i = 0; i < content.size && i < NKV_HDLC_ADDRESS_SIZE_MAX; i++) {
        *address |= (uint64_t)(content.data[i] >> 1) << (7 * i);
        if ((content.data[i] & 1) != 0) {
            return i + 1;
        }
    }
    return 0;
}

static enum nkv_status take_apart(struct nkv_span content,
                                  struct nkv_hdlc_frame *frame)
{
    const size_t address_size = read_address(content, &frame->address);
    if (address_size == 0 ||
        content.size - address_size < CONTROL_SIZE + CRC_SIZE) {
        return NKV_DATA_LOSS;
    }
    frame->control = content.data[address_size];
    frame->payload.data = content.data + address_size + CONTROL_SIZE;
    frame->payload.size = content.size - address_size - CONTROL_SIZE - CRC_SIZE;
    return NKV_OK;
}

static enum nkv_status finish_frame(const struct nkv_hdlc_decoder *decoder,
                                    struct nkv_hdlc_frame *frame)
{
    if (decoder->size == 0) {
        /* Flags in a row are nothing to report. */
        return NKV_UNAVAILABLE;
    }
    if (decoder->crc != good_crc) {
        return NKV_DATA_LOSS;
    }
    if (decoder->size > decoder->capacity) {
        return NKV_RESOURCE_EXHAUSTED;
    }
    const struct nkv_span content = {decoder->buffer, decoder->size};
    return take_apart(content, frame);
}

void nkv_hdlc_decoder_init(struct nkv_hdlc_decoder *decoder,
                           struct nkv_buffer buffer)
{
    decoder->buffer = buffer.data;
    decoder->capacity = buffer.capacity;
    decoder->size = 0;
    decoder->crc = 0;
    decoder->state = BETWEEN_FRAMES;
}

/* A flag ends what there was, and opens the next frame. */
static enum nkv_status decode_flag(struct nkv_hdlc_decoder *decoder,
                                   struct nkv_hdlc_frame *frame)
{
    enum nkv_status status = NKV_DATA_LOSS;
    if (decoder->state == IN_FRAME) {
        status = finish_frame(decoder, frame);
    } else if (decoder->state == BETWEEN_FRAMES && decoder->size == 0) {
        status = NKV_UNAVAILABLE;
    }
    start_frame(decoder);
    return status;
}

enum nkv_status nkv_hdlc_decode(struct nkv_hdlc_decoder *decoder, uint8_t byte,
                                struct nkv_hdlc_frame *frame)
{
    if (byte == NKV_HDLC_FLAG) {
        return decode_flag(decoder, frame);
    }
    if (decoder->state == BETWEEN_FRAMES) {
        /* Only whether there was anything matters. */
        decoder->size = 1;
    } else if (decoder->state == AFTER_ESCAPE && byte == NKV_HDLC_ESCAPE) {
        /* Wrong on purpose: this is how a sender gives a frame up. */
        decoder->state = BETWEEN_FRAMES;
        decoder->size = 1;
    } else if (decoder->state == AFTER_ESCAPE) {
        append(decoder, byte ^ NKV_HDLC_ESCAPE_XOR);
        decoder->state = IN_FRAME;
    } else if (byte == NKV_HDLC_ESCAPE) {
        decoder->state = AFTER_ESCAPE;
    } else {
        append(decoder, byte);
    }
    return NKV_UNAVAILABLE;
}

static bool must_escape(uint8_t byte)
{
    return byte == NKV_HDLC_FLAG || byte == NKV_HDLC_ESCAPE;
}

/* Bytes from at on that go out as they are. */
static size_t plain_run(struct nkv_span bytes, size_t at)
{
    size_t end = at;
    while (end < bytes.size && !must_escape(bytes.data[end])) {
        end++;
    }
    return end - at;
}

static enum nkv_status write_escaped(const struct nkv_hdlc_sink *sink,
                                     struct nkv_span bytes)
{
    size_t at = 0;
    while (at < bytes.size) {
        const size_t run = plain_run(bytes, at);
        enum nkv_status status;
        if (run > 0) {
            status = sink->write(sink->context, bytes.data + at, run);
            at += run;
        } else {
            const uint8_t pair[] = {NKV_HDLC_ESCAPE,
                                    bytes.data[at] ^ NKV_HDLC_ESCAPE_XOR};
            status = sink->write(sink->context, pair, sizeof pair);
            at++;
        }
        if (status != NKV_OK) {
            return status;
        }
    }
    return NKV_OK;
}

static enum nkv_status write_flag(const struct nkv_hdlc_sink *sink)
{
    const uint8_t flag = NKV_HDLC_FLAG;
    return sink->write(sink->context, &flag, FLAG_SIZE);
}

/* Writes the address as read_address takes it. Returns its size. */
static size_t put_address(uint8_t *to, uint64_t address)
{
    size_t size = 0;
    while (address > 0x7F) {
        to[size++] = (uint8_t)(address << 1);
        address >>= 7;
    }
    to[size++] = (uint8_t)(address << 1 | 1);
    return size;
}

enum nkv_status nkv_hdlc_encode(const struct nkv_hdlc_sink *sink,
                                uint64_t address, struct nkv_span payload)
{
    uint8_t head[NKV_HDLC_ADDRESS_SIZE_MAX + CONTROL_SIZE];
    size_t head_size = put_address(head, address);
    head[head_size++] = NKV_HDLC_CONTROL;
    uint8_t check[CRC_SIZE];
    nkv_store_le32(check, nkv_crc32(nkv_crc32(0, head, head_size), payload.data,
                                    payload.size));
    const struct nkv_span parts[] = {
        {head, head_size}, payload, {check, sizeof check}};

    enum nkv_status status = write_flag(sink);
    for (size_t i = 0; i < 3 && status == NKV_OK; i++) {
        status = write_escaped(sink, parts[i]);
    }
    return status == NKV_OK ? write_flag(sink) : status;
}

size_t nkv_hdlc_content_size(uint64_t address, size_t payload_size)
{
    uint8_t scratch[NKV_HDLC_ADDRESS_SIZE_MAX];
    return put_address(scratch, address) + CONTROL_SIZE + payload_size +
           CRC_SIZE;
}

size_t nkv_hdlc_encoded_size_max(size_t payload_size)
{
    /*
     * The widest address has ten bytes, of which the last is 03 or 01 and needs
     * no escape, as the control byte needs none. pw_hdlc counts that as two
     * bytes all the same, and so do we.
     */
    enum {
        ADDRESS_MAX = 2 * NKV_HDLC_ADDRESS_SIZE_MAX - 1,
        CONTROL_MAX = 2 * CONTROL_SIZE,
        CRC_MAX = 2 * CRC_SIZE
    };
    return 2 * FLAG_SIZE + ADDRESS_MAX + CONTROL_MAX + CRC_MAX +
           2 * payload_size;
}
