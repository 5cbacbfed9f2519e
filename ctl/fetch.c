#include "fetch.h"

#include <curl/curl.h>

#include "address.h"
#include "conf.h"

#define TIMEOUT_S 10L

void fetch_account_fini(struct fetch_account *account)
{
	curl_free(account->user);
	curl_free(account->password);
	curl_free(account->vhost);
}

enum err fetch_account_read(const char *amqp_url, struct fetch_account *account)
{
	CURLU *url = curl_url();
	char first[CONF_TEXT_MAX];
	enum err err = ERR_MEMORY;

	if (url == NULL)
		return err;
	err = address_pick(amqp_url, 0, first, sizeof first) == ERR_OK &&
			      curl_url_set(url, CURLUPART_URL, first, CURLU_NON_SUPPORT_SCHEME) ==
				      CURLUE_OK &&
			      curl_url_get(url, CURLUPART_USER, &account->user, CURLU_URLDECODE) ==
				      CURLUE_OK &&
			      curl_url_get(url, CURLUPART_PASSWORD, &account->password,
					   CURLU_URLDECODE) == CURLUE_OK &&
			      curl_url_get(url, CURLUPART_PATH, &account->vhost, 0) == CURLUE_OK
		      ? ERR_OK
		      : ERR_CONF;
	curl_url_cleanup(url);
	return err;
}

static size_t take(char *bytes, size_t size, size_t count, void *out)
{
	text_add(out, bytes, size * count);
	return size * count;
}

enum err fetch_get(const char *url, const struct fetch_account *account, struct text *out,
		   long *status)
{
	CURL *curl = curl_easy_init();
	enum err err = ERR_OK;

	if (curl == NULL)
		return ERR_MEMORY;
	curl_easy_setopt(curl, CURLOPT_URL, url);
	if (account != NULL) {
		curl_easy_setopt(curl, CURLOPT_USERNAME, account->user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, account->password);
	}
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
	if (curl_easy_perform(curl) != CURLE_OK)
		err = ERR_BROKER_GONE;
	else
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
	curl_easy_cleanup(curl);
	return err;
}
