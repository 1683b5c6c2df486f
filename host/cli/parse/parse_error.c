#include "parse_error.h"

#include <stdarg.h>
#include <stdio.h>

void nkv_parse_error(struct nkv_parse_error *error, unsigned long line,
                     const char *format, ...)
{
    va_list arguments;

    error->line = line;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
}
