#include "http/auth.h"

#include <crypt.h>
#include <ctype.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

#define SCHEME "basic "
#define SHA_PREFIX "{SHA}"

enum {
    SHA1_SIZE = 20,
    DIGEST_SIZE = 32,    /* of HMAC-SHA256 */
    ACCOUNT_COUNT = 2,   /* the one that may change things, and the one that may look */
    BUCKET_COUNT = 256,  /* of addresses, by the first byte of their digest; those in one share its waiting */
    WAIT_OF_ADDRESS = 9, /* after a wrong password, in multiples of what it has cost */
};

struct account {
    const char *username; /* NULL: there is no such account */
    const char *password;
    enum http_access access;
};

struct digest {
    unsigned char bytes[DIGEST_SIZE];
};

struct http_auth {
    const struct config_server *config; /* borrowed */
    unsigned char key[DIGEST_SIZE];
    struct digest remembered[ACCOUNT_COUNT]; /* of the credentials that were good; of none at first */
    int64_t wait_until_us;                   /* for all */
    int64_t address_waits_until_us[BUCKET_COUNT];
};

/* "user:password", as a client sends it. The first colon divides, so a password may have more of them. */
struct credentials {
    const char *text;
    size_t length;
    size_t username_length;
    char *password; /* owned: a copy with its end marked, as crypt(3) wants it */
    size_t password_length;
};

struct http_auth *http_auth_new(const struct config_server *config)
{
    struct http_auth *auth = xcalloc(1, sizeof *auth);

    auth->config = config;
    if (getrandom(auth->key, sizeof auth->key, 0) != (ssize_t)sizeof auth->key)
        abort(); /* the kernel gives so few bytes always, once it has booted */
    return auth;
}

void http_auth_free(struct http_auth *auth)
{
    if (auth == NULL)
        return;
    explicit_bzero(auth, sizeof *auth);
    free(auth);
}

/* --- digests under our key ---------------------------------------------------------------------------------------- */

/* Of two texts, of which the first cannot contain what divides them. */
static bool make_digest(const struct http_auth *auth, const char *first, const void *second, size_t length,
                        struct digest *digest)
{
    gnutls_hmac_hd_t hmac;

    if (gnutls_hmac_init(&hmac, GNUTLS_MAC_SHA256, auth->key, sizeof auth->key) < 0)
        return false;

    const bool is_made =
        gnutls_hmac(hmac, first, strlen(first) + 1) == 0 && (length == 0 || gnutls_hmac(hmac, second, length) == 0);

    gnutls_hmac_deinit(hmac, digest->bytes);
    return is_made;
}

/* The configured password is a part of it: what was good for another one is not good any more. */
static bool digest_credentials(const struct http_auth *auth, const struct account *account,
                               const struct credentials *credentials, struct digest *digest)
{
    return make_digest(auth, account->password, credentials->text, credentials->length, digest);
}

/* --- passwords ---------------------------------------------------------------------------------------------------- */

static void write_hex(const unsigned char *bytes, size_t count, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < count; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 0x0f];
    }
}

static bool is_sha_of(const char *configured, const struct credentials *given)
{
    unsigned char digest[SHA1_SIZE];
    char sum[2 * SHA1_SIZE];
    char wanted[2 * SHA1_SIZE];

    if (strlen(configured) != sizeof wanted ||
        gnutls_hash_fast(GNUTLS_DIG_SHA1, given->password, given->password_length, digest) < 0)
        return false;
    write_hex(digest, sizeof digest, sum);
    for (size_t i = 0; i < sizeof wanted; i++)
        wanted[i] = (char)tolower((unsigned char)configured[i]);
    return text_equal_secret(sum, sizeof sum, wanted, sizeof wanted);
}

/* "$6$salt$sum" and its kin. The oldest form has no mark, and any word of 13 letters could be one: not for us. */
static bool is_crypt_hash(const char *configured)
{
    const int verdict = configured[0] == '$' ? crypt_checksalt(configured) : CRYPT_SALT_INVALID;

    return verdict != CRYPT_SALT_INVALID && verdict != CRYPT_SALT_METHOD_DISABLED;
}

static bool is_crypt_of(const char *configured, const struct credentials *given)
{
    struct crypt_data *data = xcalloc(1, sizeof *data);
    const bool is_text = strlen(given->password) == given->password_length; /* crypt() would see its beginning only */
    const char *sum = crypt_rn(given->password, configured, data, (int)sizeof *data);
    const bool is_equal = is_text && sum != NULL && text_equal_secret(sum, strlen(sum), configured, strlen(configured));

    explicit_bzero(data, sizeof *data);
    free(data);
    return is_equal;
}

static bool is_password(const char *configured, const struct credentials *given)
{
    if (text_starts_with(configured, SHA_PREFIX))
        return is_sha_of(configured + strlen(SHA_PREFIX), given);
    if (is_crypt_hash(configured))
        return is_crypt_of(configured, given);
    return text_equal_secret(given->password, given->password_length, configured, strlen(configured));
}

/* --- accounts ----------------------------------------------------------------------------------------------------- */

static void list_accounts(const struct config_server *config, struct account accounts[ACCOUNT_COUNT])
{
    accounts[0] = (struct account){config->username, config->password, HTTP_ACCESS_CHANGE};
    accounts[1] = (struct account){config->readonly_username, config->readonly_password, HTTP_ACCESS_LOOK};
    for (size_t i = 0; i < ACCOUNT_COUNT; i++)
        if (accounts[i].password == NULL)
            accounts[i].username = NULL; /* nobody can log in there */
}

static bool is_costly(const struct account accounts[ACCOUNT_COUNT])
{
    for (size_t i = 0; i < ACCOUNT_COUNT; i++)
        if (accounts[i].username != NULL && is_crypt_hash(accounts[i].password))
            return true;
    return false;
}

