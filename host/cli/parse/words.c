#include "words.h"

#include <stdlib.h>
#include <string.h>

static bool is_blank(char character)
{
    return character != '\0' && strchr(" \t\r\n", character) != NULL;
}

/* Copies what is between single quotes. False: they are not closed. */
static bool take_single(const char **from, char **to)
{
    while (**from != '\0' && **from != '\'') {
        *(*to)++ = *(*from)++;
    }
    return *(*from)++ == '\'';
}

static bool take_double(const char **from, char **to)
{
    while (**from != '\0' && **from != '"') {
        if (**from == '\\' && (*from)[1] != '\0' &&
            strchr("\"\\$`", (*from)[1]) != NULL) {
            (*from)++;
        }
        *(*to)++ = *(*from)++;
    }
    return *(*from)++ == '"';
}

/* Copies a word and its NUL. Returns what is wrong, or NULL. */
static const char *take_word(const char **from, char **to)
{
    bool closed = true;

    while (closed && **from != '\0' && !is_blank(**from)) {
        char character = *(*from)++;

        if (character == '\'') {
            closed = take_single(from, to);
        } else if (character == '"') {
            closed = take_double(from, to);
        } else if (character == '\\' && **from == '\0') {
            return "a \\ at the end: nothing follows it";
        } else {
            *(*to)++ = character == '\\' ? *(*from)++ : character;
        }
    }
    *(*to)++ = '\0';
    return closed ? NULL : "a quote is not closed";
}

const char *nkv_words_split(const char *line, struct nkv_words *words)
{
    /* A word takes a character and a blank or NUL at least. */
    size_t most = strlen(line) / 2 + 1;
    const char *error = NULL;
    char *to;

    *words = (struct nkv_words){
        .list = calloc(most + 1, sizeof *words->list),
        .text = malloc(strlen(line) + 2),
    };
    to = words->text;
    if (words->list == NULL || words->text == NULL) {
        nkv_words_free(words);
        return "out of memory";
    }
    while (error == NULL) {
        while (is_blank(*line)) {
            line++;
        }
        if (*line == '\0' || *line == '#') {
            return NULL;
        }
        words->list[words->count++] = to;
        error = take_word(&line, &to);
    }
    nkv_words_free(words);
    return error;
}

void nkv_words_free(struct nkv_words *words)
{
    free(words->list);
    free(words->text);
    *words = (struct nkv_words){0};
}
