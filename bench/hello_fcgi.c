/* The ceiling: what nginx, FastCGI and its threads can do when a request asks for nothing. Takes
 * the front's settings front_socket and front_threads. */
#include "serve.h"

static void serve(void *arg, const struct http_raw *raw, const char *body, size_t length,
		  enum err body_err, struct http_response *response,
		  char request_id[static HTTP_REQUEST_ID_SIZE])
{
	(void)arg;
	(void)raw;
	(void)body;
	(void)length;
	(void)body_err;
	http_response_clear(response);
	response->status = 200;
	text_puts(&response->body, "{\"success\":true,\"data\":{}}");
	request_id[0] = '\0';
}

int main(void)
{
	static struct conf conf;

	if (serve_load(&conf) != ERR_OK)
		return 2;
	return serve_until_told(&conf, serve, NULL);
}
