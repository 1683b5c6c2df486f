/* Names of hosts that have many addresses: getaddrinfo is the test's here, in
 * place of the C library's. */
#include "test.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* So many that the time of each, one behind the other, could not be mistaken
 * for the time of all. */
enum { DEADLINE_MS = 300, ADDRESSES = 30, FILLERS = 8 };

/* A port that listens; where nobody accepts and the queue is full, connections
 * wait. */
struct listener {
    struct sockaddr_in address;
    int fd;
    int fillers[FILLERS];
};

/* What every name stands for. */
static struct sockaddr_in addresses[ADDRESSES];
static struct addrinfo entries[ADDRESSES];

int getaddrinfo(const char *name, const char *service,
                const struct addrinfo *hints, struct addrinfo **list)
{
    (void)name;
    (void)service;
    for (int i = 0; i < ADDRESSES; i++) {
        entries[i] = (struct addrinfo){
            .ai_family = AF_INET,
            .ai_socktype = hints->ai_socktype,
            .ai_addrlen = sizeof(addresses[i]),
            .ai_addr = (struct sockaddr *)(void *)&addresses[i],
            .ai_next = i + 1 < ADDRESSES ? &entries[i + 1] : NULL,
        };
    }
    *list = entries;
    return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
    assert_ptr_equal(list, entries);
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void start(struct listener *listener, bool is_full)
{
    struct sockaddr *generic = (struct sockaddr *)(void *)&listener->address;
    socklen_t size = sizeof(listener->address);
    listener->fd = socket(AF_INET, SOCK_STREAM, 0);
    listener->address = (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    assert_int_equal(bind(listener->fd, generic, size), 0);
    assert_int_equal(listen(listener->fd, 0), 0);
    assert_int_equal(getsockname(listener->fd, generic, &size), 0);
    for (int i = 0; i < FILLERS; i++) {
        listener->fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (is_full)
            (void)connect(listener->fillers[i], generic, size);
    }
}

static void end(struct listener *listener)
{
    for (int i = 0; i < FILLERS; i++)
        close(listener->fillers[i]);
    close(listener->fd);
}

static void many_addresses_that_hang_share_the_deadline(void **state)
{
    (void)state;
    const struct nkv_client_options options = {.deadline_ms = DEADLINE_MS};
    struct nkv_client *client;
    struct listener full;
    start(&full, true);
    for (int i = 0; i < ADDRESSES; i++)
        addresses[i] = full.address;
    uint64_t begun = now_ms();
    assert_int_equal(nkv_client_open("tcp:many.example:1", &options, &client),
                     NKV_DEADLINE_EXCEEDED);
    uint64_t took = now_ms() - begun;
    assert_says(client, "no connection in time");
    assert_in_range(took, DEADLINE_MS, DEADLINE_MS * ADDRESSES / 2);
    nkv_client_free(&client);
    end(&full);
}

static void an_address_that_hangs_leaves_time_to_those_behind_it(void **state)
{
    (void)state;
    struct nkv_client *client;
    struct listener full;
    struct listener good;
    start(&full, true);
    start(&good, false);
    addresses[0] = full.address;
    for (int i = 1; i < ADDRESSES; i++)
        addresses[i] = good.address;
    assert_done(client, nkv_client_open("tcp:many.example:1", NULL, &client));
    nkv_client_free(&client);
    end(&good);
    end(&full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_addresses_that_hang_share_the_deadline),
        cmocka_unit_test(an_address_that_hangs_leaves_time_to_those_behind_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
