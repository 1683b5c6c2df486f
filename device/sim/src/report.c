#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void replace_controls(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7F)
            *text = '?';
    }
}

void nkv_sim_say(const char *format, ...)
{
    static const char prefix[] = "norkv-sim: ";
    char line[1024];
    char *text = line + sizeof prefix - 1;
    size_t size;
    va_list arguments;

    memcpy(line, prefix, sizeof prefix);
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof line - sizeof prefix, format, arguments);
    va_end(arguments);
    replace_controls(text);
    size = strlen(line);
    line[size] = '\n';
    /* Whoever closed standard error does not want to know. */
    if (write(STDERR_FILENO, line, size + 1) < 0)
        return;
}
