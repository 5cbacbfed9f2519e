#include "digest.h"

#include <pthread.h>
#include <stdlib.h>

static const EVP_MD *algorithm;

/* Kept to the end of the process. */
static void fetch(void)
{
	algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (algorithm == NULL)
		abort();
}

const EVP_MD *digest_sha256(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (pthread_once(&once, fetch) != 0)
		abort();
	return algorithm;
}

void digest_bytes(const void *bytes, size_t length, uint8_t out[static DIGEST_SIZE])
{
	if (EVP_Digest(bytes, length, out, NULL, digest_sha256(), NULL) != 1)
		abort();
}
