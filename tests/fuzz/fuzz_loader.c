/* The file of the extension loader: what is taken for one comes out as it went in, and survives what is done to it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/loader/json.h"
#include "plugins/loader/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_record(struct record *record, const char *text, size_t length)
{
    struct error err;
    struct rpc_value *value = json_to_value(text, length, &err);
    const int result = value != NULL ? record_from_value(record, value, &err) : -1;

    rpc_value_free(value);
    return result;
}

static char *write_record(const struct record *record)
{
    struct rpc_value *value = record_to_value(record);
    char *text = json_from_value(value);

    rpc_value_free(value);
    if (text == NULL)
        abort();
    return text;
}

/* Takes out everything, one process after the other, and then the groups. */
static void empty(struct record *record)
{
    size_t i = 0;

    while (i < record->program_count) {
        const struct record_program *program = &record->programs[i];
        if (record_free_number(record, program->group, program->program, program->options) < 1)
            abort();
        if (rpc_count(program->names) == 0) {
            i++;
            continue;
        }
        char *name = strdup(rpc_as_string(rpc_array_get(program->names, 0)));
        if (!record_remove_process(record, program->group, name))
            abort();
        free(name);
    }
    while (record->group_count > 0)
        if (!record_remove_group(record, record->groups[0].name))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record record, again;

    if (read_record(&record, (const char *)data, size) < 0)
        return 0;
    char *text = write_record(&record);
    if (read_record(&again, text, strlen(text)) < 0)
        abort();
    char *second = write_record(&again);
    if (strcmp(text, second) != 0)
        abort();
    free(text);
    free(second);
    empty(&record);
    record_release(&record);
    record_release(&again);
    return 0;
}
