/* Line rates that have no name. A file of its own: the kernel's header, which
 * has the struct for that, cannot stand beside termios.h. */
#include "transport.h"

#include <asm/termbits.h>
#include <sys/ioctl.h>

enum nkv_status nkv_tty_get_speed(int fd, uint32_t *baud)
{
    struct termios2 mode;
    if (ioctl(fd, TCGETS2, &mode) != 0)
        return NKV_INTERNAL;
    *baud = mode.c_ospeed;
    return NKV_OK;
}

enum nkv_status nkv_tty_set_other_speed(int fd, uint32_t baud)
{
    struct termios2 mode;
    if (ioctl(fd, TCGETS2, &mode) != 0)
        return NKV_INTERNAL;
    mode.c_cflag &= ~(tcflag_t)(CBAUD | (CBAUD << IBSHIFT));
    mode.c_cflag |= BOTHER | (BOTHER << IBSHIFT);
    mode.c_ospeed = baud;
    mode.c_ispeed = baud;
    return ioctl(fd, TCSETS2, &mode) == 0 ? NKV_OK : NKV_INTERNAL;
}
