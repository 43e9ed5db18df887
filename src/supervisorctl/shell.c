#include "supervisorctl/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <histedit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "client/interrupt.h"
#include "supervisorctl/commands.h"
#include "supervisorctl/complete.h"

#define HISTORY_LINES 1000

struct shell {
    struct ctl *ctl;
    char *prompt; /* "supervisor> " */
    EditLine *editor;
    History *history;
};

static void run_line(struct ctl *ctl, const char *line)
{
    interrupt_begin();
    command_run_line(ctl, line);
    interrupt_end();
    fflush(stdout);
}

/* Lines from a pipe or file. The end of input is answered like `exit`. */
static void run_piped(struct ctl *ctl, const char *prompt)
{
    while (!ctl->is_leaving) {
        char *line = ctl_ask(prompt, false);

        command_run_line(ctl, line != NULL ? line : "EOF");
        fflush(stdout);
        free(line);
    }
}

static char *editor_prompt(EditLine *editor)
{
    struct shell *shell;

    el_get(editor, EL_CLIENTDATA, &shell);
    return shell->prompt;
}

/* Bound to the Tab key: completes the word, or shows what it could become. */
static unsigned char editor_complete(EditLine *editor, int key)
{
    const LineInfo *line = el_line(editor);
    CLEANUP_FREE char *before = xstrndup(line->buffer, (size_t)(line->cursor - line->buffer));
    struct completion completion;
    struct shell *shell;
    unsigned char result = CC_NORM;

    (void)key;
    el_get(editor, EL_CLIENTDATA, &shell);
    complete(&completion, shell->ctl, before);
    if (completion.addition[0] != '\0') {
        result = el_insertstr(editor, completion.addition) == 0 ? CC_REFRESH : CC_ERROR;
    } else if (completion.candidates.count > 1) {
        printf("\n");
        complete_print(&completion);
        fflush(stdout);
        result = CC_REDISPLAY;
    }
    complete_release(&completion);
    return result;
}

/* The file has a line for each entry, as the original's has: libedit's own format is another. */
static void load_history(History *entries, const char *path)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    HistEvent event;

    if (file == NULL)
        return; /* the first time */
    while (getline(&line, &size, file) >= 0) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] != '\0')
            history(entries, &event, H_ENTER, line);
    }
    free(line);
    fclose(file);
}

static int save_history(History *entries, const char *path)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    HistEvent event;

    if (file == NULL)
        return -1;
    for (int more = history(entries, &event, H_LAST); more >= 0; more = history(entries, &event, H_PREV))
        fprintf(file, "%s\n", event.str);
    return fclose(file);
}

static void shell_begin(struct shell *shell, const char *history_file)
{
    HistEvent event;

    shell->editor = el_init("supervisorctl", stdin, stdout, stderr);
    shell->history = history_init();
    el_set(shell->editor, EL_CLIENTDATA, shell);
    el_set(shell->editor, EL_PROMPT, editor_prompt);
    el_set(shell->editor, EL_EDITOR, "emacs");
    history(shell->history, &event, H_SETSIZE, HISTORY_LINES);
    history(shell->history, &event, H_SETUNIQUE, 1);
    el_set(shell->editor, EL_HIST, history, shell->history);
    el_set(shell->editor, EL_ADDFN, "complete-action", "Complete an action or a name", editor_complete);
    el_set(shell->editor, EL_BIND, "^I", "complete-action", NULL);
    el_set(shell->editor, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_source(shell->editor, NULL);
    if (history_file != NULL)
        load_history(shell->history, history_file);
}

static void shell_end(struct shell *shell, const char *history_file)
{
    if (history_file != NULL && save_history(shell->history, history_file) < 0)
        fprintf(stderr, "cannot save the history in %s: %s\n", history_file, strerror(errno));
    history_end(shell->history);
    free(shell->prompt);
}

/* One line from the terminal, without its newline; free it. NULL at the end of input. */
static char *shell_read_line(struct shell *shell)
{
    for (;;) {
        const char *line;
        bool was_interrupted;
        int length = 0;

        interrupt_begin();
        el_set(shell->editor, EL_PREP_TERM, 1); /* before the prompt invites to type */
        line = el_gets(shell->editor, &length);
        was_interrupted = interrupt_seen();
        interrupt_end();
        if (line != NULL && !was_interrupted)
            return xstrndup(line, strcspn(line, "\r\n"));
        if (!was_interrupted)
            return NULL;
        el_reset(shell->editor); /* Ctrl-C drops what was typed */
        printf("\n");
        fflush(stdout);
    }
}

static void shell_run_line(struct shell *shell, const char *line)
{
    HistEvent event;

    if (line[strspn(line, " \t")] != '\0')
        history(shell->history, &event, H_ENTER, line);
    run_line(shell->ctl, line);
}

static void run_edited(struct ctl *ctl, const char *prompt, const char *history_file)
{
    /* The editor lasts as long as the program: el_end() would lose the names that EL_ADDFN copied. */
    static struct shell shell;

    shell.ctl = ctl;
    shell.prompt = xstrdup(prompt);
    shell_begin(&shell, history_file);
    while (!ctl->is_leaving) {
        char *line = shell_read_line(&shell);

        if (line != NULL)
            shell_run_line(&shell, line);
        else
            run_line(ctl, "EOF");
        free(line);
    }
    shell_end(&shell, history_file);
}

void shell_run(struct ctl *ctl, const char *prompt, const char *history_file)
{
    CLEANUP_FREE char *shown = xasprintf("%s> ", prompt);

    run_line(ctl, "status");
    if (isatty(STDIN_FILENO))
        run_edited(ctl, shown, history_file);
    else
        run_piped(ctl, shown);
}
