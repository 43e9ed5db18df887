#include "cmocka_all.h"

#include <arpa/inet.h>
#include <crypt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "http/auth.h"

/* base64 of what the name says */
#define ME_SECRET "Basic bWU6c2VjcmV0"
#define ME_WRONG "Basic bWU6d3Jvbmc="
#define ME_SECRET_NUL_X "Basic bWU6c2VjcmV0AHg="
#define ME_EMPTY "Basic bWU6"
#define GUEST_LOOK "Basic Z3Vlc3Q6bG9vaw=="
#define GUEST_SECRET "Basic Z3Vlc3Q6c2VjcmV0"
#define ME_LOOK "Basic bWU6bG9vaw=="
#define NOBODY "Basic bm9ib2R5OnNlY3JldA=="

/* "secret" and "look" as crypt(3) has them, cheaply */
#define CHEAP "$6$rounds=1000$salt$"
/* Costs about as long as yescrypt with the usual settings, or longer. */
#define DEAR "$6$rounds=300000$salt$"

struct world {
    struct config_server config;
    struct http_auth *auth;
    char main_hash[CRYPT_OUTPUT_SIZE];
    char other_hash[CRYPT_OUTPUT_SIZE];
};

static void hash(const char *password, const char *setting, char out[CRYPT_OUTPUT_SIZE])
{
    struct crypt_data *data = xcalloc(1, sizeof *data);

    assert_non_null(crypt_rn(password, setting, data, (int)sizeof *data));
    strcpy(out, data->output);
    free(data);
}

static int set_up(void **state)
{
    static char me[] = "me";
    struct world *w = xcalloc(1, sizeof *w);

    w->config.username = me;
    w->auth = http_auth_new(&w->config);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    http_auth_free(w->auth);
    free(w);
    return 0;
}

static struct sockaddr *address(const char *text)
{
    static struct sockaddr_in ipv4;
    static struct sockaddr_in6 ipv6;

    ipv4 = (struct sockaddr_in){.sin_family = AF_INET};
    ipv6 = (struct sockaddr_in6){.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &ipv4.sin_addr) == 1)
        return (struct sockaddr *)&ipv4;
    assert_int_equal(inet_pton(AF_INET6, text, &ipv6.sin6_addr), 1);
    return (struct sockaddr *)&ipv6;
}

/* As a client that is in no hurry. */
static enum http_access check_patiently(struct world *w, const char *header, const char *client)
{
    const int64_t limit_us = clock_monotonic_us() + INT64_C(60000000);
    enum http_access access;

    while ((access = http_auth_check(w->auth, header, address(client))) == HTTP_ACCESS_TOO_OFTEN) {
        assert_true(clock_monotonic_us() < limit_us);
        usleep(1000);
    }
    return access;
}

static void without_accounts_everybody_may(void **state)
{
    struct world *w = *state;

    w->config.username = NULL;
    assert_int_equal(http_auth_check(w->auth, NULL, NULL), HTTP_ACCESS_CHANGE);
    assert_int_equal(http_auth_check(w->auth, ME_WRONG, NULL), HTTP_ACCESS_CHANGE);
}

