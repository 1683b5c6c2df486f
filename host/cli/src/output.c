#include "output.h"

#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* errno of the first flush of standard output that failed; 0: none did. */
static int cause;

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

bool nkv_flush_output(void)
{
    if (fflush(stdout) != 0 && cause == 0) {
        cause = errno;
    }
    return nkv_output_works();
}

enum nkv_exit nkv_close_output(enum nkv_exit code)
{
    if (nkv_flush_output()) {
        return code;
    }
    nkv_fail(NKV_EXIT_FAILED,
             "cannot write standard output: %s: the output is incomplete; give "
             "it a place that can be written, then repeat the command",
             strerror(cause != 0 ? cause : EIO));
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
