/* Text on a line that carries frames, too: boot messages, a console, what a
 * device prints before its server runs. Cut into lines. */
#ifndef NORKV_HOST_PROSE_H
#define NORKV_HOST_PROSE_H

#include <norkv/bytes.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    /* A longer line is cut into several. */
    NKV_PROSE_SIZE = 512,
    NKV_PROSE_LAST_SIZE = 100
};

/* All zero but line and context: ready. */
struct nkv_prose {
    /* Gets each line, without its end; it may hold any bytes. NULL: nobody. */
    void (*line)(void *context, struct nkv_span line);
    void *context;
    /* What came since the last flag, or line. */
    uint8_t bytes[NKV_PROSE_SIZE];
    size_t size;
    /* It begins as a frame does: it is text only if no frame comes of it. */
    bool is_frame;
    /* The last line that is text, safe to show, or its beginning. */
    char last[NKV_PROSE_LAST_SIZE];
};

/* Takes a byte that is no flag. */
void nkv_prose_add(struct nkv_prose *prose, uint8_t byte);

/* What came was a good frame. */
void nkv_prose_drop(struct nkv_prose *prose);

/* A flag, which text ends with, too. */
void nkv_prose_end(struct nkv_prose *prose);

/* Passes on what came so far of a line that is not ended; for when nothing has
 * come for a while. */
void nkv_prose_flush(struct nkv_prose *prose);

/* Whether nkv_prose_flush has something to pass on. */
bool nkv_prose_waits(const struct nkv_prose *prose);

#endif
