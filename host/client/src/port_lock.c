/* One program a port: the lock, and who holds it. */
#include "transport.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

/* The process that has a flock on this inode, as /proc/locks tells; 0: none. */
static long find_in_locks(const struct stat *file)
{
    FILE *list = fopen("/proc/locks", "r");
    if (list == NULL)
        return 0;
    char line[256];
    long holder = 0;
    while (holder == 0 && fgets(line, sizeof(line), list) != NULL) {
        long process;
        unsigned major_number;
        unsigned minor_number;
        unsigned long inode;
        if (sscanf(line, "%*s FLOCK %*s %*s %ld %x:%x:%lu", &process,
                   &major_number, &minor_number, &inode) == 4 &&
            makedev(major_number, minor_number) == file->st_dev &&
            inode == (unsigned long)file->st_ino)
            holder = process;
    }
    fclose(list);
    return holder;
}

/* Whether a process of ours, or any if we are root, has a device open. */
static bool has_open(const char *process, dev_t device)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%.20s/fd", process);
    DIR *folder = opendir(path);
    if (folder == NULL)
        return false;
    bool found = false;
    const struct dirent *entry;
    while (!found && (entry = readdir(folder)) != NULL) {
        struct stat file;
        found = fstatat(dirfd(folder), entry->d_name, &file, 0) == 0 &&
                S_ISCHR(file.st_mode) && file.st_rdev == device;
    }
    closedir(folder);
    return found;
}

static long find_in_processes(const struct stat *file)
{
    DIR *folder = opendir("/proc");
    if (folder == NULL)
        return 0;
    long holder = 0;
    const struct dirent *entry;
    while (holder == 0 && (entry = readdir(folder)) != NULL) {
        long process = strtol(entry->d_name, NULL, 10);
        if (process > 0 && process != (long)getpid() &&
            has_open(entry->d_name, file->st_rdev))
            holder = process;
    }
    closedir(folder);
    return holder;
}

/* A process's name, safe to show. False: there is no such process any more. */
static bool find_name(long process, char *name, int capacity)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%ld/comm", process);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    bool found = fgets(name, capacity, file) != NULL;
    fclose(file);
    if (!found)
        return false;
    name[strcspn(name, "\n")] = '\0';
    nkv_text_make_safe(name);
    return true;
}

/* Tries each new port for a modem. */
static const char modem_manager[] = "ModemManager";

static bool runs(const char *program)
{
    DIR *folder = opendir("/proc");
    if (folder == NULL)
        return false;
    bool found = false;
    const struct dirent *entry;
    while (!found && (entry = readdir(folder)) != NULL) {
        char name[64];
        long process = strtol(entry->d_name, NULL, 10);
        found = process > 0 && find_name(process, name, sizeof(name)) &&
                strcmp(name, program) == 0;
    }
    closedir(folder);
    return found;
}

/* Says who uses a port, and what to do about it. False: nothing, as there is no
 * such process any more. */
static bool explain_holder(long process, struct nkv_text *why)
{
    char name[64];
    if (process <= 0 || !find_name(process, name, sizeof(name)))
        return false;
    nkv_text_add(why, "in use by %s (process %ld)", name, process);
    if (strcmp(name, modem_manager) == 0)
        nkv_text_add(why, ", which tries new ports for modems: repeat in some "
                          "seconds; norkv's udev rule keeps it away");
    else
        nkv_text_add(why, "; end that program first");
    return true;
}

/* Other users' processes do not show which files they have open. */
static void explain_unknown(const char *path, struct nkv_text *why)
{
    nkv_text_add(why,
                 "in use by another program; end that program first ('sudo "
                 "fuser -v %s' names it)",
                 path);
    if (runs(modem_manager))
        nkv_text_add(why, "; if it is ModemManager, which tries new ports for "
                          "modems, repeat in some seconds: norkv's udev rule "
                          "keeps it away");
}

void nkv_port_explain_use(const char *path, struct nkv_text *why)
{
    struct stat file;
    bool found = false;
    /* Who has a lock is who uses the port. Without one, a serial port is used
     * by who has it open; a pseudoterminal need not be: whoever is at its other
     * end may have this one open, too. */
    if (stat(path, &file) == 0) {
        found = explain_holder(find_in_locks(&file), why);
        if (!found && !nkv_port_is_pty(path))
            found = explain_holder(find_in_processes(&file), why);
    }
    if (!found)
        explain_unknown(path, why);
}

/* Whether the lock's holder can be found, and is named. If not, the lock is
 * probably free by now. */
static bool explain_lock(int fd, struct nkv_text *why)
{
    struct stat file;
    return fstat(fd, &file) == 0 && explain_holder(find_in_locks(&file), why);
}

enum nkv_status nkv_port_lock(const struct nkv_port_request *request, int fd,
                              struct nkv_text *why)
{
    enum { PAUSE_MS = 10, PATIENCE_MS = 2000 };
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    uint32_t patience_ms =
        request->timeout_ms < PATIENCE_MS ? request->timeout_ms : PATIENCE_MS;
    for (uint32_t waited_ms = 0; flock(fd, LOCK_EX | LOCK_NB) != 0;
         waited_ms += PAUSE_MS) {
        if (errno != EWOULDBLOCK) {
            nkv_text_add(why, "cannot lock it: %s", strerror(errno));
            return NKV_UNAVAILABLE;
        }
        if (explain_lock(fd, why))
            return NKV_UNAVAILABLE;
        if (waited_ms >= patience_ms) {
            explain_unknown(request->path, why);
            return NKV_UNAVAILABLE;
        }
        (void)nanosleep(&pause, NULL);
    }
    return NKV_OK;
}
