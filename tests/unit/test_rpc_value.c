#include "cmocka_all.h"

#include <string.h>

#include "base/memory.h"
#include "rpc/value.h"

static void scalars_keep_what_they_are_given(void **state)
{
    struct rpc_value *values[] = {rpc_int(INT64_MIN), rpc_boolean(true), rpc_double(0.5), rpc_nil()};

    (void)state;
    assert_int_equal(rpc_as_int(values[0]), INT64_MIN);
    assert_true(rpc_as_boolean(values[1]));
    assert_true(rpc_as_double(values[2]) == 0.5);
    assert_int_equal(rpc_value_type(values[3]), RPC_NIL);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        rpc_value_free(values[i]);
    rpc_value_free(NULL);
}

static void strings_of_every_length_end_with_a_nul(void **state)
{
    char text[100];

    (void)state;
    memset(text, 'x', sizeof text);
    for (size_t length = 0; length < sizeof text; length++) {
        struct rpc_value *value = rpc_string_bytes(text, length);
        assert_int_equal(rpc_string_length(value), length);
        assert_int_equal(strlen(rpc_as_string(value)), length);
        rpc_value_free(value);
    }
}

static void strings_may_be_taken_borrowed_and_hold_nuls(void **state)
{
    static const char literal[] = "literal";
    struct rpc_value *taken = rpc_string_take(xstrndup("taken", 5), 5);
    struct rpc_value *borrowed = rpc_string_static(literal);
    struct rpc_value *bytes = rpc_bytes(RPC_BASE64, "a\0b", 3);

    (void)state;
    assert_string_equal(rpc_as_string(taken), "taken");
    assert_ptr_equal(rpc_as_string(borrowed), literal);
    assert_int_equal(rpc_string_length(bytes), 3);
    assert_memory_equal(rpc_as_string(bytes), "a\0b", 4);
    rpc_value_free(taken);
    rpc_value_free(borrowed);
    rpc_value_free(bytes);
}

static void arrays_grow_beyond_what_was_expected(void **state)
{
    struct rpc_value *array = rpc_array(1);

    (void)state;
    for (int i = 0; i < 100; i++)
        rpc_array_append(array, rpc_int(i));
    assert_int_equal(rpc_count(array), 100);
    assert_int_equal(rpc_as_int(rpc_array_get(array, 57)), 57);

    struct rpc_value *last = rpc_array_pop(array);
    assert_int_equal(rpc_as_int(last), 99);
    assert_int_equal(rpc_count(array), 99);
    rpc_value_free(last);
    rpc_value_free(array);
}

static void structs_keep_order_and_find_the_later_of_two(void **state)
{
    struct rpc_value *record = rpc_struct(0);
    char key[] = "first";

    (void)state;
    rpc_struct_set(record, key, rpc_int(1));
    key[0] = 'X'; /* it was copied */
    rpc_struct_set_static(record, "second", rpc_int(2));
    rpc_struct_set(record, "first", rpc_int(3));
    assert_int_equal(rpc_count(record), 3);
    assert_string_equal(rpc_struct_key(record, 0), "first");
    assert_int_equal(rpc_as_int(rpc_struct_item(record, 1)), 2);
    assert_int_equal(rpc_as_int(rpc_struct_get(record, "first")), 3);
    assert_null(rpc_struct_get(record, "third"));
    rpc_value_free(record);
}

static void types_have_the_names_of_signatures(void **state)
{
    (void)state;
    assert_string_equal(rpc_type_name(RPC_INT), "int");
    assert_string_equal(rpc_type_name(RPC_BOOLEAN), "boolean");
    assert_string_equal(rpc_type_name(RPC_STRUCT), "struct");
    assert_string_equal(rpc_type_name(RPC_DATETIME), "dateTime.iso8601");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_keep_what_they_are_given),
        cmocka_unit_test(strings_of_every_length_end_with_a_nul),
        cmocka_unit_test(strings_may_be_taken_borrowed_and_hold_nuls),
        cmocka_unit_test(arrays_grow_beyond_what_was_expected),
        cmocka_unit_test(structs_keep_order_and_find_the_later_of_two),
        cmocka_unit_test(types_have_the_names_of_signatures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
