/* From a port's name to its transport. */
#include "transport.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void explain_permission(const char *path, struct nkv_text *why)
{
    nkv_text_add(why, "permission denied");
    struct stat file;
    if (stat(path, &file) != 0)
        return;
    const struct group *group = getgrgid(file.st_gid);
    if (group == NULL)
        return;
    nkv_text_add(why, ": it belongs to the group %s", group->gr_name);
    if ((file.st_mode & S_IWGRP) != 0 && file.st_gid != 0)
        nkv_text_add(why,
                     "; join it (sudo usermod -aG %s \"$USER\") and log "
                     "in again, or install norkv's udev rule",
                     group->gr_name);
}

enum nkv_status nkv_port_explain(const char *path, int error,
                                 struct nkv_text *why)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENXIO:
    case ENODEV:
        nkv_text_add(why, "no such port; 'norkv ports' lists those there are");
        return NKV_NOT_FOUND;
    case EACCES:
    case EPERM:
        explain_permission(path, why);
        return NKV_PERMISSION_DENIED;
    case EBUSY:
        nkv_port_explain_use(path, why);
        return NKV_UNAVAILABLE;
    case ENOTTY:
        nkv_text_add(
            why, "this is no serial port; 'norkv ports' lists those there are");
        return NKV_INVALID_ARGUMENT;
    default:
        nkv_text_add(why, "cannot open it: %s", strerror(error));
        return NKV_UNAVAILABLE;
    }
}

bool nkv_port_is_pty(const char *path)
{
    return strncmp(path, "/dev/pts/", strlen("/dev/pts/")) == 0;
}

/* A PTY has no control lines, and those behind TCP are the bridge's. */
static enum nkv_status check_lines(const struct nkv_port_request *request,
                                   struct nkv_text *why)
{
    if (request->dtr == NKV_LINE_KEEP && request->rts == NKV_LINE_KEEP)
        return NKV_OK;
    nkv_text_add(why, "only a serial port has the lines DTR and RTS");
    return NKV_INVALID_ARGUMENT;
}

static enum nkv_status open_device(struct nkv_port_request *request,
                                   struct nkv_client_transport *transport,
                                   struct nkv_text *why)
{
    char *path = realpath(request->port, NULL);
    if (path == NULL)
        return nkv_port_explain(request->port, errno, why);
    struct stat file;
    enum nkv_status status;
    request->path = path;
    if (stat(path, &file) != 0)
        status = nkv_port_explain(path, errno, why);
    else if (!S_ISCHR(file.st_mode))
        status = nkv_port_explain(path, ENOTTY, why);
    else if (!nkv_port_is_pty(path))
        status = nkv_serial_open(request, transport, why);
    else if ((status = check_lines(request, why)) == NKV_OK)
        status = nkv_pty_open(request, transport, why);
    free(path);
    return status;
}

enum nkv_status nkv_port_open(const struct nkv_port_request *request,
                              struct nkv_client_transport *transport,
                              struct nkv_text *why)
{
    static const char tcp[] = "tcp:";
    struct nkv_port_request copy = *request;
    if (request->port[0] == '\0') {
        nkv_text_add(why, "the port's name is empty");
        return NKV_INVALID_ARGUMENT;
    }
    if (strncmp(request->port, tcp, sizeof(tcp) - 1) != 0)
        return open_device(&copy, transport, why);
    copy.path = request->port + sizeof(tcp) - 1;
    enum nkv_status status = check_lines(request, why);
    if (status == NKV_OK)
        status = nkv_tcp_open(&copy, transport, why);
    return status;
}
