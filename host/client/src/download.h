/*
 * Scan and Backup: a stream of numbered chunks. One that was lost shows as a
 * gap in their numbers or as silence; the stream then goes on from where it has
 * come to with a new call.
 */
#ifndef NORKV_HOST_DOWNLOAD_H
#define NORKV_HOST_DOWNLOAD_H

#include "internal.h"

enum nkv_download_end {
    NKV_DOWNLOAD_RUNNING,
    /* All came. */
    NKV_DOWNLOAD_COMPLETE,
    /* Begin a new call from here. */
    NKV_DOWNLOAD_LOST,
    /* The same, but nothing was lost: the device is busy. */
    NKV_DOWNLOAD_BUSY,
    /* The callback had enough. */
    NKV_DOWNLOAD_STOPPED,
    /* A chunk that makes no sense. */
    NKV_DOWNLOAD_BROKEN
};

struct nkv_download;

/* What is downloaded. */
struct nkv_download_kind {
    enum nkv_method_number method;
    /* Makes the request for what is still missing; allocated. NULL: no memory.
     */
    uint8_t *(*request)(struct nkv_download *download, size_t *size);
    /* Takes the next chunk, a message of the method's answer type, and sets end
     * when that ends the call. */
    void (*chunk)(struct nkv_download *download,
                  const ProtobufCMessage *message);
    /* The device refused to go on from there. True: it is to be asked again,
     * from another place. May be NULL. */
    bool (*refused)(struct nkv_download *download,
                    const struct nkv_answer *answer);
};

/* A download. The caller sets the first three. */
struct nkv_download {
    struct nkv_client *client;
    const struct nkv_download_kind *kind;
    void *context;
    enum nkv_download_end end;
    /* The number of the chunk that comes next in this call. */
    uint32_t next_index;

    struct nkv_exchange exchange;
    bool begun;
    /* Calls, one after another, without a single chunk that could be used;
     * and those in which no chunk came at all, nor another answer. */
    unsigned fruitless;
    unsigned silent;
};

/* The chunk was of use. */
void nkv_download_took(struct nkv_download *download);

/*
 * Makes calls until all came. Failures have set the client's error;
 * NKV_CANCELLED is NKV_DOWNLOAD_STOPPED.
 */
NKV_MUST_USE enum nkv_status nkv_download_run(struct nkv_download *download);

/* Whether key begins with prefix. */
bool nkv_download_has_prefix(struct nkv_span key, struct nkv_span prefix);

#endif
