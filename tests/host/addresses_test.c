/* Names of hosts that have many addresses: getaddrinfo is the test's here, in
 * place of the C library's. */
#include "machine.h"
#include "test.h"

#include <netdb.h>
#include <sys/socket.h>

/* So many that the time of each, one behind the other, could not be mistaken
 * for the time of all. */
enum { DEADLINE_MS = 2000, ADDRESSES = 30 };

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

static void many_addresses_that_hang_share_the_deadline(void **state)
{
    (void)state;
    const struct nkv_client_options options = {.deadline_ms = DEADLINE_MS};
    struct nkv_client *client;
    struct nkv_loopback full;
    nkv_loopback_listen(&full, 0, 0);
    nkv_loopback_fill(&full);
    for (int i = 0; i < ADDRESSES; i++)
        addresses[i] = full.address;
    uint64_t begun = nkv_machine_ms();
    assert_int_equal(nkv_client_open("tcp:many.example:1", &options, &client),
                     NKV_DEADLINE_EXCEEDED);
    uint64_t took = nkv_machine_ms() - begun;
    assert_says(client, "no connection in time");
    assert_in_range(took, DEADLINE_MS, DEADLINE_MS * ADDRESSES / 2);
    nkv_client_free(&client);
    nkv_loopback_close(&full);
}

static void an_address_that_hangs_leaves_time_to_those_behind_it(void **state)
{
    (void)state;
    struct nkv_client *client;
    struct nkv_loopback full;
    struct nkv_loopback good;
    nkv_loopback_listen(&full, 0, 0);
    nkv_loopback_fill(&full);
    nkv_loopback_listen(&good, 0, 0);
    addresses[0] = full.address;
    for (int i = 1; i < ADDRESSES; i++)
        addresses[i] = good.address;
    assert_done(client, nkv_client_open("tcp:many.example:1", NULL, &client));
    nkv_client_free(&client);
    nkv_loopback_close(&good);
    nkv_loopback_close(&full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_addresses_that_hang_share_the_deadline),
        cmocka_unit_test(an_address_that_hangs_leaves_time_to_those_behind_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
