/*
 * Prints what uploads reach by the device's receive ring, in virtual time: the
 * figures of docs/memory.md. Records have keys of 12 bytes and values of 32.
 */
#include "restore_rig.h"
#include "test.h"
#include <stdio.h>

static unsigned share(size_t ring, uint32_t baud)
{
    struct nkv_upload_options options = {
        .device = {.ring_size = ring, .frame_size = 1280},
        .speed = {.baud = baud, .latency_ms = 1},
        .count = 4000,
        .value_size = 32,
    };
    struct nkv_upload *upload = nkv_upload_open(&options);
    assert_done(upload->client, nkv_upload_run(upload));
    unsigned result = nkv_upload_share(upload);
    nkv_upload_free(upload);
    return result;
}

static void print_rings(void **state)
{
    static const size_t rings[] = {256, 384, 512, 768, 1024, 2048, 4096};
    static const uint32_t bauds[] = {115200, 921600, 3000000};
    (void)state;
    printf("    ring    115200    921600   3000000\n");
    for (size_t r = 0; r < sizeof(rings) / sizeof(rings[0]); r++) {
        printf("%8zu", rings[r]);
        for (size_t b = 0; b < sizeof(bauds) / sizeof(bauds[0]); b++) {
            unsigned hundredths = share(rings[r], bauds[b]);
            printf("%8u %%", (hundredths + 50) / 100);
        }
        printf("\n");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(print_rings)};
    return cmocka_run_group_tests_name("rings", tests, NULL, NULL);
}
