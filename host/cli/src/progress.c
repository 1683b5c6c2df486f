#include "progress.h"

#include "clock.h"

#include <jansson.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    BAR_EVERY_MS = 100,
    JSON_EVERY_MS = 500,
    COLUMNS_DEFAULT = 80,
    LINE_MAX_SIZE = 256
};

static enum nkv_progress_style choose_style(const struct nkv_options *options)
{
    if (nkv_given(options, NKV_OPTION_JSON)) {
        return NKV_PROGRESS_JSON;
    }
    if (nkv_given(options, NKV_OPTION_VERBOSE) || isatty(STDERR_FILENO) == 0) {
        return NKV_PROGRESS_SILENT;
    }
    return NKV_PROGRESS_BAR;
}

static size_t columns(void)
{
    struct winsize size = {0};

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        return COLUMNS_DEFAULT;
    }
    return size.ws_col;
}

static void draw(const struct nkv_progress_state *state)
{
    char line[LINE_MAX_SIZE];

    nkv_progress_line(state, columns(), line, sizeof line);
    /* Back to the start of the line, and what is left of an older one goes. */
    fprintf(stderr, "\r%s\033[K", line);
    fflush(stderr);
}

static void set(json_t *object, const char *name, uint64_t value)
{
    json_object_set_new(object, name, json_integer((json_int_t)value));
}

static void write_object(const struct nkv_progress_state *state)
{
    json_t *object = json_object();
    uint64_t left = nkv_progress_left_ms(state);

    json_object_set_new(object, "progress", json_string(state->what));
    json_object_set_new(object, "unit",
                        json_string(nkv_progress_unit_name(state->unit)));
    set(object, "done", state->done);
    if (state->total > 0) {
        set(object, "total", state->total);
    }
    set(object, "elapsed_ms", state->elapsed_ms);
    set(object, "rate", nkv_progress_rate(state));
    if (left > 0) {
        set(object, "left_ms", left);
    }
    json_dumpf(object, stderr, JSON_COMPACT);
    fputc('\n', stderr);
    json_decref(object);
}

static void show(struct nkv_progress *progress, uint64_t now)
{
    progress->state.elapsed_ms = now - progress->began_ms;
    progress->shown_ms = now;
    progress->shown = true;
    if (progress->style == NKV_PROGRESS_BAR) {
        progress->is_drawn = true;
        draw(&progress->state);
    } else {
        write_object(&progress->state);
    }
}

void nkv_progress_begin(struct nkv_progress *progress,
                        const struct nkv_options *options, const char *what,
                        enum nkv_progress_unit unit)
{
    *progress = (struct nkv_progress){
        .style = choose_style(options),
        .state = {.what = what, .unit = unit},
        .began_ms = nkv_now_ms(),
    };
}

void nkv_progress_set_total(struct nkv_progress *progress, uint64_t total)
{
    progress->state.total = total;
}

void nkv_progress_update(struct nkv_progress *progress, uint64_t done)
{
    uint64_t every =
        progress->style == NKV_PROGRESS_BAR ? BAR_EVERY_MS : JSON_EVERY_MS;
    uint64_t now;

    progress->state.done = done;
    if (progress->style == NKV_PROGRESS_SILENT) {
        return;
    }
    now = nkv_now_ms();
    if (!progress->shown || now - progress->shown_ms >= every) {
        show(progress, now);
    }
}

static void follow(void *context, uint32_t done)
{
    nkv_progress_update(context, done);
}

struct nkv_client_progress nkv_progress_follow(struct nkv_progress *progress)
{
    return (struct nkv_client_progress){follow, progress};
}

void nkv_progress_hide(struct nkv_progress *progress)
{
    if (progress->is_drawn) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
        progress->is_drawn = false;
    }
}

void nkv_progress_end(struct nkv_progress *progress)
{
    if (progress->style == NKV_PROGRESS_JSON && progress->shown) {
        show(progress, nkv_now_ms());
    }
    nkv_progress_hide(progress);
    progress->style = NKV_PROGRESS_SILENT;
}
