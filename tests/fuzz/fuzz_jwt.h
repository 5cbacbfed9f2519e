/* JSON Web Tokens by OpenSSL alone: a second opinion on what libjwt signs and takes. */
#ifndef BOXOFFICE_FUZZ_JWT_H
#define BOXOFFICE_FUZZ_JWT_H

#include "fuzz.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

/* Appends the bytes in base64url without padding (RFC 7515 section 2). */
static inline void jwt_put(struct text *out, const void *bytes, size_t length)
{
	unsigned char *encoded = malloc((length + 2) / 3 * 4 + 1);
	int size;

	FUZZ_HOLDS(encoded != NULL);
	size = EVP_EncodeBlock(encoded, bytes, (int)length);
	for (int i = 0; i < size && encoded[i] != '='; i++) {
		char c = (char)encoded[i];

		text_putc(out, c == '+' ? '-' : c == '/' ? '_' : c);
	}
	free(encoded);
}

static inline void jwt_put_signature(struct text *out, const char *signed_text, size_t length,
				     const uint8_t *key, size_t key_length)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned size = 0;

	FUZZ_HOLDS(HMAC(EVP_sha256(), key, (int)key_length, (const unsigned char *)signed_text,
			length, digest, &size) != NULL);
	jwt_put(out, digest, size);
}

/* An HS256 token of these claims, whatever they are; owned by the caller. */
static inline char *jwt_sign(const char *header, const uint8_t *claims, size_t size,
			     const uint8_t *key, size_t key_length)
{
	struct text token = {0}, signature = {0};

	jwt_put(&token, header, strlen(header));
	text_putc(&token, '.');
	jwt_put(&token, claims, size);
	jwt_put_signature(&signature, token.bytes, token.length, key, key_length);
	text_putc(&token, '.');
	text_puts(&token, signature.bytes);
	text_fini(&signature);
	return token.bytes;
}

/* True when the text ends with the signature of all before its last dot. */
static inline bool jwt_is_signed(const char *text, const uint8_t *key, size_t key_length)
{
	const char *dot = strrchr(text, '.');
	struct text signature = {0};
	bool is_signed;

	if (dot == NULL)
		return false;
	jwt_put_signature(&signature, text, (size_t)(dot - text), key, key_length);
	FUZZ_HOLDS(signature.bytes != NULL);
	is_signed = strcmp(signature.bytes, dot + 1) == 0;
	text_fini(&signature);
	return is_signed;
}

#endif
