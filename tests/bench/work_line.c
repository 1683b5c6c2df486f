#include "work_line.h"

#include "line_rig.h"
#include <stdio.h>
#include <stdlib.h>

enum { RECORDS = 2000, PUTS = 2000, PUTS_ALONE = 200, WIRE_COUNT = 201 };

static const struct nkv_line_setup put_setup = {
    .baud = 921600,
    .latency_ms = 1,
    .ring = 1024,
    .max_frame = 512,
};

/* Key and value bytes as a share of what the line carries one way, in
 * percent. */
static double share(const struct nkv_line_setup *setup, size_t records,
                    struct nkv_line_time time)
{
    double bits = (double)records * NKV_LINE_RECORD_SIZE * 10;
    return 100 * bits / ((double)time.us * setup->baud / 1e6);
}

/* ---- Puts ------------------------------------------------------------- */

static void put_all(struct nkv_line_rig *rig)
{
    struct nkv_mutation *mutations = calloc(rig->count, sizeof(*mutations));
    if (mutations == NULL)
        exit(1);
    for (size_t i = 0; i < rig->count; i++) {
        mutations[i].key = nkv_line_key(rig, i);
        mutations[i].value = nkv_line_value(rig, i);
    }
    nkv_line_expect_ok(
        rig, nkv_client_apply(rig->client, NULL, mutations, rig->count, NULL),
        "apply");
    free(mutations);
}

static void put(struct nkv_line_rig *rig, size_t number)
{
    nkv_line_expect_ok(rig,
                       nkv_client_put(rig->client, NULL,
                                      nkv_line_key(rig, number),
                                      nkv_line_value(rig, number)),
                       "put");
}

static void put_one_at_a_time(struct nkv_line_rig *rig)
{
    for (size_t i = 0; i < rig->count; i++)
        put(rig, i);
}

static void measure_put(struct nkv_figures *figures, const char *name,
                        const struct nkv_line_setup *setup, size_t count,
                        void (*work)(struct nkv_line_rig *rig))
{
    struct nkv_line_rig *rig = nkv_line_rig_open(setup, count);
    struct nkv_line_time begun = nkv_line_now(rig);
    work(rig);
    nkv_figures_put(figures, name,
                    share(setup, count, nkv_line_since(rig, begun)));
    nkv_line_rig_close(rig);
}

void nkv_measure_puts(struct nkv_figures *figures)
{
    struct nkv_line_setup without = put_setup;
    without.omit_value_crc = true;
    measure_put(figures, "line.put.r1024.921600.1ms.share", &without, PUTS,
                put_all);
    measure_put(figures, "line.put.r1024.921600.1ms.crc32.share", &put_setup,
                PUTS, put_all);
    measure_put(figures, "line.put_alone.921600.1ms.share", &put_setup,
                PUTS_ALONE, put_one_at_a_time);
}

/* ---- Uploads ---------------------------------------------------------- */

struct upload {
    const char *name;
    uint32_t baud;
    uint32_t ring;
    uint32_t max_frame;
    /* 0: what the client finds best. */
    uint32_t chunk;
};

struct source {
    const struct nkv_line_rig *rig;
    size_t next;
};

static enum nkv_status next_record(void *context, struct nkv_span *key,
                                   struct nkv_span *value)
{
    struct source *source = context;
    if (source->next == source->rig->count)
        return NKV_NOT_FOUND;
    *key = nkv_line_key(source->rig, source->next);
    *value = nkv_line_value(source->rig, source->next);
    source->next++;
    return NKV_OK;
}

static struct nkv_line_time upload(const struct nkv_line_setup *setup,
                                   uint32_t chunk, size_t count)
{
    struct nkv_line_rig *rig = nkv_line_rig_open(setup, count);
    struct source source = {.rig = rig};
    struct nkv_client_restore restore = {
        .next = next_record,
        .context = &source,
        .chunk_size = chunk,
    };
    struct nkv_line_time begun = nkv_line_now(rig);
    nkv_line_expect_ok(rig, nkv_client_restore(rig->client, NULL, &restore),
                       "restore");
    struct nkv_line_time time = nkv_line_since(rig, begun);
    if (restore.records != count) {
        fprintf(stderr, "line: %u records went\n", restore.records);
        exit(1);
    }
    nkv_line_rig_close(rig);
    return time;
}

static struct nkv_line_setup setup_of(const struct upload *what)
{
    return (struct nkv_line_setup){
        .baud = what->baud,
        .latency_ms = 1,
        .ring = what->ring,
        .max_frame = what->max_frame,
    };
}

static void measure_upload(struct nkv_figures *figures,
                           const struct upload *what)
{
    struct nkv_line_setup setup = setup_of(what);
    struct nkv_line_time time = upload(&setup, what->chunk, RECORDS);
    char text[NKV_FIGURE_NAME_MAX];
    snprintf(text, sizeof(text), "line.upload.%s.share", what->name);
    nkv_figures_put(figures, text, share(&setup, RECORDS, time));
    snprintf(text, sizeof(text), "line.upload.%s.busy", what->name);
    nkv_figures_put(figures, text,
                    100 * (double)time.sent * 10 /
                        ((double)time.us * setup.baud / 1e6));
}

