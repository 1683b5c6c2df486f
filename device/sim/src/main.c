/* norkv-sim: brings stores, servers and lines together. */
#include "options.h"
#include "report.h"
#include "serve.h"
#include "stores.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* Descriptors 0 to 2 must not become the flash, or what is printed would end
 * up there. What fills their places takes nothing. */
static bool hold_standard_descriptors(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDONLY);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    return fd >= 0 && close(fd) == 0;
}

/* A descriptor that becomes readable at SIGTERM and SIGINT, or -1. */
static int open_stop_signal(void)
{
    sigset_t signals;

    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
        sigprocmask(SIG_BLOCK, &signals, NULL) != 0)
        return -1;
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int run(const struct nkv_sim_options *options, int stop_fd)
{
    static struct nkv_sim_stores stores;
    int exit_code;

    if (!nkv_sim_stores_open(&stores, options, &exit_code))
        return exit_code;
    const struct nkv_station_setup setup = {
        .stores = stores.served,
        .store_count = stores.count,
        .unit_id = options->unit_id,
        .max_frame = options->max_frame,
        .rx_window = options->rx_window,
        .baud = options->baud,
        .stop_fd = stop_fd,
    };
    if (!nkv_serve(options, &setup)) {
        nkv_sim_stores_discard(&stores);
        return NKV_SIM_FAILED;
    }
    nkv_sim_stores_close(&stores);
    return NKV_SIM_DONE;
}

int main(int argc, char **argv)
{
    struct nkv_sim_options options;
    int exit_code, stop_fd;

    if (!nkv_sim_options_parse(&options, argc, argv, &exit_code))
        return exit_code;
    if (!hold_standard_descriptors() || (stop_fd = open_stop_signal()) < 0) {
        nkv_sim_say("cannot start: %s", strerror(errno));
        return NKV_SIM_FAILED;
    }
    exit_code = run(&options, stop_fd);
    close(stop_fd);
    return exit_code;
}
