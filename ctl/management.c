#include "management.h"

#include <string.h>

#include <curl/curl.h>

#define TIMEOUT_S 10L
#define COLUMNS "?disable_stats=false&columns=name,messages_ready,messages_unacknowledged,consumers"

/* What amqp_url says of the account; owned by libcurl. */
struct account {
	char *user, *password, *vhost;
};

static void forget(struct account *account)
{
	curl_free(account->user);
	curl_free(account->password);
	curl_free(account->vhost);
}

/* The virtual host stays percent-encoded, as the API wants it. */
static enum err read_account(const char *amqp_url, struct account *account)
{
	CURLU *url = curl_url();
	enum err err = ERR_MEMORY;

	if (url == NULL)
		return err;
	err = curl_url_set(url, CURLUPART_URL, amqp_url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
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

static enum err get(CURL *curl, const char *url, const struct account *account, struct text *out)
{
	long status = 0;

	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_USERNAME, account->user);
	curl_easy_setopt(curl, CURLOPT_PASSWORD, account->password);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
	if (curl_easy_perform(curl) != CURLE_OK)
		return ERR_BROKER_GONE;
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	return status == 200 ? ERR_OK : ERR_BROKER_GONE;
}

enum err management_queues(const struct conf *conf, struct text *out)
{
	struct account account = {0};
	struct text url = {0};
	CURL *curl = curl_easy_init();
	enum err err = curl != NULL ? read_account(conf->amqp_url, &account) : ERR_MEMORY;

	if (err == ERR_OK) {
		/* The path begins with the stroke in front of the virtual host. */
		text_printf(&url, "%s/api/queues%s%s", conf->management_url,
			    strcmp(account.vhost, "/") == 0 ? "/%2f" : account.vhost, COLUMNS);
		err = get(curl, url.bytes, &account, out);
	}
	text_fini(&url);
	forget(&account);
	curl_easy_cleanup(curl);
	return err;
}
