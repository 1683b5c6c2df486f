#include "script.h"

#include "hex.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 4 };

struct line {
    unsigned long number;
    size_t word_count;
    /* One more than any command has is kept, to see that it is too many. */
    struct nkv_span words[WORDS_MAX];
};

struct reader {
    struct nkv_script *script;
    struct nkv_parse_error *error;
    size_t used;
};

struct form {
    const char *name;
    /* Of maintain; NULL for others. */
    const char *kind;
    enum nkv_script_verb verb;
    size_t words;
    const char *usage;
};

static const struct form forms[] = {
    {"put", NULL, NKV_SCRIPT_PUT, 3, "put KEYHEX VALUEHEX"},
    {"del", NULL, NKV_SCRIPT_DEL, 2, "del KEYHEX"},
    {"get", NULL, NKV_SCRIPT_GET, 2, "get KEYHEX"},
    {"maintain", "partial", NKV_SCRIPT_MAINTAIN_PARTIAL, 2,
     "maintain partial|full|heavy"},
    {"maintain", "full", NKV_SCRIPT_MAINTAIN_FULL, 2,
     "maintain partial|full|heavy"},
    {"maintain", "heavy", NKV_SCRIPT_MAINTAIN_HEAVY, 2,
     "maintain partial|full|heavy"},
    {"remount", NULL, NKV_SCRIPT_REMOUNT, 1, "remount"},
};

static bool is(struct nkv_span word, const char *text)
{
    return word.size > 0 && word.size == strlen(text) &&
           memcmp(word.data, text, word.size) == 0;
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

/* Cuts the next word off rest. */
static struct nkv_span next_word(struct nkv_span *rest)
{
    struct nkv_span word;

    while (rest->size > 0 && is_blank(*rest->data)) {
        rest->data++;
        rest->size--;
    }
    word = (struct nkv_span){rest->data, 0};
    while (rest->size > 0 && !is_blank(*rest->data)) {
        rest->data++;
        rest->size--;
        word.size++;
    }
    return word;
}

static void split(struct nkv_span text, struct line *line)
{
    struct nkv_span word = next_word(&text);

    line->word_count = 0;
    while (word.size > 0 && line->word_count < WORDS_MAX) {
        line->words[line->word_count++] = word;
        word = next_word(&text);
    }
}

/* The form with this name, and with this kind where there are kinds. */
static const struct form *find_form(const struct line *line,
                                    struct nkv_parse_error *error)
{
    const char *usage = NULL;
    char shown[NKV_SHOW_SHORT_SIZE];

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const struct form *form = &forms[i];

        if (!is(line->words[0], form->name)) {
            continue;
        }
        usage = form->usage;
        if (line->word_count == form->words &&
            (form->kind == NULL || is(line->words[1], form->kind))) {
            return form;
        }
    }
    if (usage != NULL) {
        nkv_parse_error(error, line->number, "write it as: %s", usage);
    } else {
        nkv_parse_error(error, line->number,
                        "unknown command '%s': there are put, del, get, "
                        "maintain and remount",
                        nkv_show_short(line->words[0], shown));
    }
    return NULL;
}

/* Decodes a word of hex digits, or "-", into the script's memory. */
static bool decode(struct reader *reader, const struct line *line, size_t word,
                   struct nkv_span *bytes)
{
    struct nkv_span digits = line->words[word];
    uint8_t *to = reader->script->bytes + reader->used;
    char shown[NKV_SHOW_SHORT_SIZE];

    if (is(digits, "-")) {
        digits.size = 0;
    }
    if (!nkv_hex_decode((const char *)digits.data, digits.size, to)) {
        nkv_parse_error(reader->error, line->number,
                        "'%s' is not hex: write two digits a byte, or -",
                        nkv_show_short(digits, shown));
        return false;
    }
    *bytes = (struct nkv_span){to, digits.size / 2};
    reader->used += bytes->size;
    return true;
}

static bool read_command(struct reader *reader, const struct line *line)
{
    struct nkv_script *script = reader->script;
    struct nkv_script_command *command = &script->commands[script->count];
    const struct form *form = find_form(line, reader->error);

    if (form == NULL) {
        return false;
    }
    *command = (struct nkv_script_command){.verb = form->verb};
    script->count++;
    if (form->words > 1 && form->kind == NULL &&
        !decode(reader, line, 1, &command->key)) {
        return false;
    }
    return form->words < 3 || decode(reader, line, 2, &command->value);
}

static size_t count_lines(struct nkv_span text)
{
    size_t lines = 1;

    for (size_t i = 0; i < text.size; i++) {
        lines += text.data[i] == '\n' ? 1 : 0;
    }
    return lines;
}

static bool read_lines(struct reader *reader, struct nkv_span text)
{
    struct line line = {0};

    while (text.size > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        size_t size = end != NULL ? (size_t)(end - text.data) : text.size;
        size_t skip = end != NULL ? size + 1 : size;

        line.number++;
        split((struct nkv_span){text.data, size}, &line);
        if (line.word_count > 0 && line.words[0].data[0] != '#' &&
            !read_command(reader, &line)) {
            return false;
        }
        text.data += skip;
        text.size -= skip;
    }
    return true;
}

bool nkv_script_parse(struct nkv_span text, struct nkv_script *script,
                      struct nkv_parse_error *error)
{
    struct reader reader = {.script = script, .error = error};
    bool good = false;

    *script = (struct nkv_script){0};
    script->commands = calloc(count_lines(text), sizeof *script->commands);
    script->bytes = malloc(text.size + 1);
    if (script->commands == NULL || script->bytes == NULL) {
        nkv_parse_error(error, 1, "out of memory");
    } else {
        good = read_lines(&reader, text);
    }
    if (!good) {
        nkv_script_free(script);
    }
    return good;
}

void nkv_script_free(struct nkv_script *script)
{
    free(script->commands);
    free(script->bytes);
    *script = (struct nkv_script){0};
}
