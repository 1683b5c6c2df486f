/* norkv sh: commands one after another, over a port that stays open. */
#include "command.h"
#include "complete.h"
#include "device.h"
#include "dispatch.h"
#include "history.h"
#include "output.h"
#include "shell_port.h"
#include "words.h"

#include <errno.h>
#include <histedit.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    HISTORY_MAX = 1000,
    /* What a lost port is given to open again in the shell, where Ctrl-C does
     * not end it. */
    REOPEN_MS = 1000
};

struct shell {
    struct nkv_options options;
    struct nkv_shell_port port;
    bool is_terminal;
    bool is_over;
    History *history;
};

/* Behind these "-" is standard output. */
static bool names_output(const char *word)
{
    return strcmp(word, "-o") == 0 || strcmp(word, "--output") == 0;
}

/* Standard input is where the lines come from. */
static bool reads_input(const struct nkv_words *words)
{
    for (size_t i = 1; i < words->count; i++) {
        if (strcmp(words->list[i], "-") == 0 &&
            !names_output(words->list[i - 1])) {
            return true;
        }
        if (strcmp(words->list[i], "--") == 0) {
            return i + 1 < words->count &&
                   strcmp(words->list[words->count - 1], "-") == 0;
        }
    }
    return false;
}

static enum nkv_exit run_words(struct shell *shell, struct nkv_words *words)
{
    static char name[] = "norkv";
    char **argv = calloc(words->count + 2, sizeof *argv);
    enum nkv_exit code;

    if (argv == NULL) {
        return nkv_fail_for_memory();
    }
    argv[0] = name;
    memcpy(argv + 1, words->list, words->count * sizeof *argv);
    code = nkv_dispatch((int)words->count + 1, argv, &shell->options);
    free(argv);
    (void)nkv_flush_output();
    if (nkv_shell_port_drop_lost(&shell->port)) {
        nkv_fail(code, "%s: the port is lost: the next command opens it again",
                 shell->port.name);
    }
    return code;
}

/* On a terminal a command is a process of its own, so that Ctrl-C, wherever it
 * is, ends that and not the shell. It has the shell's port. */
static enum nkv_exit run_apart(struct shell *shell, struct nkv_words *words)
{
    int result = 0;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        enum nkv_exit code;

        signal(SIGINT, SIG_DFL);
        code = run_words(shell, words);
        _exit(nkv_output_works() ? (int)code : NKV_EXIT_FAILED);
    }
    while (child > 0 && waitpid(child, &result, 0) < 0 && errno == EINTR) {
    }
    if (child < 0) {
        return nkv_fail(NKV_EXIT_FAILED, "cannot start a command: %s",
                        strerror(errno));
    }
    /* What the command has found out of the port ended with it. */
    nkv_shell_port_look(&shell->port);
    if (WIFSIGNALED(result)) {
        putchar('\n');
        return NKV_EXIT_FAILED;
    }
    return (enum nkv_exit)WEXITSTATUS(result);
}

/* A port that came back is opened here, for the commands to come; if not, the
 * command waits for it. */
static void open_again(struct shell *shell)
{
    struct nkv_client *client = NULL;

    nkv_shell_port_look(&shell->port);
    if (nkv_shell_port_was_lost(&shell->port) &&
        nkv_reconnect(&shell->options, shell->port.name, REOPEN_MS, &client) ==
            NKV_OK) {
        nkv_client_free(&client);
    }
}

static enum nkv_exit run_line(struct shell *shell, const char *line)
{
    struct nkv_words words;
    const char *error = nkv_words_split(line, &words);
    enum nkv_exit code = NKV_EXIT_DONE;

    if (error != NULL) {
        return nkv_fail(NKV_EXIT_USAGE, "%s", error);
    }
    if (words.count == 1 && strcmp(words.list[0], "exit") == 0) {
        shell->is_over = true;
    } else if (words.count > 1 && strcmp(words.list[0], "exit") == 0) {
        code = nkv_fail(NKV_EXIT_USAGE, "too many arguments: exit");
    } else if (words.count > 0 && reads_input(&words)) {
        code = nkv_fail(NKV_EXIT_USAGE,
                        "-: standard input is the shell's: name a file");
    } else if (words.count > 0 && shell->is_terminal) {
        open_again(shell);
        code = run_apart(shell, &words);
    } else if (words.count > 0) {
        code = run_words(shell, &words);
    }
    nkv_words_free(&words);
    return code;
}

/* Lines from a pipe or a file: up to the first that fails. */
static enum nkv_exit run_script(struct shell *shell)
{
    unsigned long number = 0;
    enum nkv_exit code = NKV_EXIT_DONE;
    char *line = NULL;
    size_t room = 0;
    ssize_t size = 0;

    while (code == NKV_EXIT_DONE && !shell->is_over && nkv_output_works() &&
           (size = getline(&line, &room, stdin)) > 0) {
        number++;
        code = strlen(line) == (size_t)size
                   ? run_line(shell, line)
                   : nkv_fail(NKV_EXIT_USAGE,
                              "a NUL byte is in the line: commands are text");
    }
    if (code != NKV_EXIT_DONE) {
        nkv_fail(code, "line %lu failed: what follows was not done", number);
    } else if (size < 0 && feof(stdin) == 0) {
        code = nkv_fail(NKV_EXIT_FAILED, "cannot read standard input: %s",
                        strerror(errno));
    }
    free(line);
    return code;
}

/* ---- On a terminal ---------------------------------------------------- */

