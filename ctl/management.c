#include "management.h"

#include <string.h>

#include "address.h"
#include "fetch.h"

#define COLUMNS                                                                                    \
	"?disable_stats=false&columns=name,messages_ready,messages_unacknowledged,consumers,"      \
	"arguments,online"

static enum err get_from(const char *host_url, const struct fetch_account *account,
			 const char *path, const char *rest, struct text *out)
{
	struct text url = {0};
	long status = 0;
	enum err err;

	text_printf(&url, "%s%s%s", host_url, path, rest);
	err = fetch_get(url.bytes, account, out, &status);
	text_fini(&url);
	return err == ERR_OK && status != 200 ? ERR_BROKER_GONE : err;
}

/* Any node tells of the whole cluster: the first that answers is believed. */
static enum err get(const struct conf *conf, const struct fetch_account *account, const char *path,
		    const char *rest, struct text *out)
{
	const size_t length = out->length;
	char host_url[CONF_TEXT_MAX];
	enum err err = ERR_BROKER_GONE;

	for (unsigned i = 0; i < address_count(conf->management_url) && err == ERR_BROKER_GONE;
	     i++) {
		out->length = length; /* of an answer that broke off */
		err = address_pick(conf->management_url, i, host_url, sizeof host_url);
		if (err == ERR_OK)
			err = get_from(host_url, account, path, rest, out);
	}
	return err;
}

enum err management_get(const struct conf *conf, const char *path, struct text *out)
{
	struct fetch_account account = {0};
	enum err err = fetch_account_read(conf->amqp_url, &account);

	if (err == ERR_OK)
		err = get(conf, &account, path, "", out);
	fetch_account_fini(&account);
	return err;
}

enum err management_queues(const struct conf *conf, struct text *out)
{
	struct fetch_account account = {0};
	struct text path = {0};
	enum err err = fetch_account_read(conf->amqp_url, &account);

	if (err == ERR_OK) {
		text_printf(&path, "/api/queues%s",
			    strcmp(account.vhost, "/") == 0 ? "/%2f" : account.vhost);
		err = get(conf, &account, path.bytes, COLUMNS, out);
	}
	text_fini(&path);
	fetch_account_fini(&account);
	return err;
}
