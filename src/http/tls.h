/*
 * TLS of a server: its certificate and key, and the certificates that vouch for clients. Read when the server starts,
 * and so again when the daemon restarts.
 */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include <gnutls/gnutls.h>

#include "base/error.h"
#include "config/model.h"

/* TLS 1.2 and later, as GnuTLS spells it. */
#define HTTP_TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* The contents of the files (PEM); each owned, NULL when it is not configured. */
struct http_tls {
    char *certificate;
    char *key;
    char *client_ca;
};

/*
 * Reads the files, and makes sure that they hold what they should and that the key is the certificate's: -1 with *err,
 * which names the file. What is no reason not to start is logged: a certificate that has run out, a key that everybody
 * may read.
 */
int http_tls_load(const struct config_server *config, struct http_tls *tls, struct error *err);
void http_tls_release(struct http_tls *tls);

/* Lets the handshake fail with a client that has no certificate, or one that nobody of tls_client_ca vouches for. */
void http_tls_demand_certificate(gnutls_session_t session);

#endif
