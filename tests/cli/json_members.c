/*
 * Prints members of JSON objects that come in one a line: json_members NAME...
 * An object gives a line, its members apart by tabs, "-" for one that is not
 * there. Ends with 1 at a line that is no object.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_member(const json_t *member)
{
    char *text;

    if (member == NULL) {
        putchar('-');
        return;
    }
    if (json_is_string(member)) {
        fputs(json_string_value(member), stdout);
        return;
    }
    text = json_dumps(member, JSON_COMPACT | JSON_ENCODE_ANY);
    fputs(text != NULL ? text : "?", stdout);
    free(text);
}

static int print_line(const char *line, char **names, int count)
{
    json_error_t error;
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, &error);

    if (!json_is_object(object)) {
        fprintf(stderr, "json_members: no object: %s\n", line);
        json_decref(object);
        return 1;
    }
    for (int i = 0; i < count; i++) {
        if (i > 0) {
            putchar('\t');
        }
        print_member(json_object_get(object, names[i]));
    }
    putchar('\n');
    json_decref(object);
    return 0;
}

int main(int argc, char **argv)
{
    char *line = NULL;
    size_t room = 0;
    int failed = 0;

    while (!failed && getline(&line, &room, stdin) > 0) {
        failed = print_line(line, argv + 1, argc - 1);
    }
    free(line);
    return failed;
}
