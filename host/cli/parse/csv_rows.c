#include "csv_rows.h"

#include <csv.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    bool (*take)(void *context, const struct nkv_csv_row *row,
                 struct nkv_parse_error *error);
    void *context;
    struct nkv_parse_error *error;
    bool failed;
    bool in_field;
    unsigned long line;
    /* Where the field that is being read began. */
    unsigned long field_line;
    /* Fields of the first row; 0 before it was read. */
    size_t width;
    struct nkv_csv_row row;
    /* The bytes of the row's fields. */
    uint8_t *bytes;
    size_t used;
};

#define REFUSE(reader, ...)                                                    \
    ((reader)->failed = true,                                                  \
     nkv_parse_error((reader)->error, (reader)->row.line, __VA_ARGS__))

/* libcsv calls it at the end of each field. */
static void on_field(void *data, size_t size, void *context)
{
    struct reader *reader = context;
    uint8_t *to = reader->bytes + reader->used;

    reader->in_field = false;
    if (reader->failed) {
        return;
    }
    if (reader->row.field_count == NKV_CSV_FIELDS_MAX) {
        REFUSE(reader, "more than %d columns", NKV_CSV_FIELDS_MAX);
        return;
    }
    if (size > 0) {
        memcpy(to, data, size);
    }
    reader->row.fields[reader->row.field_count++] = (struct nkv_span){to, size};
    reader->used += size;
}

static void check_width(struct reader *reader)
{
    size_t count = reader->row.field_count;

    if (reader->width == 0) {
        reader->width = count;
    } else if (count < reader->width) {
        REFUSE(reader,
               "%zu of %zu columns: the line is incomplete, or the file was "
               "cut",
               count, reader->width);
    } else if (count > reader->width) {
        REFUSE(reader,
               "%zu columns where the first line has %zu: quote values that "
               "hold a comma",
               count, reader->width);
    }
}

/* libcsv calls it at the end of each row: with -1 at the end of the file. */
static void on_row(int end, void *context)
{
    struct reader *reader = context;

    if (!reader->failed) {
        check_width(reader);
    }
    if (!reader->failed && end == -1) {
        REFUSE(reader, "the file ends inside this line, it may have been cut: "
                       "end the last line with a newline");
    }
    if (!reader->failed) {
        reader->failed =
            !reader->take(reader->context, &reader->row, reader->error);
    }
    reader->row.field_count = 0;
    reader->used = 0;
}

/* Blanks belong to the field, as RFC 4180 has it. */
static int no_space(unsigned char character)
{
    (void)character;
    return 0;
}

static void refuse_syntax(struct reader *reader, int cause)
{
    if (reader->failed) {
        return;
    }
    reader->row.line = reader->line;
    if (cause == CSV_EPARSE) {
        REFUSE(reader, "a quote in the wrong place: a field with quotes is "
                       "quoted whole, quotes inside are doubled");
    } else {
        REFUSE(reader, "out of memory");
    }
}

/* Takes note of where a field or a row begins, before its first byte. */
static void mark_line(struct reader *reader, bool ends_line)
{
    if (!reader->in_field) {
        reader->field_line = reader->line;
        if (reader->row.field_count == 0) {
            reader->row.line = reader->line;
        }
        reader->in_field = !ends_line;
    }
}

/* Byte by byte, to know the line of each. Lines end with LF, CR LF or CR. */
static void feed(struct reader *reader, struct csv_parser *parser,
                 struct nkv_span csv)
{
    uint8_t before = 0;

    for (size_t i = 0; i < csv.size && !reader->failed; i++) {
        uint8_t byte = csv.data[i];
        bool ends_line = byte == '\n' || byte == '\r';

        mark_line(reader, ends_line);
        if (csv_parse(parser, &byte, 1, on_field, on_row, reader) != 1) {
            refuse_syntax(reader, csv_error(parser));
        }
        reader->line += ends_line && !(byte == '\n' && before == '\r');
        before = byte;
    }
}

static void finish(struct reader *reader, struct csv_parser *parser)
{
    if (!reader->failed &&
        csv_fini(parser, on_field, on_row, reader) != CSV_SUCCESS) {
        reader->row.line = reader->field_line;
        REFUSE(reader, "the quote that opens here is never closed: the file "
                       "was cut, or a quote is missing");
    }
}

static struct nkv_span without_byte_order_mark(struct nkv_span csv)
{
    if (csv.size >= 3 && memcmp(csv.data, "\xef\xbb\xbf", 3) == 0) {
        csv.data += 3;
        csv.size -= 3;
    }
    return csv;
}

bool nkv_csv_read(struct nkv_span csv,
                  bool (*take)(void *context, const struct nkv_csv_row *row,
                               struct nkv_parse_error *error),
                  void *context, struct nkv_parse_error *error)
{
    struct reader reader = {
        .take = take, .context = context, .error = error, .line = 1};
    struct csv_parser parser;

    reader.row.line = 1;
    /* No row has more bytes than the file. */
    reader.bytes = malloc(csv.size + 1);
    if (reader.bytes == NULL ||
        csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
        free(reader.bytes);
        REFUSE(&reader, "out of memory");
        return false;
    }
    csv_set_space_func(&parser, no_space);
    feed(&reader, &parser, without_byte_order_mark(csv));
    finish(&reader, &parser);
    csv_free(&parser);
    free(reader.bytes);
    return !reader.failed;
}
