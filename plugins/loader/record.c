#include "plugins/loader/record.h"

#include <limits.h>
#include <strings.h>

#include "plugins/common/memory.h"

/* The name of the member that tells a record from anything else, and the version of what stands beside it. */
#define FORMAT_KEY "supervisor_loader"
#define FORMAT_VERSION 1

static char *copy_text(const char *text)
{
    return memory_checked(strdup(text));
}

/* --- groups and programs ------------------------------------------------------------------------------------------ */

static void release_program(struct record_program *program)
{
    free(program->group);
    free(program->program);
    rpc_value_free(program->options);
    rpc_value_free(program->names);
}

void record_release(struct record *record)
{
    for (size_t i = 0; i < record->group_count; i++)
        free(record->groups[i].name);
    for (size_t i = 0; i < record->program_count; i++)
        release_program(&record->programs[i]);
    free(record->groups);
    free(record->programs);
    *record = (struct record){0};
}

void record_add_group(struct record *record, const char *name, int priority)
{
    record->groups = memory_checked(reallocarray(record->groups, record->group_count + 1, sizeof record->groups[0]));
    record->groups[record->group_count++] = (struct record_group){copy_text(name), priority};
}

void record_add_program(struct record *record, const char *group, const char *program, struct rpc_value *options,
                        const struct rpc_value *names)
{
    record->programs =
        memory_checked(reallocarray(record->programs, record->program_count + 1, sizeof record->programs[0]));
    record->programs[record->program_count++] =
        (struct record_program){copy_text(group), copy_text(program), options, rpc_value_copy(names)};
}

static void remove_program(struct record *record, size_t index)
{
    release_program(&record->programs[index]);
    record->program_count--;
    memmove(&record->programs[index], &record->programs[index + 1],
            (record->program_count - index) * sizeof record->programs[0]);
}

/* The names without one of them, or NULL when it is not among them. */
static struct rpc_value *names_without(const struct rpc_value *names, const char *name)
{
    struct rpc_value *rest = rpc_array(rpc_count(names));

    for (size_t i = 0; i < rpc_count(names); i++)
        if (strcmp(rpc_as_string(rpc_array_get(names, i)), name) != 0)
            rpc_array_append(rest, rpc_value_copy(rpc_array_get(names, i)));
    if (rpc_count(rest) == rpc_count(names)) {
        rpc_value_free(rest);
        return NULL;
    }
    return rest;
}

bool record_remove_process(struct record *record, const char *group, const char *name)
{
    for (size_t i = 0; i < record->program_count; i++) {
        struct record_program *program = &record->programs[i];
        struct rpc_value *rest = strcmp(program->group, group) == 0 ? names_without(program->names, name) : NULL;
        if (rest == NULL)
            continue;
        rpc_value_free(program->names);
        program->names = rest;
        if (rpc_count(rest) == 0)
            remove_program(record, i);
        return true;
    }
    return false;
}

bool record_remove_group(struct record *record, const char *group)
{
    const size_t before = record->group_count + record->program_count;

    for (size_t i = record->program_count; i-- > 0;)
        if (strcmp(record->programs[i].group, group) == 0)
            remove_program(record, i);
    for (size_t i = 0; i < record->group_count; i++) {
        if (strcmp(record->groups[i].name, group) == 0) {
            free(record->groups[i].name);
            record->group_count--;
            memmove(&record->groups[i], &record->groups[i + 1], (record->group_count - i) * sizeof record->groups[0]);
            break;
        }
    }
    return record->group_count + record->program_count < before;
}

/* --- numbers ------------------------------------------------------------------------------------------------------ */

const struct rpc_value *record_option(const struct rpc_value *options, const char *key)
{
    for (size_t i = rpc_count(options); i-- > 0;)
        if (strcasecmp(rpc_struct_key(options, i), key) == 0)
            return rpc_struct_item(options, i);
    return NULL;
}

/* As far as it is a number at all; whether it is a good one is judged when the program is added. */
static int64_t option_number(const struct rpc_value *options, const char *key, int64_t otherwise)
{
    const struct rpc_value *option = record_option(options, key);
    int64_t number = otherwise;

    if (option != NULL && rpc_value_type(option) == RPC_INT)
        number = rpc_as_int(option);
    if (option != NULL && rpc_value_type(option) == RPC_STRING)
        number = strtol(rpc_as_string(option), NULL, 10);
    return number < INT_MIN ? INT_MIN : number > INT_MAX ? INT_MAX : number;
}

int record_free_number(const struct record *record, const char *group, const char *program,
                       const struct rpc_value *options)
{
    const int64_t wanted = option_number(options, "numprocs", 1);
    int64_t number = 1;
    bool moved;

    do {
        moved = false;
        for (size_t i = 0; i < record->program_count; i++) {
            const struct record_program *other = &record->programs[i];
            const int64_t first = option_number(other->options, "numprocs_start", 0);
            const int64_t end = first + option_number(other->options, "numprocs", 1);
            if (strcmp(other->group, group) == 0 && strcmp(other->program, program) == 0 && number < end &&
                first < number + wanted) {
                number = end;
                moved = true;
            }
        }
    } while (moved);
    return number < INT_MAX ? (int)number : INT_MAX;
}