/* One frame in a thousand is lost each way; as percent of the clean line. */
static void measure_loss(struct nkv_figures *figures, const struct upload *what)
{
    enum { MANY = 20000 };
    struct nkv_line_setup setup = setup_of(what);
    struct nkv_line_time clean = upload(&setup, what->chunk, MANY);
    setup.loss = 1000;
    struct nkv_line_time lossy = upload(&setup, what->chunk, MANY);
    char text[NKV_FIGURE_NAME_MAX];
    snprintf(text, sizeof(text), "line.upload.%s.loss0.1", what->name);
    nkv_figures_put(figures, text, 100 * (double)clean.us / (double)lossy.us);
}

void nkv_measure_uploads(struct nkv_figures *figures)
{
    static const struct upload uploads[] = {
        {"c460.r2048.921600.1ms", 921600, 2048, 512, 460},
        {"c230.r1024.921600.1ms", 921600, 1024, 512, 230},
        {"r2048.921600.1ms", 921600, 2048, 1024, 0},
        {"r1024.921600.1ms", 921600, 1024, 512, 0},
        {"r512.921600.1ms", 921600, 512, 384, 0},
        {"r256.921600.1ms", 921600, 256, 228, 0},
        {"r1024.115200.1ms", 115200, 1024, 512, 0},
        {"r256.115200.1ms", 115200, 256, 228, 0},
    };
    for (size_t i = 0; i < sizeof(uploads) / sizeof(uploads[0]); i++)
        measure_upload(figures, &uploads[i]);
    measure_loss(figures, &uploads[0]);
}

/* ---- Downloads -------------------------------------------------------- */

static bool count_record(void *context, const struct nkv_client_record *record)
{
    size_t *count = context;
    *count += record->status == NKV_OK;
    return true;
}

/* Puts the records into the store, past the line. */
static void fill_store(struct nkv_line_rig *rig)
{
    for (size_t i = 0; i < rig->count; i++)
        nkv_line_expect_ok(rig,
                           nkv_put(&rig->device.parts[0].store,
                                   nkv_line_key(rig, i),
                                   nkv_line_value(rig, i)),
                           "put");
}

static void measure_download(struct nkv_figures *figures, const char *name,
                             uint32_t baud)
{
    struct nkv_line_setup setup = put_setup;
    size_t count = 0;
    struct nkv_client_backup backup = {
        .record = count_record,
        .context = &count,
    };
    setup.baud = baud;
    struct nkv_line_rig *rig = nkv_line_rig_open(&setup, RECORDS);
    fill_store(rig);
    struct nkv_line_time begun = nkv_line_now(rig);
    nkv_line_expect_ok(rig, nkv_client_backup(rig->client, NULL, &backup),
                       "backup");
    if (count != RECORDS) {
        fprintf(stderr, "line: %zu records came\n", count);
        exit(1);
    }
    nkv_figures_put(figures, name,
                    share(&setup, count, nkv_line_since(rig, begun)));
    nkv_line_rig_close(rig);
}

void nkv_measure_downloads(struct nkv_figures *figures)
{
    measure_download(figures, "line.download.115200.1ms.share", 115200);
    measure_download(figures, "line.download.921600.1ms.share", 921600);
    measure_download(figures, "line.download.3000000.1ms.share", 3000000);
}

/* ---- Bytes on the wire ------------------------------------------------ */

static void get(struct nkv_line_rig *rig, size_t number)
{
    struct nkv_client_value value;
    nkv_line_expect_ok(
        rig,
        nkv_client_get(rig->client, NULL, nkv_line_key(rig, number), &value),
        "get");
    nkv_client_value_clear(&value);
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static double median(uint64_t *values)
{
    qsort(values, WIRE_COUNT, sizeof(*values), compare);
    return (double)values[WIRE_COUNT / 2];
}

/* Of a call and its answer; those with an escape are not the median. */
static void measure_wire(struct nkv_figures *figures, struct nkv_line_rig *rig,
                         const char *name,
                         void (*call)(struct nkv_line_rig *rig, size_t number))
{
    uint64_t sent[WIRE_COUNT], received[WIRE_COUNT];
    char text[NKV_FIGURE_NAME_MAX];
    for (size_t i = 0; i < WIRE_COUNT; i++) {
        struct nkv_line_time begun = nkv_line_now(rig);
        call(rig, i);
        struct nkv_line_time took = nkv_line_since(rig, begun);
        sent[i] = took.sent;
        received[i] = took.received;
    }
    snprintf(text, sizeof(text), "line.bytes.%s.request", name);
    nkv_figures_put(figures, text, median(sent));
    snprintf(text, sizeof(text), "line.bytes.%s.answer", name);
    nkv_figures_put(figures, text, median(received));
}

/* Values without a byte that is escaped. */
static void make_plain(struct nkv_line_rig *rig)
{
    for (size_t i = 0; i < rig->count; i++) {
        for (size_t at = 0; at < NKV_LINE_VALUE_SIZE; at++)
            rig->records[i].value[at] &= 0x3f;
    }
}

void nkv_measure_wire_bytes(struct nkv_figures *figures)
{
    for (unsigned omit = 0; omit < 2; omit++) {
        struct nkv_line_setup setup = put_setup;
        setup.omit_value_crc = omit != 0;
        struct nkv_line_rig *rig = nkv_line_rig_open(&setup, WIRE_COUNT);
        make_plain(rig);
        /* From here on the numbers of a session take two bytes. */
        put_all(rig);
        make_plain(rig);
        rig->records[0].value[0] ^= 1;
        measure_wire(figures, rig, omit != 0 ? "put" : "put.crc32", put);
        if (omit == 0)
            measure_wire(figures, rig, "get.crc32", get);
        nkv_line_rig_close(rig);
    }
}
