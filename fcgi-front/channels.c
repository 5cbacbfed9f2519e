/* Channels. */
#include "channels.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 1000L
#define ANSWER_SIZE 512
#define URL_SIZE 128

struct channels {
	CURL *curl;
	struct curl_slist *headers;
	char answer[ANSWER_SIZE]; /* of the last call, cut and ended */
	size_t answer_length;
};

static size_t take_answer(char *bytes, size_t size, size_t count, void *arg)
{
	struct channels *c = arg;
	size_t room = sizeof c->answer - 1 - c->answer_length;
	size_t taken = size * count < room ? size * count : room;

	memcpy(c->answer + c->answer_length, bytes, taken);
	c->answer_length += taken;
	c->answer[c->answer_length] = '\0';
	return size * count;
}

/* The host says nothing on a unix socket. */
static bool call(struct channels *c, const char *name)
{
	char url[URL_SIZE];
	long status = 0;

	snprintf(url, sizeof url, "http://localhost%s", name);
	curl_easy_setopt(c->curl, CURLOPT_URL, url);
	c->answer_length = 0;
	c->answer[0] = '\0';
	if (curl_easy_perform(c->curl) != CURLE_OK)
		return false;
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	/* 404: nothing was published yet. */
	return status == 404 || (status >= 200 && status < 300);
}

/* Of "last message id: 1795341600:0": the id. */
static void read_message_id(const char *answer, char id[static CHANNELS_ID_SIZE])
{
	static const char key[] = "last message id: ";
	const char *at = strstr(answer, key);

	id[0] = '\0';
	if (at != NULL)
		snprintf(id, CHANNELS_ID_SIZE, "%.*s", (int)strcspn(at + sizeof key - 1, " \r\n"),
			 at + sizeof key - 1);
}

bool channels_publish(struct channels *c, const char *name, const struct text *message,
		      char id[static CHANNELS_ID_SIZE])
{
	curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE, (long)message->length);
	curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, message->bytes);
	if (!call(c, name))
		return false;
	read_message_id(c->answer, id);
	return true;
}

bool channels_last(struct channels *c, const char *name, char id[static CHANNELS_ID_SIZE])
{
	curl_easy_setopt(c->curl, CURLOPT_HTTPGET, 1L);
	if (!call(c, name))
		return false;
	read_message_id(c->answer, id);
	return true;
}

static bool set_up(struct channels *c, const char *socket)
{
	c->curl = curl_easy_init();
	c->headers = curl_slist_append(NULL, "Content-Type: application/json");
	if (c->curl == NULL || c->headers == NULL)
		return false;
	curl_easy_setopt(c->curl, CURLOPT_UNIX_SOCKET_PATH, socket);
	curl_easy_setopt(c->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, c->headers);
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, c);
	return true;
}

enum err channels_new(struct channels **channels, const char *socket)
{
	struct channels *c;

	if (curl_global_init(CURL_GLOBAL_NOTHING) != CURLE_OK)
		return ERR_SYSTEM;
	c = calloc(1, sizeof *c);
	if (c == NULL)
		return ERR_MEMORY;
	if (!set_up(c, socket)) {
		channels_free(c);
		return ERR_SYSTEM;
	}
	*channels = c;
	return ERR_OK;
}

void channels_free(struct channels *c)
{
	if (c == NULL)
		return;
	curl_slist_free_all(c->headers);
	curl_easy_cleanup(c->curl);
	free(c);
	curl_global_cleanup();
}