/* --- as one value ------------------------------------------------------------------------------------------------- */

struct rpc_value *record_to_value(const struct record *record)
{
    struct rpc_value *value = rpc_struct(3);
    struct rpc_value *groups = rpc_array(record->group_count);
    struct rpc_value *programs = rpc_array(record->program_count);

    for (size_t i = 0; i < record->group_count; i++) {
        struct rpc_value *group = rpc_struct(2);
        rpc_struct_set_static(group, "name", rpc_string(record->groups[i].name));
        rpc_struct_set_static(group, "priority", rpc_int(record->groups[i].priority));
        rpc_array_append(groups, group);
    }
    for (size_t i = 0; i < record->program_count; i++) {
        struct rpc_value *program = rpc_struct(4);
        rpc_struct_set_static(program, "group", rpc_string(record->programs[i].group));
        rpc_struct_set_static(program, "program", rpc_string(record->programs[i].program));
        rpc_struct_set_static(program, "options", rpc_value_copy(record->programs[i].options));
        rpc_struct_set_static(program, "names", rpc_value_copy(record->programs[i].names));
        rpc_array_append(programs, program);
    }
    rpc_struct_set_static(value, FORMAT_KEY, rpc_int(FORMAT_VERSION));
    rpc_struct_set_static(value, "groups", groups);
    rpc_struct_set_static(value, "programs", programs);
    return value;
}

/* A member that must be there and of this type; NULL with *err. */
static const struct rpc_value *member(const struct rpc_value *record, const char *key, enum rpc_type type,
                                      struct error *err)
{
    const struct rpc_value *value = rpc_value_type(record) == RPC_STRUCT ? rpc_struct_get(record, key) : NULL;

    if (value == NULL)
        error_set(err, "\"%s\" is missing", key);
    else if (rpc_value_type(value) != type)
        error_set(err, "\"%s\" must be %s, not %s", key, rpc_type_name(type), rpc_type_name(rpc_value_type(value)));
    else
        return value;
    return NULL;
}

static int read_group(struct record *record, const struct rpc_value *value, struct error *err)
{
    const struct rpc_value *name = member(value, "name", RPC_STRING, err);
    const struct rpc_value *priority = name != NULL ? member(value, "priority", RPC_INT, err) : NULL;

    if (priority == NULL)
        return -1;
    if (rpc_as_int(priority) < INT_MIN || rpc_as_int(priority) > INT_MAX)
        return error_set(err, "\"priority\" is out of range");
    record_add_group(record, rpc_as_string(name), (int)rpc_as_int(priority));
    return 0;
}

static int check_names(const struct rpc_value *names, struct error *err)
{
    for (size_t i = 0; i < rpc_count(names); i++)
        if (rpc_value_type(rpc_array_get(names, i)) != RPC_STRING)
            return error_set(err, "\"names\" must be strings");
    return 0;
}

static int read_program(struct record *record, const struct rpc_value *value, struct error *err)
{
    const struct rpc_value *group = member(value, "group", RPC_STRING, err);
    const struct rpc_value *program = group != NULL ? member(value, "program", RPC_STRING, err) : NULL;
    const struct rpc_value *options = program != NULL ? member(value, "options", RPC_STRUCT, err) : NULL;
    const struct rpc_value *names = options != NULL ? member(value, "names", RPC_ARRAY, err) : NULL;

    if (names == NULL || check_names(names, err) < 0)
        return -1;
    record_add_program(record, rpc_as_string(group), rpc_as_string(program), rpc_value_copy(options), names);
    return 0;
}

static int read_list(struct record *record, const struct rpc_value *value, const char *key,
                     int (*read)(struct record *record, const struct rpc_value *value, struct error *err),
                     struct error *err)
{
    const struct rpc_value *list = member(value, key, RPC_ARRAY, err);

    if (list == NULL)
        return -1;
    for (size_t i = 0; i < rpc_count(list); i++)
        if (read(record, rpc_array_get(list, i), err) < 0)
            return error_prefix(err, "\"%s\", item %zu", key, i + 1);
    return 0;
}

int record_from_value(struct record *record, const struct rpc_value *value, struct error *err)
{
    const struct rpc_value *version = member(value, FORMAT_KEY, RPC_INT, err);

    *record = (struct record){0};
    if (version == NULL)
        return -1;
    if (rpc_as_int(version) != FORMAT_VERSION)
        return error_set(err, "\"" FORMAT_KEY "\" is %lld, and only %d is known", (long long)rpc_as_int(version),
                         FORMAT_VERSION);
    if (read_list(record, value, "groups", read_group, err) < 0 ||
        read_list(record, value, "programs", read_program, err) < 0) {
        record_release(record);
        return -1;
    }
    return 0;
}
