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

static void add_process(long process, struct nkv_text *why)
{
    char path[64];
    char name[64] = "";
    snprintf(path, sizeof(path), "/proc/%ld/comm", process);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        if (fgets(name, sizeof(name), file) == NULL)
            name[0] = '\0';
        fclose(file);
    }
    name[strcspn(name, "\n")] = '\0';
    nkv_text_make_safe(name);
    if (name[0] != '\0')
        nkv_text_add(why, " by %s (process %ld)", name, process);
    else
        nkv_text_add(why, " by process %ld", process);
}

void nkv_port_add_holder(const char *path, int fd, struct nkv_text *why)
{
    struct stat file;
    if ((fd >= 0 ? fstat(fd, &file) : stat(path, &file)) != 0)
        return;
    long process = find_in_locks(&file);
    if (process == 0)
        process = find_in_processes(&file);
    if (process > 0)
        add_process(process, why);
}

enum nkv_status nkv_port_lock(const char *path, int fd, struct nkv_text *why)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return NKV_OK;
    if (errno != EWOULDBLOCK) {
        nkv_text_add(why, "cannot lock it: %s", strerror(errno));
        return NKV_UNAVAILABLE;
    }
    nkv_text_add(why, "in use");
    nkv_port_add_holder(path, fd, why);
    nkv_text_add(why, "; end that program first");
    return NKV_UNAVAILABLE;
}
