#include "figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct nkv_figure *take(struct nkv_figures *figures)
{
    if (figures->count == NKV_FIGURES_MAX) {
        fprintf(stderr, "figures: too many\n");
        exit(1);
    }
    return &figures->all[figures->count++];
}

/* Counts without decimals; of others, as many digits as tell something. */
static int decimals_of(double value)
{
    if (value == floor(value)) {
        return 0;
    }
    return fabs(value) >= 100 ? 1 : fabs(value) < 1 ? 4 : 3;
}

void nkv_figures_add(struct nkv_figures *figures, const char *workload,
                     uint32_t keys, const char *figure, double value)
{
    char name[NKV_FIGURE_NAME_MAX];

    snprintf(name, sizeof name, "engine.%s.n%u.%s", workload, keys, figure);
    nkv_figures_put(figures, name, value);
}

void nkv_figures_put(struct nkv_figures *figures, const char *name,
                     double value)
{
    struct nkv_figure *added = take(figures);

    snprintf(added->name, sizeof added->name, "%s", name);
    added->value = value;
    added->decimals = decimals_of(value);
    if (figures->out != NULL) {
        fprintf(figures->out, "%s %.*f\n", added->name, added->decimals,
                added->value);
        fflush(figures->out);
    }
}

static bool read_line(struct nkv_figure *figure, const char *line)
{
    const char *space = strchr(line, ' ');
    size_t size = space != NULL ? (size_t)(space - line) : 0;
    char *end = NULL;

    if (size == 0 || size >= sizeof figure->name) {
        return false;
    }
    memcpy(figure->name, line, size);
    figure->name[size] = '\0';
    figure->value = strtod(space + 1, &end);
    figure->decimals = decimals_of(figure->value);
    return end != space + 1 && (*end == '\n' || *end == '\0');
}

bool nkv_figures_read(struct nkv_figures *figures, FILE *from)
{
    char line[256];

    while (fgets(line, sizeof line, from) != NULL) {
        if (line[0] == '\n') {
            continue;
        }
        if (!read_line(take(figures), line)) {
            fprintf(stderr, "figures: this is none: %s\n", line);
            return false;
        }
    }
    return true;
}

const struct nkv_figure *nkv_figures_find(const struct nkv_figures *figures,
                                          const char *name)
{
    for (size_t i = 0; i < figures->count; i++) {
        if (strcmp(figures->all[i].name, name) == 0) {
            return &figures->all[i];
        }
    }
    return NULL;
}
