/* Prints the manual page supervisord.conf(5) from the table of options. */
#include <stdio.h>
#include <string.h>

#include "config/options.h"

static const char introduction[] =
    ".Dd November 21, 2026\n"
    ".Dt SUPERVISORD.CONF 5\n"
    ".Os\n"
    ".Sh NAME\n"
    ".Nm supervisord.conf\n"
    ".Nd configuration of supervisord and supervisorctl\n"
    ".Sh DESCRIPTION\n"
    "A section begins with a header in brackets; options follow as\n"
    ".Ar key Ns = Ns Ar value .\n"
    "A line that is indented deeper than its key goes on with the value.\n"
    "A semicolon or a number sign begins a comment at the start of a line or behind white space, inside quotes too.\n"
    ".Pp\n"
    "Values may use\n"
    ".Ql %(here)s ,\n"
    ".Ql %(host_node_name)s\n"
    "and\n"
    ".Ql %(ENV_x)s ;\n"
    "those of programs\n"
    ".Ql %(program_name)s\n"
    "and\n"
    ".Ql %(group_name)s\n"
    "too, and where it is said\n"
    ".Ql %(process_num)d\n"
    "and\n"
    ".Ql %(numprocs)d .\n"
    "A percent sign is written\n"
    ".Ql %% .\n"
    ".Pp\n"
    "A size is a number of bytes, or of\n"
    ".Ql KB ,\n"
    ".Ql MB\n"
    "or\n"
    ".Ql GB .\n"
    ".Sh SECTIONS\n";

static const char ending[] = ".Sh SEE ALSO\n"
                             ".Xr echo_supervisord_conf 1 ,\n"
                             ".Xr supervisorctl 1 ,\n"
                             ".Xr supervisord 8\n";

static void print_escaped(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\\')
            fputs("\\e", stdout);
        else if (text[i] != '`')
            putchar(text[i]);
    }
}

/* Each sentence on a line of its own, as mdoc wants it, and no line that begins like a macro. */
static void print_text(const char *text)
{
    while (*text != '\0') {
        const char *end = strstr(text, ". ");
        const size_t length = end != NULL ? (size_t)(end - text) + 1 : strlen(text);
        if (*text == '.' || *text == '\'')
            fputs("\\&", stdout);
        print_escaped(text, length);
        putchar('\n');
        text += length;
        text += strspn(text, " ");
    }
}

static void print_default(const struct option *option)
{
    const char *preset = option->preset_note != NULL ? option->preset_note : option->preset;

    if (option->is_required) {
        printf("It is required.\n");
        return;
    }
    printf("Default: ");
    print_text(preset != NULL ? preset : "none");
}

static void begin_section(const struct option_section *section, bool is_first)
{
    if (!is_first)
        printf(".El\n");
    printf(".Ss [%s%s]\n", section->name, section->header == OPTION_HEADER_COMPOSITE ? ":x" : "");
    print_text(section->help);
    printf(".Bl -tag -width Ds\n");
}

static void print_option(const struct option_section *section, const struct option *option, void *context)
{
    const struct option_section **last = context;

    if (option_is_shared(section, option))
        return;
    if (*last != section)
        begin_section(section, *last == NULL);
    *last = section;
    printf(".It Ic %s\n", option->name);
    print_text(option->help);
    if (option->scope == OPTION_SCOPE_PROCESS)
        printf("It is evaluated for each process.\n");
    print_default(option);
}

int main(void)
{
    const struct option_section *last = NULL;

    fputs(introduction, stdout);
    option_visit_all(print_option, &last);
    printf(".El\n%s", ending);
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
