/* norkv: a device's key-value store, from the command line. */
#include "dispatch.h"
#include "output.h"

int main(int argc, char **argv)
{
    nkv_prepare_streams();
    return (int)nkv_close_output(nkv_dispatch(argc, argv, NULL));
}
