/* The ceiling: what nginx, FastCGI and its threads can do when a request asks for nothing. Takes
 * the front's settings front_socket and front_threads. */
#include "serve.h"

static bool serve(void *arg, struct exchange *exchange)
{
	(void)arg;
	http_response_clear(&exchange->response);
	text_puts(&exchange->response.body, "{\"success\":true,\"data\":{}}");
	return true;
}

int main(void)
{
	static struct conf conf;

	if (serve_load(&conf) != ERR_OK)
		return 2;
	return serve_until_told(&conf, serve, NULL);
}
