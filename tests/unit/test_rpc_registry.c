#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "rpc/codec.h"
#include "rpc/registry.h"

/* What the methods of the tests do their work on. */
struct world {
    bool is_stopping;
    struct rpc_call *waiting; /* the call that test.wait left open */
    int cancelled;
    /* What the transport was told last. */
    int answers;
    struct rpc_value *result;
    int fault;
    char text[ERROR_TEXT_SIZE];
    enum rpc_caller caller; /* who calls */
};

static bool is_stopping(void *context)
{
    const struct world *world = context;

    return world->is_stopping;
}

static enum rpc_outcome echo(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                             struct error *err)
{
    (void)call;
    (void)err;
    *result = rpc_value_copy(params);
    return RPC_DONE;
}

static enum rpc_outcome refuse(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                               struct error *err)
{
    (void)call;
    (void)params;
    (void)result;
    error_set_fault(err, FAULT_BAD_NAME, "BAD_NAME: x");
    return RPC_FAILED;
}

static void on_cancel(void *waiting)
{
    struct world *world = waiting;

    world->cancelled++;
    world->waiting = NULL;
}

static enum rpc_outcome wait_for_more(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                                      struct error *err)
{
    struct world *world = rpc_call_context(call);

    (void)params;
    (void)result;
    (void)err;
    assert_null(world->waiting);
    world->waiting = call;
    rpc_call_defer(call, on_cancel, world);
    return RPC_LATER;
}

static enum rpc_outcome answer_much(struct rpc_call *call, const struct rpc_value *params, struct rpc_value **result,
                                    struct error *err)
{
    enum { MUCH = 1 << 20 };

    (void)call;
    (void)params;
    (void)err;
    *result = rpc_string_take(memset(xmalloc(MUCH), 'x', MUCH), MUCH);
    return RPC_DONE;
}

static const struct rpc_method methods[] = {
    {"test.echo", "array int boolean string array* string int", "n, truth, text, any, word=hello, number=7",
     "Give back.", 0, echo},
    {"test.echoText", "array string boolean", "text, truth=true", "Give back.", RPC_ALSO_IN_SHUTDOWN, echo},
    {"test.look", "array", "", "Give back nothing.", RPC_READS, echo},
    {"test.much", "string", "", "Answer much.", 0, answer_much},
    {"test.nothing", "array", "", "Give back nothing.", 0, echo},
    {"test.refuse", "boolean", "", "Refuse.", 0, refuse},
    {"test.wait", "boolean", "", "Wait.", 0, wait_for_more},
};

static struct rpc_registry *make_registry(struct world *world)
{
    struct rpc_registry *registry = rpc_registry_new(is_stopping, world);

    rpc_registry_add(registry, methods, sizeof methods / sizeof methods[0], world);
    rpc_registry_add_system(registry);
    return registry;
}

static void on_answer(void *context, struct rpc_value *result, const struct error *err)
{
    struct world *world = context;

    world->answers++;
    rpc_value_free(world->result);
    world->result = result;
    world->fault = err != NULL ? (int)err->fault : FAULT_NONE;
    strcpy(world->text, err != NULL ? err->text : "");
}

/* Calls with the parameters written as XML. */
static struct rpc_call *call(struct rpc_registry *registry, struct world *world, const char *name, const char *values)
{
    CLEANUP_FREE char *body =
        xasprintf("<methodCall><methodName>%s</methodName><params>%s</params></methodCall>", name, values);
    CLEANUP_FREE char *method = NULL;
    struct rpc_value *params;
    struct error err;

    if (rpc_decode_call(body, strlen(body), &method, &params, &err) < 0)
        fail_msg("%s", err.text);
    return rpc_registry_call(registry, world->caller, method, params, on_answer, world);
}

#define P(value) "<param><value>" value "</value></param>"
#define FOUR_VALUES P("<int>5</int>") P("<boolean>1</boolean>") P("abc") P("<nil/>")

static int setup(void **state)
{
    *state = xcalloc(1, sizeof(struct world));
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    rpc_value_free(world->result);
    free(world);
    return 0;
}