static void check_both_accounts(struct world *w)
{
    static const struct {
        const char *header;
        enum http_access access;
    } cases[] = {
        {ME_SECRET, HTTP_ACCESS_CHANGE}, {GUEST_LOOK, HTTP_ACCESS_LOOK},
        {ME_LOOK, HTTP_ACCESS_REFUSED},  {GUEST_SECRET, HTTP_ACCESS_REFUSED},
        {ME_EMPTY, HTTP_ACCESS_REFUSED}, {ME_SECRET_NUL_X, HTTP_ACCESS_REFUSED},
        {NOBODY, HTTP_ACCESS_REFUSED},   {"Basic bWU=", HTTP_ACCESS_REFUSED},
        {"Basic", HTTP_ACCESS_REFUSED},  {NULL, HTTP_ACCESS_REFUSED},
        {ME_SECRET, HTTP_ACCESS_CHANGE}, {GUEST_LOOK, HTTP_ACCESS_LOOK},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (check_patiently(w, cases[i].header, "10.0.0.1") != cases[i].access)
            fail_msg("%s is not %d", cases[i].header, (int)cases[i].access);
}

static void two_accounts_in_every_form(void **state)
{
    struct world *w = *state;

    w->config.readonly_username = (char[]){"guest"};
    w->config.password = (char[]){"secret"};
    w->config.readonly_password = (char[]){"look"};
    check_both_accounts(w);
    hash("look", CHEAP, w->other_hash);
    w->config.readonly_password = w->other_hash;
    check_both_accounts(w);
    hash("secret", CHEAP, w->main_hash);
    w->config.password = w->main_hash;
    check_both_accounts(w);
    w->config.password = (char[]){"{SHA}e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4"};
    check_both_accounts(w);
}

/* No form of crypt(3) begins like this: the password is what stands there. */
static void a_dollar_makes_no_hash(void **state)
{
    struct world *w = *state;

    w->config.password = (char[]){"$ecret"};
    assert_int_equal(http_auth_check(w->auth, "Basic bWU6JGVjcmV0", NULL), HTTP_ACCESS_CHANGE);
    assert_int_equal(http_auth_check(w->auth, ME_SECRET, NULL), HTTP_ACCESS_REFUSED);
}

static void a_hash_is_no_password(void **state)
{
    struct world *w = *state;

    hash("", CHEAP, w->main_hash);
    w->config.password = w->main_hash;
    assert_int_equal(check_patiently(w, ME_SECRET, "10.0.0.1"), HTTP_ACCESS_REFUSED);
    assert_int_equal(check_patiently(w, ME_EMPTY, "10.0.0.1"), HTTP_ACCESS_CHANGE);
}

static void good_credentials_cost_once(void **state)
{
    enum { CALLS = 2000 };
    struct world *w = *state;
    int64_t begin_us = clock_monotonic_us();

    hash("secret", DEAR, w->main_hash);
    w->config.password = w->main_hash;
    assert_int_equal(http_auth_check(w->auth, ME_SECRET, NULL), HTTP_ACCESS_CHANGE);

    const int64_t both_us = clock_monotonic_us() - begin_us; /* to make it and to verify it */

    begin_us = clock_monotonic_us();
    for (int i = 0; i < CALLS; i++)
        assert_int_equal(http_auth_check(w->auth, ME_SECRET, NULL), HTTP_ACCESS_CHANGE);
    assert_true(clock_monotonic_us() - begin_us < CALLS * both_us / 10);
}

/* What was good for another password is forgotten with it. */
static void a_changed_password_counts_at_once(void **state)
{
    struct world *w = *state;

    hash("secret", CHEAP, w->main_hash);
    w->config.password = w->main_hash;
    assert_int_equal(http_auth_check(w->auth, ME_SECRET, NULL), HTTP_ACCESS_CHANGE);
    hash("other", CHEAP, w->main_hash);
    assert_int_equal(http_auth_check(w->auth, ME_SECRET, NULL), HTTP_ACCESS_REFUSED);
}

static void wrong_passwords_have_to_wait(void **state)
{
    struct world *w = *state;

    hash("secret", DEAR, w->main_hash);
    w->config.password = w->main_hash;
    assert_int_equal(http_auth_check(w->auth, ME_SECRET, address("10.0.0.1")), HTTP_ACCESS_CHANGE);

    const int64_t begin_us = clock_monotonic_us();

    assert_int_equal(http_auth_check(w->auth, ME_WRONG, address("10.0.0.2")), HTTP_ACCESS_REFUSED);

    const int64_t cost_us = clock_monotonic_us() - begin_us;

    assert_int_equal(http_auth_check(w->auth, ME_WRONG, address("10.0.0.2")), HTTP_ACCESS_TOO_OFTEN);
    assert_int_equal(http_auth_check(w->auth, ME_WRONG, address("10.0.0.3")), HTTP_ACCESS_TOO_OFTEN);
    /* Who is known passes, also from there. */
    assert_int_equal(http_auth_check(w->auth, ME_SECRET, address("10.0.0.2")), HTTP_ACCESS_CHANGE);
    /* No password at all is no guess. */
    assert_int_equal(http_auth_check(w->auth, NULL, address("10.0.0.2")), HTTP_ACCESS_REFUSED);
    /* The other address is heard before the one that guesses. */
    assert_int_equal(check_patiently(w, ME_LOOK, "10.0.0.3"), HTTP_ACCESS_REFUSED);
    assert_int_equal(check_patiently(w, ME_WRONG, "10.0.0.2"), HTTP_ACCESS_REFUSED);
    assert_true(clock_monotonic_us() - begin_us > 9 * cost_us);
}

static void the_addresses_of_a_network_wait_together(void **state)
{
    struct world *w = *state;

    hash("secret", DEAR, w->main_hash);
    w->config.password = w->main_hash;
    assert_int_equal(http_auth_check(w->auth, ME_WRONG, address("2001:db8::1")), HTTP_ACCESS_REFUSED);
    for (int i = 0; i < 100; i++) /* longer than all others have to wait is hard to tell; every one is refused now */
        assert_int_equal(http_auth_check(w->auth, ME_WRONG, address("2001:db8::2")), HTTP_ACCESS_TOO_OFTEN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_accounts_everybody_may), TEST(two_accounts_in_every_form),
        TEST(a_dollar_makes_no_hash),         TEST(a_hash_is_no_password),
        TEST(good_credentials_cost_once),     TEST(a_changed_password_counts_at_once),
        TEST(wrong_passwords_have_to_wait),   TEST(the_addresses_of_a_network_wait_together),
    };

    return cmocka_run_group_tests_name("http_auth", tests, NULL, NULL);
}
