/* SHA-256, of OpenSSL. */
#ifndef BOXOFFICE_DIGEST_H
#define BOXOFFICE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#define DIGEST_SIZE 32

/* The algorithm, fetched once: to look it up by its name for each digest, as EVP_sha256() does,
 * takes locks that all threads meet at (OpenSSL 3, ossl-guide-libcrypto-introduction,
 * "Performance"). Without SHA-256 in the library the process ends: nobody could go on. */
const EVP_MD *digest_sha256(void);

/* The digest of length bytes. */
void digest_bytes(const void *bytes, size_t length, uint8_t out[static DIGEST_SIZE]);

#endif
