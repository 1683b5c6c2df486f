#include "output.h"

#include "hex.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Takes the number of a stream that is closed, for reading only where it is
 * written to, so that writes are noticed. */
static void occupy(int fd)
{
    /* The lowest free number: fd, as those below it are open. */
    int got = open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);

    if (got != fd && got >= 0) {
        close(got);
    }
}

void nkv_prepare_streams(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    sigaction(SIGPIPE, &ignore, NULL);
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) == -1) {
            occupy(fd);
        }
    }
}

bool nkv_output_works(void)
{
    return ferror(stdout) == 0;
}

enum nkv_exit nkv_close_output(enum nkv_exit code)
{
    bool failed = ferror(stdout) != 0;
    int cause = EIO;

    if (fflush(stdout) != 0) {
        failed = true;
        cause = errno;
    }
    if (!failed) {
        return code;
    }
    nkv_fail(NKV_EXIT_FAILED,
             "cannot write standard output: %s: the output is incomplete; give "
             "it a place that can be written, then repeat the command",
             strerror(cause));
    return code == NKV_EXIT_DONE ? NKV_EXIT_FAILED : code;
}

void nkv_print_bytes(struct nkv_span bytes)
{
    if (bytes.size > 0) {
        fwrite(bytes.data, 1, bytes.size, stdout);
    }
}

void nkv_print_shown(struct nkv_span bytes)
{
    char *shown = malloc(NKV_SHOW_SIZE(bytes.size));

    if (shown != NULL) {
        fputs(nkv_show(bytes, shown), stdout);
        free(shown);
    }
}

enum nkv_exit nkv_print_json(json_t *object)
{
    if (object == NULL) {
        return nkv_fail_for_memory();
    }
    json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(object);
    return NKV_EXIT_DONE;
}

void nkv_json_set_hex(json_t *object, const char *name, struct nkv_span bytes)
{
    char *digits = malloc(2 * bytes.size + 1);

    if (digits != NULL) {
        nkv_hex_encode(bytes, digits);
        json_object_set_new(object, name, json_string(digits));
        free(digits);
    }
}

void nkv_json_set_key(json_t *object, struct nkv_span key)
{
    if (nkv_is_printable(key)) {
        json_object_set_new(object, "key",
                            json_stringn((const char *)key.data, key.size));
    }
    nkv_json_set_hex(object, "key_hex", key);
}

void nkv_json_set_value(json_t *object, struct nkv_span value)
{
    const char *text = value.size > 0 ? (const char *)value.data : "";

    nkv_json_set_hex(object, "value_hex", value);
    if (nkv_is_utf8(value)) {
        json_object_set_new(object, "text", json_stringn(text, value.size));
    }
}

void nkv_json_set_integer(json_t *object, const char *name, json_int_t value)
{
    json_object_set_new(object, name, json_integer(value));
}

void nkv_json_set_text(json_t *object, const char *name, const char *text)
{
    size_t size = strlen(text);
    struct nkv_span bytes = {(const uint8_t *)text, size};
    char *shown;

    if (nkv_is_utf8(bytes)) {
        json_object_set_new(object, name, json_stringn(text, size));
        return;
    }
    shown = malloc(NKV_SHOW_SIZE(size));
    if (shown != NULL) {
        json_object_set_new(object, name, json_string(nkv_show(bytes, shown)));
        free(shown);
    }
}
