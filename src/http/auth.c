#include "http/auth.h"

#include <ctype.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"

#define SCHEME "basic "
#define SHA_PREFIX "{SHA}"

enum { SHA1_SIZE = 20 };

static void write_hex(const unsigned char *bytes, size_t count, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < count; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 0x0f];
    }
}

static bool is_sha_of(const char *configured, const char *password, size_t length)
{
    unsigned char digest[SHA1_SIZE];
    char given[2 * SHA1_SIZE];
    char wanted[2 * SHA1_SIZE];

    if (strlen(configured) != sizeof wanted || gnutls_hash_fast(GNUTLS_DIG_SHA1, password, length, digest) < 0)
        return false;
    write_hex(digest, sizeof digest, given);
    for (size_t i = 0; i < sizeof wanted; i++)
        wanted[i] = (char)tolower((unsigned char)configured[i]);
    return text_equal_secret(given, sizeof given, wanted, sizeof wanted);
}

static bool is_password(const char *configured, const char *password, size_t length)
{
    if (configured == NULL)
        return false;
    if (text_starts_with(configured, SHA_PREFIX))
        return is_sha_of(configured + strlen(SHA_PREFIX), password, length);
    return text_equal_secret(password, length, configured, strlen(configured));
}

/* "user:password": the first colon divides, so a password may have more of them. */
static bool are_credentials(const struct config_server *config, const char *text, size_t length)
{
    const char *colon = memchr(text, ':', length);

    if (colon == NULL)
        return false;

    const size_t user_length = (size_t)(colon - text);
    const bool user_fits = text_equal_secret(text, user_length, config->username, strlen(config->username));
    const bool password_fits = is_password(config->password, colon + 1, length - user_length - 1);

    return user_fits && password_fits;
}

static bool are_encoded_credentials(const struct config_server *config, const char *encoded)
{
    CLEANUP_FREE char *copy = xstrdup(encoded); /* the library's parameter is not const */
    const gnutls_datum_t base64 = {.data = (unsigned char *)copy, .size = (unsigned)strlen(encoded)};
    gnutls_datum_t decoded = {0};

    if (gnutls_base64_decode2(&base64, &decoded) < 0)
        return false;

    const bool allowed = are_credentials(config, (const char *)decoded.data, decoded.size);

    gnutls_free(decoded.data);
    return allowed;
}

bool http_auth_allows(const struct config_server *config, const char *header)
{
    if (config->username == NULL)
        return true;
    if (header == NULL || strncasecmp(header, SCHEME, strlen(SCHEME)) != 0)
        return false;
    header += strlen(SCHEME);
    return are_encoded_credentials(config, header + strspn(header, " "));
}