static const struct rpc_value *item(const struct world *world, size_t index)
{
    return rpc_array_get(world->result, index);
}

static void parameters_reach_the_handler_and_defaults_are_filled_in(void **state)
{
    struct world *world = *state;
    struct rpc_registry *registry = make_registry(world);

    assert_null(call(registry, world, "test.echo", FOUR_VALUES));
    assert_int_equal(world->fault, FAULT_NONE);
    assert_int_equal(rpc_count(world->result), 6);
    assert_int_equal(rpc_as_int(item(world, 0)), 5);
    assert_int_equal(rpc_value_type(item(world, 3)), RPC_NIL);
    assert_string_equal(rpc_as_string(item(world, 4)), "hello");
    assert_int_equal(rpc_as_int(item(world, 5)), 7);
    rpc_registry_free(registry);
}

static void what_cannot_be_misunderstood_is_converted(void **state)
{
    struct world *world = *state;
    struct rpc_registry *registry = make_registry(world);

    assert_null(
        call(registry, world, "test.echo", P(" -12 ") P("<int>2</int>") P("") P("x") P("y") P("<double>1.9</double>")));
    assert_int_equal(world->fault, FAULT_NONE);
    assert_int_equal(rpc_as_int(item(world, 0)), -12);
    assert_true(rpc_as_boolean(item(world, 1)));
    assert_int_equal(rpc_as_int(item(world, 5)), 1);
    assert_null(call(registry, world, "test.echoText", P("x") P("<nil/>")));
    assert_false(rpc_as_boolean(item(world, 1)));
    rpc_registry_free(registry);
}

static void wrong_types_and_numbers_of_parameters_are_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        P("<int>1</int>"),
        FOUR_VALUES FOUR_VALUES,
        P("1x") P("<boolean>1</boolean>") P("abc") P("x"),
        P("") P("<boolean>1</boolean>") P("abc") P("x"),
        P("99999999999999999999") P("<boolean>1</boolean>") P("abc") P("x"),
        P("<double>1e300</double>") P("<boolean>1</boolean>") P("abc") P("x"),
        P("<int>1</int>") P("<struct></struct>") P("abc") P("x"),
        P("<int>1</int>") P("<boolean>1</boolean>") P("<int>5</int>") P("x"),
        P("<int>1</int>") P("<boolean>1</boolean>") P("<base64>YQ==</base64>") P("x"),
    };
    struct world *world = *state;
    struct rpc_registry *registry = make_registry(world);

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_null(call(registry, world, "test.echo", wrong[i]));
        assert_int_equal(world->fault, FAULT_INCORRECT_PARAMETERS);
        assert_memory_equal(world->text, "INCORRECT_PARAMETERS", strlen("INCORRECT_PARAMETERS"));
    }
    assert_int_equal(world->answers, sizeof wrong / sizeof wrong[0]);
    rpc_registry_free(registry);
}

static void names_that_are_no_methods_are_unknown(void **state)
{
    static const char *const names[] = {"test", "test.", "test.echo.x", "echo", "test.Echo", "__class__", "system"};
    struct world *world = *state;
    struct rpc_registry *registry = make_registry(world);

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_null(call(registry, world, names[i], ""));
        assert_int_equal(world->fault, FAULT_UNKNOWN_METHOD);
        assert_string_equal(world->text, "UNKNOWN_METHOD");
    }
    rpc_registry_free(registry);
}

static void a_row_added_later_takes_the_place_of_the_first(void **state)
{
    static const struct rpc_method other = {"test.echo", "boolean", "", "Refuse.", 0, refuse};
    struct world *world = *state;
    struct rpc_registry *registry = make_registry(world);

    rpc_registry_add(registry, &other, 1, NULL);
    assert_null(call(registry, world, "test.echo", ""));
    assert_int_equal(world->fault, FAULT_BAD_NAME);
    rpc_registry_free(registry);
}

