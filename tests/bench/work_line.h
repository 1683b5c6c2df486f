/* What is measured of the line, each into figures that begin with "line."
 * (docs/performance.md). */
#ifndef NORKV_TESTS_WORK_LINE_H
#define NORKV_TESTS_WORK_LINE_H

#include "figures.h"

/* Puts: many in flight, and one at a time; what they and gets take on the
 * wire. */
void nkv_measure_puts(struct nkv_figures *figures);
/* Store.Restore by chunk and ring, and with loss; Store.Backup. */
void nkv_measure_uploads(struct nkv_figures *figures);
void nkv_measure_downloads(struct nkv_figures *figures);
void nkv_measure_wire_bytes(struct nkv_figures *figures);

#endif
