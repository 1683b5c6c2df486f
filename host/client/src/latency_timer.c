/* The timer of FTDI adapters, which send what they have received when it runs
 * out: the latency of every answer. */
#include "transport.h"

#include <linux/serial.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

/* The timer's file, 0 where the adapter has none. */
static int read_timer(const char *file)
{
    int ms = 0;
    FILE *from = fopen(file, "r");
    if (from == NULL)
        return 0;
    if (fscanf(from, "%3d", &ms) != 1)
        ms = 0;
    fclose(from);
    return ms;
}

/* The owner of the port may do this, and the driver then uses 1 ms. */
static void ask_driver(int fd)
{
    struct serial_struct serial;
    if (fd < 0 || ioctl(fd, TIOCGSERIAL, &serial) != 0)
        return;
    serial.flags |= (int)ASYNC_LOW_LATENCY;
    (void)ioctl(fd, TIOCSSERIAL, &serial);
}

static void write_timer(const char *file)
{
    FILE *to = fopen(file, "w");
    if (to == NULL)
        return;
    fputs("1\n", to);
    fclose(to);
}

void nkv_latency_timer_lower(const struct nkv_port_request *request, int fd)
{
    char file[256];
    const char *root = request->sysfs == NULL ? "/sys" : request->sysfs;
    const char *slash = strrchr(request->path, '/');
    const char *name = slash == NULL ? request->path : slash + 1;
    int size =
        snprintf(file, sizeof(file),
                 "%s/bus/usb-serial/devices/%s/latency_timer", root, name);
    if (size < 0 || (size_t)size >= sizeof(file))
        return;
    if (read_timer(file) > 1)
        ask_driver(fd);
    if (read_timer(file) > 1)
        write_timer(file);
    int ms = read_timer(file);
    if (ms > 1 && request->hint != NULL)
        nkv_text_add(request->hint,
                     "the USB adapter holds back what it receives for %d ms: "
                     "'echo 1 | sudo tee %s' ends that until it is plugged in "
                     "again, norkv's udev rule for good",
                     ms, file);
}
