#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisorctl/status.h"

static struct rpc_value *process(const char *group, const char *name, const char *state, const char *description)
{
    struct rpc_value *record = rpc_struct(5);

    rpc_struct_set(record, "group", rpc_string(group));
    rpc_struct_set(record, "name", rpc_string(name));
    rpc_struct_set(record, "statename", rpc_string(state));
    rpc_struct_set(record, "description", rpc_string(description));
    return record;
}

/* Two processes, printed. Free it. */
static char *printed(struct rpc_value *first, struct rpc_value *second)
{
    const struct rpc_value *both[] = {first, second};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    status_print(out, both, 2);
    fclose(out);
    rpc_value_free(first);
    rpc_value_free(second);
    return text;
}

static void lines_have_the_original_columns(void **state)
{
    char *text = printed(process("cat", "cat", "RUNNING", "pid 10, uptime 0:01:03"), process("g", "a", "STARTING", ""));

    (void)state;
    assert_string_equal(text, "cat                              RUNNING   pid 10, uptime 0:01:03\n"
                              "g:a                              STARTING  \n");
    free(text);
}

static void a_long_name_widens_the_column(void **state)
{
    char *text = printed(process("cat", "cat", "FATAL", "x"),
                         process("group_with_a_long_name", "process_too", "STOPPED", "Not started"));

    (void)state;
    assert_string_equal(text, "cat                                  FATAL     x\n"
                              "group_with_a_long_name:process_too   STOPPED   Not started\n");
    free(text);
}

static void columns_count_characters(void **state)
{
    char *text = printed(process("caf\u00e9", "caf\u00e9", "RUNNING", "x"), process("g", "a", "STOPPED", "y"));

    (void)state;
    assert_string_equal(text, "caf\u00e9                             RUNNING   x\n"
                              "g:a                              STOPPED   y\n");
    free(text);
}

static void missing_members_do_no_harm(void **state)
{
    char *text = printed(rpc_struct(0), rpc_int(3));

    (void)state;
    assert_int_equal(strcspn(text, "\n"), 43);
    free(text);
}

static void json_keeps_types_and_order(void **state)
{
    struct rpc_value *record = rpc_struct(4);
    struct rpc_value *list = rpc_array(2);
    json_t *json;
    char *text;

    (void)state;
    rpc_struct_set(record, "name", rpc_string("b\"\xc3\xa4"));
    rpc_struct_set(record, "pid", rpc_int(17));
    rpc_struct_set(record, "inuse", rpc_boolean(true));
    rpc_array_append(list, rpc_nil());
    rpc_array_append(list, rpc_double(0.5));
    rpc_struct_set(record, "list", list);
    json = status_as_json(record);
    text = json_dumps(json, JSON_COMPACT);
    assert_string_equal(text, "{\"name\":\"b\\\"\xc3\xa4\",\"pid\":17,\"inuse\":true,\"list\":[null,0.5]}");
    free(text);
    json_decref(json);
    rpc_value_free(record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_have_the_original_columns), cmocka_unit_test(a_long_name_widens_the_column),
        cmocka_unit_test(columns_count_characters),        cmocka_unit_test(missing_members_do_no_harm),
        cmocka_unit_test(json_keeps_types_and_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