static void while_stopping_only_flagged_methods_answer(void **state)
{
    struct world *world = *state;
    struct rpc_registry *registry = make_registry(world);

    world->is_stopping = true;
    assert_null(call(registry, world, "test.nothing", ""));
    assert_int_equal(world->fault, FAULT_SHUTDOWN_STATE);
    assert_string_equal(world->text, "SHUTDOWN_STATE");
    assert_null(call(registry, world, "test.echoText", P("x")));
    assert_int_equal(world->fault, FAULT_NONE);
    assert_null(call(registry, world, "system.listMethods", ""));
    assert_int_equal(world->fault, FAULT_NONE);
    rpc_registry_free(registry);
}

static void a_deferred_call_answers_later_or_fails_later(void **state)
{
    struct world *world = *state;
    struct rpc_registry *registry = make_registry(world);

    assert_non_null(call(registry, world, "test.wait", ""));
    assert_int_equal(world->answers, 0);
    rpc_call_complete(world->waiting, rpc_boolean(true));
    assert_int_equal(world->answers, 1);
    assert_true(rpc_as_boolean(world->result));

    world->waiting = NULL;
    assert_non_null(call(registry, world, "test.wait", ""));
    rpc_call_fail(world->waiting, &(struct error){.fault = FAULT_SPAWN_ERROR, .text = "SPAWN_ERROR: x"});
    assert_int_equal(world->fault, FAULT_SPAWN_ERROR);
    assert_string_equal(world->text, "SPAWN_ERROR: x");
    rpc_registry_free(registry);
}

static void a_cancelled_call_tells_its_handler_and_nobody_else(void **state)
{
    struct world *world = *state;
    struct rpc_registry *registry = make_registry(world);

    rpc_call_cancel(call(registry, world, "test.wait", ""));
    assert_int_equal(world->cancelled, 1);
    assert_int_equal(world->answers, 0);
    rpc_registry_free(registry);
}

static void the_system_methods_describe_the_rows(void **state)
{
    struct world *world = *state;
    struct rpc_registry *registry = make_registry(world);

    call(registry, world, "system.listMethods", "");
    assert_int_equal(rpc_count(world->result), 11);
    assert_string_equal(rpc_as_string(item(world, 0)), "system.listMethods");
    assert_string_equal(rpc_as_string(item(world, 4)), "test.echo");

    call(registry, world, "system.methodSignature", P("test.echo"));
    assert_int_equal(rpc_count(world->result), 7);
    assert_string_equal(rpc_as_string(item(world, 0)), "array");
    assert_string_equal(rpc_as_string(item(world, 4)), "array");

    call(registry, world, "system.methodHelp", P("test.refuse"));
    assert_string_equal(rpc_as_string(world->result), "Refuse.");
    call(registry, world, "system.methodHelp", P("test.none"));
    assert_int_equal(world->fault, FAULT_SIGNATURE_UNSUPPORTED);
    call(registry, world, "system.methodSignature", P("test.none"));
    assert_string_equal(world->text, "SIGNATURE_UNSUPPORTED");
    rpc_registry_free(registry);
}

/* --- multicall ---------------------------------------------------------------------------------------------------- */

#define MEMBER(name, value) "<member><name>" name "</name><value>" value "</value></member>"
#define CALL(name, params)                       \
    "<value><struct>" MEMBER("methodName", name) \
        MEMBER("params", "<array><data>" params "</data></array>") "</struct></value>"
#define CALLS(calls) P("<array><data>" calls "</data></array>")

static void assert_fault_at(const struct world *world, size_t index, int code, const char *text)
{
    const struct rpc_value *fault = item(world, index);

    assert_int_equal(rpc_as_int(rpc_struct_get(fault, "faultCode")), code);
    assert_string_equal(rpc_as_string(rpc_struct_get(fault, "faultString")), text);
}

