/*
 * Prints the static memory of servers and stores, for the configurations of
 * docs/memory.md: a figure that changes is seen in the build.
 */
#include <norkv/server.h>
#include <stdio.h>

/* A device with one store. */
struct device {
    const char *name;
    /* The arguments of NKV_DEFINE_SERVER_MEMORY. */
    size_t max_frame;
    size_t max_packet;
    size_t calls;
    size_t clients;
    size_t answers;
    /* Those of NKV_DEFINE_MEMORY. */
    size_t max_keys;
    size_t copies;
    size_t sectors;
    size_t buffer;
};

static const struct device devices[] = {
    {
        .name = "simulator (norkv-sim without options)",
        .max_frame = 2048,
        .max_packet = NKV_SERVER_PACKET_MAX,
        .calls = 8,
        .clients = 8,
        .answers = 16,
        .max_keys = 256,
        .copies = 1,
        .sectors = 16,
        .buffer = 256,
    },
    {
        .name = "small device",
        .max_frame = 512,
        .max_packet = NKV_SERVER_PACKET_DEFAULT,
        .calls = 2,
        .clients = 2,
        .answers = 8,
        .max_keys = 64,
        .copies = 1,
        .sectors = 16,
        .buffer = 64,
    },
    {
        .name = "smallest device",
        .max_frame = NKV_SERVER_FRAME_MIN,
        .max_packet = NKV_SERVER_PACKET_MIN,
        .calls = 2,
        .clients = 2,
        .answers = 1,
        .max_keys = 16,
        .copies = 1,
        .sectors = 4,
        .buffer = 16,
    },
};

static void print_bytes(const char *what, size_t bytes)
{
    printf("  %-34s %6zu bytes\n", what, bytes);
}

static void print_device(const struct device *it)
{
    size_t calls = it->calls * (sizeof(struct nkv_rpc_call) +
                                sizeof(struct nkv_server_work));
    size_t clients =
        it->clients * (sizeof(struct nkv_server_client) +
                       it->answers * sizeof(struct nkv_server_answer));
    size_t server = sizeof(struct nkv_server) +
                    NKV_SERVER_MEMORY_SIZE(it->max_frame, it->max_packet,
                                           it->calls, it->clients, it->answers);
    size_t index = sizeof(uint32_t) * NKV_INDEX_WORDS(it->max_keys, it->copies);
    size_t sectors = it->sectors * sizeof(struct nkv_sector);
    size_t store = sizeof(struct nkv_store) + index + sectors + it->buffer;

    printf("norkv memory, %s:\n", it->name);
    print_bytes("struct nkv_server", sizeof(struct nkv_server));
    print_bytes("receive and transmit buffers", it->max_frame + it->max_packet);
    print_bytes("calls in progress", calls);
    print_bytes("clients and their answers", clients);
    print_bytes("server", server);
    print_bytes("struct nkv_store", sizeof(struct nkv_store));
    print_bytes("index", index);
    print_bytes("sectors", sectors);
    print_bytes("program buffer", it->buffer);
    print_bytes("store", store);
    print_bytes("all", server + store);
}

int main(void)
{
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++) {
        print_device(&devices[i]);
    }
    return 0;
}