/* All accounts are tried to the end, so that time does not tell which of them has such a user. */
static enum http_access verify(const struct account accounts[ACCOUNT_COUNT], const struct credentials *given)
{
    enum http_access access = HTTP_ACCESS_REFUSED;

    for (size_t i = 0; i < ACCOUNT_COUNT; i++) {
        if (accounts[i].username == NULL)
            continue;

        const bool user_fits =
            text_equal_secret(given->text, given->username_length, accounts[i].username, strlen(accounts[i].username));
        const bool password_fits = is_password(accounts[i].password, given);

        if (user_fits && password_fits)
            access = accounts[i].access;
    }
    return access;
}

static enum http_access recall(const struct http_auth *auth, const struct account accounts[ACCOUNT_COUNT],
                               const struct credentials *given)
{
    for (size_t i = 0; i < ACCOUNT_COUNT; i++) {
        const struct digest *known = &auth->remembered[i];
        struct digest digest;

        if (accounts[i].username != NULL && digest_credentials(auth, &accounts[i], given, &digest) &&
            text_equal_secret((const char *)digest.bytes, DIGEST_SIZE, (const char *)known->bytes, DIGEST_SIZE))
            return accounts[i].access;
    }
    return HTTP_ACCESS_REFUSED;
}

static void remember(struct http_auth *auth, const struct account accounts[ACCOUNT_COUNT],
                     const struct credentials *given, enum http_access access)
{
    for (size_t i = 0; i < ACCOUNT_COUNT; i++) {
        struct digest digest;

        if (accounts[i].access == access && digest_credentials(auth, &accounts[i], given, &digest))
            auth->remembered[i] = digest;
    }
}

/* --- wrong passwords ---------------------------------------------------------------------------------------------- */

/* The address without its port; of IPv6 the half that a network is given. Clients of a UNIX socket are one. */
static int64_t *find_wait_of(struct http_auth *auth, const struct sockaddr *client)
{
    struct digest digest = {{0}};
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;

    if (client != NULL && client->sa_family == AF_INET) {
        memcpy(&ipv4, client, sizeof ipv4);
        make_digest(auth, "4", &ipv4.sin_addr, sizeof ipv4.sin_addr, &digest);
    } else if (client != NULL && client->sa_family == AF_INET6) {
        memcpy(&ipv6, client, sizeof ipv6);
        make_digest(auth, "6", &ipv6.sin6_addr, sizeof ipv6.sin6_addr / 2, &digest);
    }
    return &auth->address_waits_until_us[digest.bytes[0]];
}

static enum http_access verify_slowly(struct http_auth *auth, const struct account accounts[ACCOUNT_COUNT],
                                      const struct credentials *given, const struct sockaddr *client)
{
    int64_t *address_waits_until_us = find_wait_of(auth, client);
    const int64_t begin_us = clock_monotonic_us();

    if (begin_us < auth->wait_until_us || begin_us < *address_waits_until_us)
        return HTTP_ACCESS_TOO_OFTEN;

    const enum http_access access = verify(accounts, given);
    const int64_t end_us = clock_monotonic_us();

    if (access == HTTP_ACCESS_REFUSED) {
        auth->wait_until_us = end_us + (end_us - begin_us);
        *address_waits_until_us = end_us + WAIT_OF_ADDRESS * (end_us - begin_us);
    } else {
        remember(auth, accounts, given, access);
    }
    return access;
}

/* --- the header --------------------------------------------------------------------------------------------------- */

static enum http_access check_credentials(struct http_auth *auth, const struct credentials *given,
                                          const struct sockaddr *client)
{
    struct account accounts[ACCOUNT_COUNT];

    list_accounts(auth->config, accounts);
    if (!is_costly(accounts))
        return verify(accounts, given);

    const enum http_access access = recall(auth, accounts, given);

    return access != HTTP_ACCESS_REFUSED ? access : verify_slowly(auth, accounts, given, client);
}

static enum http_access check_text(struct http_auth *auth, const char *text, size_t length,
                                   const struct sockaddr *client)
{
    const char *colon = memchr(text, ':', length);

    if (colon == NULL)
        return HTTP_ACCESS_REFUSED;

    const size_t password_length = length - (size_t)(colon + 1 - text);
    struct credentials given = {.text = text,
                                .length = length,
                                .username_length = (size_t)(colon - text),
                                .password = xmalloc(password_length + 1),
                                .password_length = password_length};

    memcpy(given.password, colon + 1, password_length);
    given.password[password_length] = '\0';

    const enum http_access access = check_credentials(auth, &given, client);

    explicit_bzero(given.password, password_length);
    free(given.password);
    return access;
}

enum http_access http_auth_check(struct http_auth *auth, const char *header, const struct sockaddr *client)
{
    gnutls_datum_t decoded = {0};

    if (auth->config->username == NULL)
        return HTTP_ACCESS_CHANGE;
    if (header == NULL || strncasecmp(header, SCHEME, strlen(SCHEME)) != 0)
        return HTTP_ACCESS_REFUSED;
    header += strlen(SCHEME);
    header += strspn(header, " ");

    CLEANUP_FREE char *copy = xstrdup(header); /* the library's parameter is not const */
    const gnutls_datum_t base64 = {.data = (unsigned char *)copy, .size = (unsigned)strlen(copy)};

    if (gnutls_base64_decode2(&base64, &decoded) < 0)
        return HTTP_ACCESS_REFUSED;

    const enum http_access access = check_text(auth, (const char *)decoded.data, decoded.size, client);

    gnutls_memset(decoded.data, 0, decoded.size);
    gnutls_free(decoded.data);
    return access;
}