static void multicall_answers_bare_values_and_faults_in_order(void **state)
{
    struct world *world = *state;
    struct rpc_registry *registry = make_registry(world);

    assert_null(call(registry, world, "system.multicall",
                     CALLS(CALL("test.echoText", "<value>a</value>") CALL("test.refuse", "") CALL("no.such", "")
                               CALL("test.echoText", "") CALL("test.nothing", ""))));
    assert_int_equal(rpc_count(world->result), 5);
    assert_string_equal(rpc_as_string(rpc_array_get(item(world, 0), 0)), "a");
    assert_fault_at(world, 1, FAULT_BAD_NAME, "BAD_NAME: x");
    assert_fault_at(world, 2, FAULT_UNKNOWN_METHOD, "UNKNOWN_METHOD");
    assert_fault_at(world, 3, FAULT_INCORRECT_PARAMETERS, "INCORRECT_PARAMETERS");
    assert_int_equal(rpc_count(item(world, 4)), 0);
    rpc_registry_free(registry);
}

static void multicall_refuses_what_is_no_call_in_its_place(void **state)
{
    struct world *world = *state;
    struct rpc_registry *registry = make_registry(world);

    assert_null(call(
        registry, world, "system.multicall",
        CALLS("<value>a</value>"
              "<value><struct></struct></value>"
              "<value><struct>" MEMBER(
                  "methodName",
                  "<int>5</int>") "</struct></value>"
                                  "<value><struct>" MEMBER("methodName", "test.nothing") MEMBER(
                                      "params",
                                      "x") "</struct></value>"
                                           "<value><struct>" MEMBER(
                                               "methodName",
                                               "test.nothing") "</struct></value>" CALL("system.multicall",
                                                                                        "<value><array><data></data></"
                                                                                        "array></value>"))));
    assert_int_equal(rpc_count(world->result), 6);
    assert_fault_at(world, 0, FAULT_INCORRECT_PARAMETERS, "INCORRECT_PARAMETERS: No methodName");
    assert_fault_at(world, 1, FAULT_INCORRECT_PARAMETERS, "INCORRECT_PARAMETERS: No methodName");
    assert_int_equal(rpc_as_int(rpc_struct_get(item(world, 2), "faultCode")), FAULT_INCORRECT_PARAMETERS);
    assert_int_equal(rpc_as_int(rpc_struct_get(item(world, 3), "faultCode")), FAULT_INCORRECT_PARAMETERS);
    assert_int_equal(rpc_value_type(item(world, 4)), RPC_ARRAY);
    assert_fault_at(world, 5, FAULT_INCORRECT_PARAMETERS, "INCORRECT_PARAMETERS: Recursive system.multicall forbidden");
    rpc_registry_free(registry);
}

static void multicall_makes_waiting_calls_one_after_another(void **state)
{
    struct world *world = *state;
    struct rpc_registry *registry = make_registry(world);

    assert_non_null(
        call(registry, world, "system.multicall",
             CALLS(CALL("test.nothing", "") CALL("test.wait", "") CALL("test.wait", "") CALL("test.refuse", ""))));
    for (int i = 0; i < 2; i++) {
        struct rpc_call *waiting = world->waiting;
        assert_int_equal(world->answers, 0);
        assert_non_null(waiting);
        world->waiting = NULL;
        rpc_call_complete(waiting, rpc_int(i));
    }
    assert_int_equal(world->answers, 1);
    assert_int_equal(rpc_count(world->result), 4);
    assert_int_equal(rpc_as_int(item(world, 2)), 1);
    assert_fault_at(world, 3, FAULT_BAD_NAME, "BAD_NAME: x");
    rpc_registry_free(registry);
}

static void a_cancelled_multicall_cancels_the_call_it_waits_for(void **state)
{
    struct world *world = *state;
    struct rpc_registry *registry = make_registry(world);

    rpc_call_cancel(call(registry, world, "system.multicall", CALLS(CALL("test.nothing", "") CALL("test.wait", ""))));
    assert_int_equal(world->cancelled, 1);
    assert_int_equal(world->answers, 0);
    rpc_registry_free(registry);
}

