#include "report.h"

#include <stdarg.h>
#include <stdio.h>

/* A message is one line, whatever names are in it. */
static void replace_controls(char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char character = (unsigned char)*text;

        if (character < 0x20 || character == 0x7f) {
            *text = '?';
        }
    }
}

enum nkv_exit nkv_fail(enum nkv_exit code, const char *format, ...)
{
    char text[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    replace_controls(text);
    fprintf(stderr, "norkv: %s\n", text);
    return code;
}

enum nkv_exit nkv_fail_for_memory(void)
{
    return nkv_fail(NKV_EXIT_FAILED,
                    "out of memory: nothing more was done; close other "
                    "programs and try again");
}
