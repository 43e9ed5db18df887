/* Prints docs/configuration.md from the table of options. */
#include <stdio.h>

#include "config/options.h"

/* What was printed last, so that each section gets one head. */
struct place {
    const struct option_section *section;
};

static const char introduction[] =
    "# Configuration\n"
    "\n"
    "This page is generated from the table of options (`src/config/options.c`); change it there.\n"
    "\n"
    "## The file\n"
    "\n"
    "- A section begins with `[name]` or `[name:x]`. Sections that come again are merged.\n"
    "- `key = value` and `key: value` mean the same. Keys ignore case; of repeated keys the last one counts.\n"
    "- A line that is indented deeper than its key goes on with the value.\n"
    "- `;` and `#` begin a comment at the start of a line or after white space, inside quotes too.\n"
    "- Keys of `[DEFAULT]` stand in for keys that other sections lack.\n"
    "- The text is UTF-8; a byte order mark and CR LF do no harm.\n"
    "\n"
    "## Expansion\n"
    "\n"
    "Values may use `%(name)s`, and with numbers `%(name)d`, `%(name)02d` and the other formats of Python's `%`. A\n"
    "percent sign is written `%%`. An unknown name is an error.\n"
    "\n"
    "| name | what it is |\n"
    "| --- | --- |\n"
    "| `here` | the directory of the file in which the option stands |\n"
    "| `host_node_name` | the name of the machine |\n"
    "| `ENV_x` | the environment variable x, also one that `environment` of `[supervisord]` sets |\n"
    "| `program_name` | in program sections: the x of the section |\n"
    "| `group_name` | in program sections: the group, which is the program itself outside of a `[group:x]` |\n"
    "| `process_num`, `numprocs` | in options marked * |\n"
    "\n"
    "Options marked * are evaluated for each process; they can use the section's own `environment` as `%(ENV_x)s` "
    "too.\n"
    "\n"
    "## Values\n"
    "\n"
    "- A boolean is `true`, `yes`, `on`, `1`, `false`, `no`, `off` or `0`, in any case.\n"
    "- A size is a number of bytes; `KB`, `MB` and `GB` multiply by 1024, 1024² and 1024³.\n"
    "- In `environment`, `KEY=\"value\"` pairs stand with commas between them. Values need quotes unless they are made "
    "of\n"
    "  letters, digits and `_/.+-():`.\n"
    "- Paths may begin with `~` or `~user`.\n";

static void print_section(const struct option_section *section)
{
    static const char *const suffixes[] = {"", ":x", ""};

    printf("\n## [%s%s]\n\n%s\n", section->name, suffixes[section->header], section->help);
    if (section->header == OPTION_HEADER_EITHER)
        printf("There may be several, as `[%s:x]`.\n", section->name);
    printf("\n| option | value | default | meaning |\n| --- | --- | --- | --- |\n");
}

static void print_default(const struct option *option)
{
    if (option->is_required)
        printf("required");
    else if (option->preset_note != NULL)
        printf("%s", option->preset_note);
    else if (option->preset != NULL)
        printf("`%s`", option->preset);
    else
        printf("none");
}

static void print_option(const struct option_section *section, const struct option *option, void *context)
{
    struct place *place = context;

    if (option_is_shared(section, option))
        return;

    if (section != place->section)
        print_section(section);
    place->section = section;
    printf("| `%s`%s | %s | ", option->name, option->scope == OPTION_SCOPE_PROCESS ? " *" : "", option->type->syntax);
    print_default(option);
    printf(" | %s |\n", option->help);
}

int main(void)
{
    struct place place = {0};

    fputs(introduction, stdout);
    option_visit_all(print_option, &place);
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