/* What is not known to look alone may not be called, in a multicall neither. */
static void accounts_that_may_look_do_not_touch(void **state)
{
    struct world *world = *state;
    struct rpc_registry *registry = make_registry(world);

    world->caller = RPC_CALLER_READS;
    assert_null(call(registry, world, "test.nothing", ""));
    assert_int_equal(world->fault, FAULT_READ_ONLY);
    assert_string_equal(world->text, "READ_ONLY: this account may not call test.nothing");
    assert_null(call(registry, world, "test.wait", ""));
    assert_int_equal(world->fault, FAULT_READ_ONLY);
    assert_null(world->waiting);
    assert_null(call(registry, world, "test.look", ""));
    assert_int_equal(world->fault, FAULT_NONE);
    assert_null(call(registry, world, "no.such", ""));
    assert_int_equal(world->fault, FAULT_UNKNOWN_METHOD);
    assert_null(call(registry, world, "system.multicall", CALLS(CALL("test.look", "") CALL("test.nothing", ""))));
    assert_int_equal(world->fault, FAULT_NONE);
    assert_int_equal(rpc_value_type(item(world, 0)), RPC_ARRAY);
    assert_fault_at(world, 1, FAULT_READ_ONLY, "READ_ONLY: this account may not call test.nothing");
    rpc_registry_free(registry);
}

/* Each answers at once: were they made one from within the answer of the other, the stack would not hold them. */
static void many_immediate_calls_need_no_stack(void **state)
{
    enum { CALL_COUNT = 100000 };
    struct world *world = *state;
    struct rpc_registry *registry = make_registry(world);
    struct rpc_value *calls = rpc_array(CALL_COUNT);
    struct rpc_value *params = rpc_array(1);

    for (int i = 0; i < CALL_COUNT; i++) {
        struct rpc_value *record = rpc_struct(1);
        rpc_struct_set_static(record, "methodName", rpc_string_static(i == 0 ? "test.wait" : "test.nothing"));
        rpc_array_append(calls, record);
    }
    rpc_array_append(params, calls);
    assert_non_null(rpc_registry_call(registry, RPC_CALLER_CHANGES, "system.multicall", params, on_answer, world));
    rpc_call_complete(world->waiting, rpc_nil());
    assert_int_equal(rpc_count(world->result), CALL_COUNT);
    rpc_registry_free(registry);
}

/* A few bytes of request must not become gigabytes of answer. */
static void multicall_bounds_the_size_of_its_answer(void **state)
{
    enum { CALL_COUNT = 1000 };
    struct world *world = *state;
    struct rpc_registry *registry = make_registry(world);
    struct rpc_value *calls = rpc_array(CALL_COUNT);
    struct rpc_value *params = rpc_array(1);

    for (int i = 0; i < CALL_COUNT; i++) {
        struct rpc_value *record = rpc_struct(1);
        rpc_struct_set_static(record, "methodName", rpc_string_static("test.much"));
        rpc_array_append(calls, record);
    }
    rpc_array_append(params, calls);
    assert_null(rpc_registry_call(registry, RPC_CALLER_CHANGES, "system.multicall", params, on_answer, world));
    assert_int_equal(rpc_count(world->result), CALL_COUNT);
    assert_int_equal(rpc_value_type(item(world, 0)), RPC_STRING);
    assert_fault_at(world, CALL_COUNT - 1, FAULT_FAILED, "FAILED: the answers to the calls before are too large");
    rpc_registry_free(registry);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(parameters_reach_the_handler_and_defaults_are_filled_in),
        TEST(what_cannot_be_misunderstood_is_converted),
        TEST(wrong_types_and_numbers_of_parameters_are_refused),
        TEST(names_that_are_no_methods_are_unknown),
        TEST(a_row_added_later_takes_the_place_of_the_first),
        TEST(while_stopping_only_flagged_methods_answer),
        TEST(accounts_that_may_look_do_not_touch),
        TEST(a_deferred_call_answers_later_or_fails_later),
        TEST(a_cancelled_call_tells_its_handler_and_nobody_else),
        TEST(the_system_methods_describe_the_rows),
        TEST(multicall_answers_bare_values_and_faults_in_order),
        TEST(multicall_refuses_what_is_no_call_in_its_place),
        TEST(multicall_makes_waiting_calls_one_after_another),
        TEST(a_cancelled_multicall_cancels_the_call_it_waits_for),
        TEST(many_immediate_calls_need_no_stack),
        TEST(multicall_bounds_the_size_of_its_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
