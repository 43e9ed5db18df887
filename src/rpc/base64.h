/* Base64 (RFC 4648) as XML-RPC's <base64> and HTTP carry it. */
#ifndef RPC_BASE64_H
#define RPC_BASE64_H

#include <stddef.h>

/* Decodes, skipping white space. *bytes is malloc'd, owned by the caller, with a NUL behind. -1: no base64. */
int base64_decode(const char *text, size_t text_length, char **bytes, size_t *length);

/* Encodes up to three bytes into four characters; how many of `bytes` it took. */
size_t base64_encode_quantum(const char *bytes, size_t length, char quantum[4]);

#endif
