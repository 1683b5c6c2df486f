/* A program that knows libnorkv only as it was installed: no port is there, and
 * it is told so. */
#include <norkv/client.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    static const char port[] = "/nowhere/at/all";
    struct nkv_client *client = NULL;
    enum nkv_status status = nkv_client_open(port, NULL, &client);
    int told = client != NULL && strstr(nkv_client_error(client), port) != NULL;

    printf("%s\n", client != NULL ? nkv_client_error(client) : "no client");
    nkv_client_free(&client);
    return status != NKV_OK && told ? 0 : 1;
}
