#include "limits.h"

#define MOST NKV_AT_MOST
#define LEAST NKV_AT_LEAST
#define COUNTS NKV_HELD_BY_FIGURES
#define SIZE NKV_HELD_BY_SIZE
#define SHOWN NKV_HELD_BY_NONE

/* Shares in percent; all but the size and the time of a process are of the
 * simulated line, and the same on every run. */
const struct nkv_limit nkv_line_limits[] = {
    {"line.upload.c460.r2048.921600.1ms.share", LEAST, 86, COUNTS},
    {"line.upload.c460.r2048.921600.1ms.busy", LEAST, 95, COUNTS},
    {"line.upload.c230.r1024.921600.1ms.share", LEAST, 80, COUNTS},
    {"line.upload.r256.115200.1ms.share", LEAST, 60, COUNTS},
    {"line.upload.c460.r2048.921600.1ms.loss0.1", LEAST, 95, COUNTS},
    {"line.put.r1024.921600.1ms.share", LEAST, 52, COUNTS},
    {"line.put.r1024.921600.1ms.crc32.share", LEAST, 49, COUNTS},
    {"line.download.921600.1ms.share", LEAST, 87, COUNTS},
    {"line.download.3000000.1ms.share", LEAST, 87, COUNTS},
    {"line.norkv_put.tcp.median_ms", MOST, 20, SHOWN},
    {"line.bytes.put.request", MOST, 83, COUNTS},
    {"line.bytes.put.answer", MOST, 30, COUNTS},
    {"line.bytes.put.crc32.request", MOST, 88, COUNTS},
    {"line.bytes.put.crc32.answer", MOST, 30, COUNTS},
    {"line.bytes.get.crc32.request", MOST, 39, COUNTS},
    {"line.bytes.get.crc32.answer", MOST, 69, COUNTS},

    /* The reference's frames, calls and protobuf take 26.2 KB, and its services
     * come on top. What there is must not grow. */
    {"line.size.text.m0.frame_to_frame", MOST, 4736, SIZE},
    {"line.size.text.m4.frame_to_frame", MOST, 4736, SIZE},
    {"line.size.text.m0.all", MOST, 14848, SIZE},
    {"line.size.text.m0.without_transfer", MOST, 12288, SIZE},
    {"line.size.text.m0.smallest", MOST, 10752, SIZE},
};

const size_t nkv_line_limit_count =
    sizeof nkv_line_limits / sizeof *nkv_line_limits;
