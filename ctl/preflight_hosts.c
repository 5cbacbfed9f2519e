/* What the site, the metrics ports and this host tell. */
#include "preflight.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include "db_hosts.h"
#include "fetch.h"
#include "json_scan.h"

void preflight_ask_site(struct preflight_facts *facts, const char *url)
{
	struct text address = {0}, body = {0};

	if (url[0] == '\0') {
		preflight_unknown(facts, FROM_SITE,
				  "its address is not known: --site, or the setting site_url");
		return;
	}
	text_printf(&address, "%s/readyz", url);
	facts->is_known[FROM_SITE] =
		fetch_get(address.bytes, NULL, &body, &facts->site.status) == ERR_OK;
	if (!facts->is_known[FROM_SITE])
		preflight_unknown(facts, FROM_SITE, "%s does not answer", address.bytes);
	text_fini(&address);
	text_fini(&body);
}

/* Metrics ----------------------------------------------------------------------------------- */

static bool read_file(const char *path, struct text *out)
{
	FILE *file = fopen(path, "re");
	char bytes[4096];
	size_t length;
	bool is_read;

	if (file == NULL)
		return false;
	while ((length = fread(bytes, 1, sizeof bytes, file)) > 0)
		text_add(out, bytes, length);
	is_read = ferror(file) == 0;
	fclose(file);
	return is_read;
}

static bool serves(const char *address)
{
	struct text url = {0}, body = {0};
	long status = 0;
	bool is_so;

	text_printf(&url, "http://%s/metrics", address);
	is_so = fetch_get(url.bytes, NULL, &body, &status) == ERR_OK && status == 200 &&
		body.length > 0 && strstr(body.bytes, "\nboxoffice_up 1\n") != NULL;
	text_fini(&url);
	text_fini(&body);
	return is_so;
}

/* A string of JSON that is an address: it needs no escapes. */
static void ask_target(struct preflight_metrics *metrics, const struct json_part *target)
{
	char address[256];

	if (target->length < 2 || target->text[0] != '"')
		return;
	snprintf(address, sizeof address, "%.*s", (int)(target->length - 2), target->text + 1);
	metrics->targets++;
	if (!serves(address))
		preflight_name(&metrics->silent, address);
}

/* An array of objects, each with an array of targets: a file for Prometheus' file_sd_configs. */
static void ask_targets(struct preflight_metrics *metrics, const struct text *json)
{
	struct json_cursor groups, members, targets;
	struct json_part group, member, target;

	json_cursor_init(&groups, json->bytes, json->length);
	while (json_cursor_next(&groups, &group)) {
		json_cursor_init(&members, group.text, group.length);
		while (json_cursor_next(&members, &member)) {
			if (member.name == NULL || member.name_length != strlen("targets") ||
			    memcmp(member.name, "targets", member.name_length) != 0)
				continue;
			json_cursor_init(&targets, member.text, member.length);
			while (json_cursor_next(&targets, &target))
				ask_target(metrics, &target);
		}
	}
}

void preflight_ask_metrics(struct preflight_facts *facts, const char *file)
{
	struct text json = {0};

	if (file[0] == '\0') {
		preflight_unknown(facts, FROM_METRICS,
				  "the targets are not known: --metrics, or the setting "
				  "metrics_targets");
	} else if (!read_file(file, &json) || json.length == 0 ||
		   json_scan(json.bytes, json.length).malformed) {
		preflight_unknown(facts, FROM_METRICS, "%.200s is no list of targets", file);
	} else {
		ask_targets(&facts->metrics, &json);
		facts->is_known[FROM_METRICS] = true;
	}
	text_fini(&json);
}

/* This host --------------------------------------------------------------------------------- */

static bool is_local_host(const struct db_host *host)
{
	static const char *const names[] = {"localhost", "127.0.0.1", "::1"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(host->name, names[i]) == 0)
			return true;
	return host->port == 0;
}

/* All of them: which one serves, and where, may change. */
static bool is_local(const struct conf *conf)
{
	struct db_hosts hosts;

	if (conf->mysql_socket[0] != '\0')
		return true;
	if (db_hosts_read(&hosts, conf->mysql_host, (unsigned)conf->mysql_port) != ERR_OK)
		return false;
	for (size_t i = 0; i < hosts.count; i++)
		if (!is_local_host(&hosts.hosts[i]))
			return false;
	return true;
}

static void ask_disk(struct preflight_facts *facts)
{
	const char *folder = facts->database.datadir;
	struct statvfs disk;

	if (!facts->is_known[FROM_DATABASE]) {
		preflight_unknown(facts, FROM_DISK, "the database does not tell where its data is");
	} else if (!is_local(facts->conf)) {
		preflight_unknown(facts, FROM_DISK, "the database is on another host");
	} else if (statvfs(folder, &disk) != 0) {
		preflight_unknown(facts, FROM_DISK, "%.160s: %s", folder, strerror(errno));
	} else {
		facts->disk_free_mib =
			(int64_t)(disk.f_bavail * (uint64_t)disk.f_frsize / (1 << 20));
		facts->is_known[FROM_DISK] = true;
	}
}

void preflight_ask_host(struct preflight_facts *facts)
{
	struct rlimit limit;

	ask_disk(facts);
	facts->is_known[FROM_HOST] = getrlimit(RLIMIT_NOFILE, &limit) == 0;
	if (facts->is_known[FROM_HOST])
		facts->files = limit.rlim_max > INT64_MAX ? INT64_MAX : (int64_t)limit.rlim_max;
	else
		preflight_unknown(facts, FROM_HOST, "%s", strerror(errno));
}
