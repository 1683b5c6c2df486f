/* Measures the line and prints a line for each figure: line.NAME VALUE. */
#include "work_line.h"

#include <stdlib.h>

int main(void)
{
    static struct nkv_figures figures;

    figures.out = stdout;
    nkv_measure_puts(&figures);
    nkv_measure_uploads(&figures);
    nkv_measure_downloads(&figures);
    nkv_measure_wire_bytes(&figures);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