static char *prompt(EditLine *edit)
{
    static char text[] = "norkv> ";

    (void)edit;
    return text;
}

static void list(const struct nkv_completions *completions)
{
    putchar('\n');
    for (size_t i = 0; i < completions->count; i++) {
        printf("%s\n", completions->list[i]);
    }
}

static unsigned char complete(EditLine *edit, int key)
{
    const LineInfo *line = el_line(edit);
    char *text = strndup(line->buffer, (size_t)(line->cursor - line->buffer));
    struct nkv_completions found;
    unsigned char answer = CC_ERROR;
    struct shell *shell = NULL;

    (void)key;
    el_get(edit, EL_CLIENTDATA, &shell);
    if (text == NULL || shell == NULL) {
        free(text);
        return CC_ERROR;
    }
    nkv_complete(&shell->options, text, &found);
    if (found.count > 0 && found.common_size > found.word_size) {
        found.list[0][found.common_size] = '\0';
        el_insertstr(edit, found.list[0] + found.word_size);
        answer = CC_REFRESH;
    }
    if (found.count == 1) {
        el_insertstr(edit, " ");
        answer = CC_REFRESH;
    } else if (found.count > 1 && answer == CC_ERROR) {
        list(&found);
        answer = CC_REDISPLAY;
    }
    nkv_completions_free(&found);
    free(text);
    return answer;
}

static void remember(void *context, const char *line)
{
    struct shell *shell = context;
    HistEvent event;

    history(shell->history, &event, H_ENTER, line);
}

/* Values are no concern of a file: lines with put stay in memory, and those
 * that begin with a blank are not even kept there. */
static void keep_line(struct shell *shell, const char *line)
{
    struct nkv_words words;

    if (line[0] == ' ' || line[0] == '\0' ||
        nkv_words_split(line, &words) != NULL) {
        return;
    }
    if (words.count > 0) {
        remember(shell, line);
        if (strcmp(words.list[0], "put") != 0 &&
            (words.count < 2 || strcmp(words.list[1], "put") != 0)) {
            nkv_history_add(line);
        }
    }
    nkv_words_free(&words);
}

static void note_signal(int number)
{
    (void)number;
}

/* A line without its newline, or NULL at the end of input. Ctrl-C gives an
 * empty one. */
static char *read_line(EditLine *edit)
{
    struct sigaction interrupt = {.sa_handler = note_signal};
    const char *line;
    int count = 0;
    bool was_interrupted;

    sigaction(SIGINT, &interrupt, NULL);
    errno = 0;
    line = el_gets(edit, &count);
    was_interrupted = line == NULL && errno == EINTR;
    signal(SIGINT, SIG_IGN);
    if (was_interrupted) {
        putchar('\n');
        el_reset(edit);
        return strdup("");
    }
    if (line == NULL || count <= 0) {
        return NULL;
    }
    return strndup(line, strcspn(line, "\n"));
}

static void run_edited(struct shell *shell, EditLine *edit)
{
    char *line;

    while (!shell->is_over && nkv_output_works() &&
           (line = read_line(edit)) != NULL) {
        keep_line(shell, line);
        (void)run_line(shell, line);
        free(line);
    }
    if (!shell->is_over) {
        putchar('\n');
    }
}

static enum nkv_exit run_terminal(struct shell *shell)
{
    EditLine *edit = el_init("norkv", stdin, stdout, stderr);
    HistEvent event;

    shell->history = history_init();
    if (edit == NULL || shell->history == NULL) {
        return nkv_fail_for_memory();
    }
    history(shell->history, &event, H_SETSIZE, HISTORY_MAX);
    history(shell->history, &event, H_SETUNIQUE, 1);
    nkv_history_load(remember, shell);
    el_set(edit, EL_CLIENTDATA, shell);
    el_set(edit, EL_PROMPT, prompt);
    el_set(edit, EL_EDITOR, "emacs");
    el_set(edit, EL_HIST, history, shell->history);
    el_set(edit, EL_ADDFN, "norkv-complete", "complete a word", complete);
    el_set(edit, EL_BIND, "^I", "norkv-complete", NULL);
    el_set(edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
    /* Between a line and its command Ctrl-C is for neither. */
    signal(SIGINT, SIG_IGN);
    run_edited(shell, edit);
    signal(SIGINT, SIG_DFL);
    history_end(shell->history);
    el_end(edit);
    return NKV_EXIT_DONE;
}

/* ---- Both ------------------------------------------------------------- */

/* So that a port that is not there is told at once. */
static enum nkv_exit open_first(const struct shell *shell)
{
    struct nkv_client *client;
    enum nkv_exit code =
        nkv_connect(&shell->options, NKV_TIMEOUT_SHORT, &client);

    nkv_client_free(&client);
    return code;
}

enum nkv_exit nkv_run_sh(const struct nkv_options *options, int count,
                         char **operands)
{
    struct shell shell = {.options = *options};
    enum nkv_exit code = nkv_name_port(options, &shell.port.name);

    (void)count;
    (void)operands;
    if (code != NKV_EXIT_DONE) {
        return code;
    }
    shell.options.shell_port = &shell.port;
    shell.is_terminal = isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0;
    code = open_first(&shell);
    if (code == NKV_EXIT_DONE) {
        code = shell.is_terminal ? run_terminal(&shell) : run_script(&shell);
    }
    nkv_shell_port_close(&shell.port);
    free(shell.port.name);
    return code;
}
