/* Apart from mail.c, so that who needs no server needs no libcurl either. */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "listeners/mail.h"

enum { CONNECT_PATIENCE_S = 10, PATIENCE_S = 60 };

/* What is left to send: with the line ends of SMTP. */
struct upload {
    UT_string text;
    size_t sent;
};

static void add_recipient(void *context, const char *address)
{
    struct curl_slist **recipients = context;
    struct curl_slist *longer = curl_slist_append(*recipients, address);

    if (longer == NULL)
        text_out_of_memory();
    *recipients = longer;
}

static void keep_address(void *context, const char *address)
{
    char **kept = context;

    free(*kept);
    *kept = text_copy(address);
}

static size_t give(char *bytes, size_t size, size_t count, void *context)
{
    struct upload *upload = context;
    const size_t left = utstring_len(&upload->text) - upload->sent;
    const size_t length = left < size * count ? left : size * count;

    memcpy(bytes, utstring_body(&upload->text) + upload->sent, length);
    upload->sent += length;
    return length;
}

static void upload_begin(struct upload *upload, const struct mail *mail)
{
    char *message = mail_compose(mail);

    upload->sent = 0;
    utstring_init(&upload->text);
    for (const char *at = message; *at != '\0'; at++) {
        if (*at == '\n')
            utstring_bincpy(&upload->text, "\r\n", 2);
        else if (*at != '\r')
            utstring_bincpy(&upload->text, at, 1);
    }
    free(message);
}

static char *make_url(const struct mail_server *server)
{
    char host[256];
    const bool is_url = strstr(server->host, "://") != NULL;

    mail_host_name(host, sizeof host); /* what we say in our greeting */
    return text_format("%s%s/%s", is_url ? "" : "smtp://", server->host, host);
}

static void set_server(CURL *easy, const struct mail_server *server)
{
    char *url = make_url(server);

    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_PATIENCE_S);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)PATIENCE_S);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2); /* or later */
    curl_easy_setopt(easy, CURLOPT_USE_SSL, (long)(server->wants_tls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
    if (server->ca != NULL)
        curl_easy_setopt(easy, CURLOPT_CAINFO, server->ca);
    if (server->user != NULL) {
        curl_easy_setopt(easy, CURLOPT_USERNAME, server->user);
        curl_easy_setopt(easy, CURLOPT_PASSWORD, server->password != NULL ? server->password : "");
    }
    free(url);
}

int mail_by_server(const struct mail_server *server, const struct mail *mail, char **problem)
{
    char message[CURL_ERROR_SIZE] = "";
    struct curl_slist *recipients = NULL;
    struct upload upload;
    char *from = NULL;
    CURL *easy = curl_easy_init();

    if (easy == NULL)
        text_out_of_memory();
    upload_begin(&upload, mail);
    mail_each_address(mail->to, add_recipient, &recipients);
    mail_each_address(mail->from, keep_address, &from);
    set_server(easy, server);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, message);
    curl_easy_setopt(easy, CURLOPT_MAIL_FROM, from != NULL ? from : "");
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, recipients);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(easy, CURLOPT_READDATA, &upload);
    const CURLcode code = curl_easy_perform(easy);
    if (code != CURLE_OK)
        *problem = text_format("%s: %s", server->host, message[0] != '\0' ? message : curl_easy_strerror(code));
    curl_easy_cleanup(easy);
    curl_slist_free_all(recipients);
    utstring_done(&upload.text);
    free(from);
    return code == CURLE_OK ? 0 : -1;
}
