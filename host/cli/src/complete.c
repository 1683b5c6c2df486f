#include "complete.h"

#include "command.h"
#include "device.h"
#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nobody waits longer for a list of keys. */
enum { KEYS_MS = 3000 };

struct completion {
    const struct nkv_options *options;
    const char *word;
    struct nkv_completions *found;
};

static size_t common(const char *a, const char *b)
{
    size_t size = 0;

    while (a[size] != '\0' && a[size] == b[size]) {
        size++;
    }
    return size;
}

/* False: there is no room for more. */
static bool offer(struct completion *completion, const char *text)
{
    struct nkv_completions *found = completion->found;
    char *copy;

    if (strncmp(text, completion->word, found->word_size) != 0) {
        return true;
    }
    if (found->count == NKV_COMPLETIONS_MAX || (copy = strdup(text)) == NULL) {
        return false;
    }
    found->list[found->count++] = copy;
    if (found->count == 1) {
        found->common_size = strlen(copy);
    } else if (common(copy, found->list[0]) < found->common_size) {
        found->common_size = common(copy, found->list[0]);
    }
    return true;
}

static void offer_commands(struct completion *completion,
                           const struct nkv_command *table)
{
    for (; table->name != NULL; table++) {
        const char *blank = strchr(table->name, ' ');

        (void)offer(completion, blank != NULL ? blank + 1 : table->name);
    }
    if (completion->found->word_size > 0) {
        (void)offer(completion, "exit");
    }
}

static void offer_options(struct completion *completion,
                          const struct nkv_command *command)
{
    for (int i = 0; i < NKV_OPTION_COUNT; i++) {
        char name[64];

        if ((command->options & ~NKV_TAKES_PORT & NKV_TAKES(i)) != 0) {
            snprintf(name, sizeof name, "--%s",
                     nkv_option_name((enum nkv_option)i));
            (void)offer(completion, name);
        }
    }
}

/* Whether a key stands for itself in a line. */
static bool is_plain(struct nkv_span key)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789_./:@%+=,-";

    for (size_t i = 0; i < key.size; i++) {
        if (memchr(plain, key.data[i], sizeof plain - 1) == NULL) {
            return false;
        }
    }
    return key.size > 0 && key.data[0] != '-';
}

static bool take_key(void *context, const struct nkv_client_record *record)
{
    char key[NKV_CLIENT_KEY_SIZE_MAX + 1];

    if (!is_plain(record->key)) {
        return true;
    }
    memcpy(key, record->key.data, record->key.size);
    key[record->key.size] = '\0';
    return offer(context, key);
}

static void offer_keys(struct completion *completion)
{
    struct nkv_options options = *completion->options;
    struct nkv_client_scan scan = {
        .prefix = {(const uint8_t *)completion->word,
                   completion->found->word_size},
        .keys_only = true,
        .record = take_key,
        .context = completion,
    };
    struct nkv_client *client;

    options.timeout_ms = KEYS_MS;
    options.given &= ~NKV_TAKES(NKV_OPTION_VERBOSE);
    if (nkv_connect(&options, KEYS_MS, &client) == NKV_EXIT_DONE) {
        struct nkv_call_options call = nkv_call_of(&options, KEYS_MS);

        if (nkv_client_scan(client, &call, &scan) != NKV_OK) {
            /* What came is offered all the same. */
        }
        nkv_client_free(&client);
    }
}

static void offer_operands(struct completion *completion,
                           const struct nkv_words *before)
{
    bool is_image = strcmp(before->list[0], "image") == 0;
    const struct nkv_command *command;

    if (is_image && before->count == 1) {
        offer_commands(completion, nkv_image_commands);
        return;
    }
    command = is_image ? nkv_find_command(nkv_image_commands, before->list[1])
                       : nkv_find_command(nkv_commands, before->list[0]);
    if (command == NULL) {
        return;
    }
    if (strncmp(completion->word, "--", 2) == 0) {
        offer_options(completion, command);
    } else if (command->run == nkv_run_help && before->count == 1) {
        offer_commands(completion, nkv_commands);
    } else if (!is_image && command->run != nkv_run_apply &&
               (command->options & NKV_TAKES(NKV_OPTION_KEY_HEX)) != 0) {
        offer_keys(completion);
    }
}

void nkv_complete(const struct nkv_options *options, const char *text,
                  struct nkv_completions *completions)
{
    struct completion completion = {options, NULL, completions};
    struct nkv_words before;
    size_t size = strlen(text);
    char *head;

    *completions = (struct nkv_completions){.count = 0};
    while (size > 0 && text[size - 1] != ' ' && text[size - 1] != '\t') {
        size--;
    }
    completion.word = text + size;
    completions->word_size = strlen(completion.word);
    head = strndup(text, size);
    if (head != NULL && nkv_words_split(head, &before) == NULL) {
        if (before.count == 0) {
            offer_commands(&completion, nkv_commands);
        } else {
            offer_operands(&completion, &before);
        }
        nkv_words_free(&before);
    }
    free(head);
}

void nkv_completions_free(struct nkv_completions *completions)
{
    for (size_t i = 0; i < completions->count; i++) {
        free(completions->list[i]);
    }
    completions->count = 0;
}
