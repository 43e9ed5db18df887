#include "http/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"

enum { FILE_SIZE_MAX = 1024 * 1024 };

/* --- files -------------------------------------------------------------------------------------------------------- */

static int refuse_file(struct error *err, int os, const char *option, const char *path)
{
    error_from_errno(err, os, "%s: cannot read %s", option, path);
    return -1;
}

static int read_text(int fd, const char *option, const char *path, char **text, struct error *err)
{
    char *buffer = xmalloc(FILE_SIZE_MAX + 1);
    const ssize_t length = fd_read_all(fd, buffer, FILE_SIZE_MAX);
    const int os = errno;

    if (length >= 0) {
        buffer[length] = '\0';
        *text = xstrdup(buffer);
        explicit_bzero(buffer, (size_t)length);
    }
    free(buffer);
    return length < 0 ? refuse_file(err, os, option, path) : 0;
}

static int read_file(const char *option, const char *path, char **text, struct stat *status, struct error *err)
{
    CLEANUP_FD int fd = fd_open_warily(path, O_RDONLY | O_CLOEXEC, 0);

    if (fd < 0 || fstat(fd, status) < 0)
        return refuse_file(err, errno, option, path);
    return read_text(fd, option, path, text, err);
}

static gnutls_datum_t datum_of(char *text)
{
    return (gnutls_datum_t){.data = (unsigned char *)text, .size = (unsigned)strlen(text)};
}

/* --- what they hold ----------------------------------------------------------------------------------------------- */

static int refuse_content(struct error *err, int failure, const char *option, const char *path)
{
    return error_set(err, "%s: %s: %s", option, path, gnutls_strerror(failure));
}

static void warn_of_dates(const char *path, gnutls_x509_crt_t certificate)
{
    const time_t now = time(NULL);

    if (gnutls_x509_crt_get_expiration_time(certificate) < now)
        log_warn("tls_certificate: %s has expired; clients will refuse it", path);
    if (gnutls_x509_crt_get_activation_time(certificate) > now)
        log_warn("tls_certificate: %s is not valid yet; clients will refuse it", path);
}

/* Certificates, one at least. `is_server` when the first of them is shown to clients. */
static int check_certificates(const char *option, const char *path, char *text, bool is_server, struct error *err)
{
    const gnutls_datum_t pem = datum_of(text);
    gnutls_x509_crt_t *certificates;
    unsigned count;
    const int failure = gnutls_x509_crt_list_import2(&certificates, &count, &pem, GNUTLS_X509_FMT_PEM, 0);

    if (failure < 0)
        return refuse_content(err, failure, option, path);
    if (is_server)
        warn_of_dates(path, certificates[0]);
    for (unsigned i = 0; i < count; i++)
        gnutls_x509_crt_deinit(certificates[i]);
    gnutls_free(certificates);
    return 0;
}

static int check_key(const char *path, char *text, struct error *err)
{
    const gnutls_datum_t pem = datum_of(text);
    gnutls_x509_privkey_t key;
    int failure = gnutls_x509_privkey_init(&key);

    if (failure < 0)
        return refuse_content(err, failure, "tls_key", path);
    failure = gnutls_x509_privkey_import2(key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
    gnutls_x509_privkey_deinit(key);
    return failure < 0 ? refuse_content(err, failure, "tls_key", path) : 0;
}

static int check_pair(const struct config_server *config, const struct http_tls *tls, struct error *err)
{
    const gnutls_datum_t certificate = datum_of(tls->certificate);
    const gnutls_datum_t key = datum_of(tls->key);
    gnutls_certificate_credentials_t credentials;
    int failure = gnutls_certificate_allocate_credentials(&credentials);

    if (failure < 0)
        return refuse_content(err, failure, "tls_certificate", config->tls_certificate);
    failure = gnutls_certificate_set_x509_key_mem(credentials, &certificate, &key, GNUTLS_X509_FMT_PEM);
    gnutls_certificate_free_credentials(credentials);
    if (failure < 0)
        return error_set(err, "tls_key: %s is not the key of %s: %s", config->tls_key, config->tls_certificate,
                         gnutls_strerror(failure));
    return 0;
}

/* --- loading ------------------------------------------------------------------------------------------------------ */

static int load_certificate(const struct config_server *config, struct http_tls *tls, struct error *err)
{
    struct stat status;

    if (read_file("tls_certificate", config->tls_certificate, &tls->certificate, &status, err) < 0)
        return -1;
    return check_certificates("tls_certificate", config->tls_certificate, tls->certificate, true, err);
}

static int load_key(const struct config_server *config, struct http_tls *tls, struct error *err)
{
    struct stat status;

    if (read_file("tls_key", config->tls_key, &tls->key, &status, err) < 0 ||
        check_key(config->tls_key, tls->key, err) < 0)
        return -1;
    if ((status.st_mode & S_IRWXO) != 0)
        log_warn("tls_key: everybody may read or change %s", config->tls_key);
    return 0;
}

static int load_client_ca(const struct config_server *config, struct http_tls *tls, struct error *err)
{
    struct stat status;

    if (config->tls_client_ca == NULL)
        return 0;
    if (read_file("tls_client_ca", config->tls_client_ca, &tls->client_ca, &status, err) < 0)
        return -1;
    return check_certificates("tls_client_ca", config->tls_client_ca, tls->client_ca, false, err);
}

int http_tls_load(const struct config_server *config, struct http_tls *tls, struct error *err)
{
    *tls = (struct http_tls){0};
    if (config->tls_certificate == NULL)
        return 0;
    if (load_certificate(config, tls, err) == 0 && load_key(config, tls, err) == 0 &&
        check_pair(config, tls, err) == 0 && load_client_ca(config, tls, err) == 0)
        return 0;
    http_tls_release(tls);
    return -1;
}

void http_tls_release(struct http_tls *tls)
{
    if (tls->key != NULL)
        explicit_bzero(tls->key, strlen(tls->key));
    free(tls->certificate);
    free(tls->key);
    free(tls->client_ca);
    *tls = (struct http_tls){0};
}

/* --- clients ------------------------------------------------------------------------------------------------------ */

void http_tls_demand_certificate(gnutls_session_t session)
{
    static unsigned char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT;
    static gnutls_typed_vdata_st wanted[] = {{.type = GNUTLS_DT_KEY_PURPOSE_OID, .data = purpose, .size = 0}};

    gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
    gnutls_session_set_verify_cert2(session, wanted, 1, 0);
}
