#include "prose.h"

#include "text.h"
#include <stdio.h>
#include <string.h>

/* Of a frame that broke off and has text behind it, what is taken for text. */
enum { TAIL_MIN = 6 };

static bool is_printable(uint8_t byte)
{
    return (byte >= 0x20 && byte < 0x7f) || byte == '\t';
}

static void remember(struct nkv_prose *prose, struct nkv_span line)
{
    size_t printable = 0;
    for (size_t i = 0; i < line.size; i++)
        printable += is_printable(line.data[i]);
    if (printable == 0 || printable < line.size - line.size / 10)
        return;
    snprintf(prose->last, sizeof(prose->last), "%.*s", (int)line.size,
             (const char *)line.data);
    nkv_text_make_safe(prose->last);
}

static void pass(struct nkv_prose *prose, struct nkv_span line)
{
    while (line.size > 0 && line.data[line.size - 1] == '\r')
        line.size--;
    if (line.size == 0)
        return;
    remember(prose, line);
    if (prose->line != NULL)
        prose->line(prose->context, line);
}

/* Of a line out of a broken frame only the end may be text. */
static struct nkv_span tail_of(struct nkv_span line)
{
    size_t begin = line.size;
    while (begin > 0 &&
           (is_printable(line.data[begin - 1]) || line.data[begin - 1] == '\r'))
        begin--;
    if (line.size - begin < TAIL_MIN)
        begin = line.size;
    return (struct nkv_span){line.data + begin, line.size - begin};
}

static void pass_all(struct nkv_prose *prose)
{
    struct nkv_span rest = {prose->bytes, prose->size};
    while (rest.size > 0) {
        const uint8_t *end = memchr(rest.data, '\n', rest.size);
        size_t size = end == NULL ? rest.size : (size_t)(end - rest.data);
        struct nkv_span line = {rest.data, size};
        pass(prose, prose->is_frame ? tail_of(line) : line);
        size_t step = end == NULL ? size : size + 1;
        rest.data += step;
        rest.size -= step;
    }
    nkv_prose_drop(prose);
}

/* An address of one byte, and the control byte. No text begins so. */
static bool begins_as_frame(const struct nkv_prose *prose)
{
    enum { CONTROL = 0x03 };
    return prose->size == 2 && prose->bytes[1] == CONTROL &&
           (prose->bytes[0] & 1) != 0;
}

void nkv_prose_add(struct nkv_prose *prose, uint8_t byte)
{
    if (prose->size == sizeof(prose->bytes)) {
        /* Of a long frame the end is kept: text would be there. */
        if (!prose->is_frame)
            pass_all(prose);
        prose->size = 0;
    }
    prose->bytes[prose->size++] = byte;
    if (begins_as_frame(prose))
        prose->is_frame = true;
    if (byte == '\n' && !prose->is_frame)
        pass_all(prose);
}

void nkv_prose_drop(struct nkv_prose *prose)
{
    prose->size = 0;
    prose->is_frame = false;
}

void nkv_prose_end(struct nkv_prose *prose)
{
    pass_all(prose);
}

void nkv_prose_flush(struct nkv_prose *prose)
{
    if (nkv_prose_waits(prose))
        pass_all(prose);
}

bool nkv_prose_waits(const struct nkv_prose *prose)
{
    /* A single byte may be a frame's first. */
    return prose->size > 1 && !prose->is_frame;
}
