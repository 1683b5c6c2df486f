#include "sim_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    ARGUMENTS_MAX = 32,
    /* Long enough for any machine: only what hangs takes longer. */
    HANG_MS = 30000
};

int nkv_sim_setup(void **state)
{
    struct sim *sim = calloc(1, sizeof *sim);

    assert_non_null(sim);
    nkv_temp_folder_make(&sim->folder);
    nkv_temp_path(&sim->folder, "flash.bin", sim->flash);
    nkv_temp_path(&sim->folder, "port", sim->link);
    nkv_temp_path(&sim->folder, "errors", sim->errors);
    snprintf(sim->store, sizeof sim->store, "identity=%s.2", sim->flash);
    snprintf(sim->same, sizeof sim->same, "identity=%s", sim->flash);
    sim->output = -1;
    *state = sim;
    return 0;
}

int nkv_sim_teardown(void **state)
{
    struct sim *sim = *state;

    if (sim->pid != 0) {
        (void)kill(sim->pid, SIGKILL);
        (void)waitpid(sim->pid, NULL, 0);
    }
    if (sim->output >= 0)
        close(sim->output);
    nkv_temp_folder_remove(&sim->folder);
    free(sim);
    return 0;
}

static void fill_arguments(const struct sim *sim, const char *const *from,
                           const char *to[ARGUMENTS_MAX])
{
    size_t count = 0;

    to[count++] = getenv("NORKV_SIM");
    assert_non_null(to[0]);
    for (; *from != NULL; from++) {
        assert_in_range(count, 1, ARGUMENTS_MAX - 2);
        if (strcmp(*from, "FLASH") == 0)
            to[count++] = sim->flash;
        else if (strcmp(*from, "LINK") == 0)
            to[count++] = sim->link;
        else if (strcmp(*from, "STORE") == 0)
            to[count++] = sim->store;
        else if (strcmp(*from, "SAME") == 0)
            to[count++] = sim->same;
        else
            to[count++] = *from;
    }
    to[count] = NULL;
}

/* In the child. */
__attribute__((noreturn)) static void
become_sim(const struct sim *sim, int output, const char *const *arguments)
{
    union {
        const char *const *given;
        char *const *taken;
    } list = {.given = arguments};
    int errors = open(sim->errors, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (errors < 0 || dup2(errors, STDERR_FILENO) < 0)
        _exit(126);
    if (output >= 0)
        (void)dup2(output, STDOUT_FILENO);
    else
        close(STDOUT_FILENO);
    (void)execv(arguments[0], list.taken);
    _exit(127);
}

void nkv_sim_start_into(struct sim *sim, int output,
                        const char *const *arguments)
{
    const char *list[ARGUMENTS_MAX];

    assert_int_equal(sim->pid, 0);
    fill_arguments(sim, arguments, list);
    sim->pid = fork();
    assert_int_not_equal(sim->pid, -1);
    if (sim->pid == 0)
        become_sim(sim, output, list);
}

void nkv_sim_start(struct sim *sim, const char *const *arguments)
{
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    nkv_sim_start_into(sim, ends[1], arguments);
    close(ends[1]);
    if (sim->output >= 0)
        close(sim->output);
    sim->output = ends[0];
}

static char read_character(int fd)
{
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    char character;

    assert_int_equal(poll(&entry, 1, HANG_MS), 1);
    if (read(fd, &character, 1) != 1)
        fail_msg("norkv-sim ended its output");
    return character;
}

void nkv_sim_port(struct sim *sim, char port[256])
{
    static const char start_of_line[] = "listening on ";
    char line[256];
    size_t size = 0;

    do {
        assert_in_range(size, 0, sizeof line - 1);
        line[size] = read_character(sim->output);
    } while (line[size++] != '\n');
    line[size - 1] = '\0';
    assert_memory_equal(line, start_of_line, sizeof start_of_line - 1);
    memcpy(port, line + sizeof start_of_line - 1,
           size - (sizeof start_of_line - 1));
}

/* waitpid with a time limit. */
static int wait_for_end(pid_t pid)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    int status;

    for (int waited = 0; waited < HANG_MS; waited += 5) {
        pid_t ended = waitpid(pid, &status, WNOHANG);

        assert_int_not_equal(ended, -1);
        if (ended == pid)
            return status;
        (void)nanosleep(&pause, NULL);
    }
    fail_msg("norkv-sim did not end");
    return -1;
}

int nkv_sim_end(struct sim *sim, int signal)
{
    int status;

    if (signal != 0)
        assert_int_equal(kill(sim->pid, signal), 0);
    status = wait_for_end(sim->pid);
    sim->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void nkv_sim_errors(const struct sim *sim, char *text, size_t size)
{
    text[nkv_temp_read(sim->errors, text, size - 1)] = '\0';
}
