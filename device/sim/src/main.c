/* norkv-sim: brings flash, store, servers and lines together. */
#include "flash_file.h"
#include "options.h"
#include "report.h"
#include "serve.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* Descriptors 0 to 2 must not become the flash, or what is printed would end
 * up there. */
static bool hold_standard_descriptors(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDWR);
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

/* What to do about a store that did not mount well. */
static const char *advice(enum nkv_status status)
{
    switch (status) {
    case NKV_FAILED_PRECONDITION:
        return "what is on it is not this store's, or an erase was cut short; "
               "it only reads until it is erased (norkv erase-all)";
    case NKV_RESOURCE_EXHAUSTED:
        return "it has more keys than --max-keys; it only reads";
    default:
        return "it cannot be read";
    }
}

static void tell_counters(const struct nkv_flash_counters *counters)
{
    nkv_sim_say("ended; flash: %" PRIu64 " units programmed, %" PRIu64
                " sectors erased, %" PRIu64 " programs refused",
                counters->programs, counters->erases,
                counters->refused_programs);
    if (counters->refused_programs > 0) {
        nkv_sim_say("%" PRIu64 " programs were refused because the flash "
                    "was not erased there: the store is at fault",
                    counters->refused_programs);
    }
    if (counters->refused_calls > 0) {
        nkv_sim_say("%" PRIu64 " flash calls were refused because they were "
                    "unaligned or out of range: the store is at fault",
                    counters->refused_calls);
    }
}

static int run_store(const struct nkv_sim_options *options,
                     struct nkv_flash_file *file, struct nkv_config *config,
                     int stop_fd)
{
    struct nkv_store store;
    struct nkv_server_store served = {
        .name = "main",
        .store = &store,
        .config = config,
    };
    struct nkv_station_setup setup = {
        .stores = &served,
        .store_count = 1,
        .unit_id = options->unit_id,
        .max_frame = options->max_frame,
        .baud = options->baud,
        .stop_fd = stop_fd,
    };

    config->flash = &file->flash;
    served.mount_status = nkv_mount(&store, config);
    if (served.mount_status == NKV_INVALID_ARGUMENT) {
        nkv_sim_say("the store takes no such geometry");
        return NKV_SIM_FAILED;
    }
    if (served.mount_status != NKV_OK) {
        nkv_sim_say("mounting %s: %s: %s", options->flash,
                    nkv_status_name(served.mount_status),
                    advice(served.mount_status));
    }
    return nkv_serve(options, &setup) ? NKV_SIM_DONE : NKV_SIM_FAILED;
}

static int run(const struct nkv_sim_options *options, int stop_fd)
{
    struct nkv_flash_file file;
    struct nkv_flash described = {0};
    struct nkv_config config = {0};
    enum nkv_status status = nkv_flash_file_open(
        &file, options->flash, &options->geometry, options->cut);
    int exit_code;

    if (status != NKV_OK)
        return status == NKV_INVALID_ARGUMENT ? NKV_SIM_USAGE : NKV_SIM_FAILED;
    nkv_geometry_configure(&options->geometry, &described, &config);
    if (!nkv_geometry_allocate(&options->geometry, &config.memory)) {
        nkv_sim_say("not enough memory for the store: give fewer --max-keys");
        nkv_flash_file_discard(&file);
        return NKV_SIM_FAILED;
    }
    exit_code = run_store(options, &file, &config, stop_fd);
    nkv_geometry_release(&config.memory);
    if (exit_code == NKV_SIM_DONE) {
        tell_counters(&file.counters);
        nkv_flash_file_close(&file);
    } else {
        nkv_flash_file_discard(&file);
    }
    return exit_code;
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
