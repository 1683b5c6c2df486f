/* An upload to a real device on a simulated line. */
#ifndef NORKV_TESTS_HOST_RESTORE_RIG_H
#define NORKV_TESTS_HOST_RESTORE_RIG_H

#include "real_device.h"

enum { NKV_UPLOAD_KEY = 12, NKV_UPLOAD_VALUE_MAX = 2048 };

struct nkv_upload_options {
    struct nkv_device_options device;
    struct nkv_line_speed speed;
    struct nkv_line_faults faults;
    /* Records, and bytes of each value; 0: 1 to 60 bytes. */
    uint32_t count;
    size_t value_size;
    /* Values of bytes that must be escaped. */
    bool is_escaped;
    uint32_t chunk_size;
    uint32_t deadline_ms;
    uint64_t seed;
};

struct nkv_upload {
    struct nkv_upload_options options;
    struct nkv_bench bench;
    struct nkv_real_device device;
    struct nkv_client *client;
    struct nkv_client_restore restore;
    uint32_t next;
    uint8_t key[NKV_UPLOAD_KEY];
    uint8_t value[NKV_UPLOAD_VALUE_MAX];
    /* Virtual time of the upload alone, and what the client wrote in it. */
    uint64_t time_us;
    uint64_t written;
};

/* Makes all of it; the session is open. */
struct nkv_upload *nkv_upload_open(const struct nkv_upload_options *options);

void nkv_upload_free(struct nkv_upload *upload);

/* Uploads the records from number next on. */
enum nkv_status nkv_upload_run(struct nkv_upload *upload);

/* The device has exactly the first count records. */
void nkv_upload_check(struct nkv_upload *upload, uint32_t count);

/* Share of the line's rate in bytes of keys and values, and of time that the
 * line was busy, in a hundredth of a percent. */
unsigned nkv_upload_share(const struct nkv_upload *upload);
unsigned nkv_upload_busy(const struct nkv_upload *upload);

#endif
