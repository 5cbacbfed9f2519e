/* POST /queue/issue without a queue: each request takes a session from a pool and inserts one row,
 * committed by itself. Takes the front's settings front_socket, front_threads and
 * front_db_connections, and an account that may write to the table bench_line. */
#include <stdio.h>
#include <string.h>

#include "db.h"
#include "json.h"
#include "log.h"
#include "pool.h"
#include "serve.h"
#include "sql.h"

#define SILENCE_S 30

/* clang-format off */
/* One row; the user by user_uuid. */
static const struct db_query insert_row = {
	"bench-insert",
	"INSERT INTO bench_line (user_id, status, created_at)"
	" SELECT u.id, 'WAITING', SYSDATE(6) FROM " SQL_ROWS(SQL_COLUMN("uuid", "CHAR(32)"))
	" STRAIGHT_JOIN user u FORCE INDEX (user_uuid) ON u.uuid = UNHEX(d.uuid)"};
/* clang-format on */

static enum err make_db(void **item, const void *arg)
{
	return db_new((struct db **)item, arg, SILENCE_S);
}

static void free_db(void *item)
{
	db_free(item);
}

static enum err read_user(const struct http_request *request, struct id *user,
			  char why[static JSON_WHY_SIZE])
{
	struct json_object *body = NULL;
	enum err err = json_parse_strict(request->body, request->body_length, &body, why);

	if (err == ERR_OK)
		err = json_get_id(body, "userId", user, why);
	json_free(body);
	return err;
}

static enum err insert(struct pool *pool, const struct id *user)
{
	struct db *db = pool_take(pool);
	char json[64] = "[{\"uuid\":\"";
	size_t length = strlen(json);
	uint64_t inserted = 0;
	enum err err;

	for (size_t i = 0; i < sizeof user->bytes; i++)
		length += (size_t)snprintf(json + length, 3, "%02x", user->bytes[i]);
	length += (size_t)snprintf(json + length, sizeof json - length, "\"}]");
	err = db_run(db, &insert_row, json, length, &inserted);
	pool_give_back(pool, db);
	return err == ERR_OK && inserted != 1 ? ERR_UNKNOWN_USER : err;
}

static bool serve(void *arg, struct exchange *exchange)
{
	struct http_response *response = &exchange->response;
	struct http_request request;
	char why[HTTP_WHY_SIZE] = "";
	struct id user;
	enum err err = serve_begin(exchange, &request, why);

	if (err == ERR_OK)
		err = read_user(&request, &user, why);
	if (err == ERR_OK)
		err = insert(arg, &user);
	response->err = err;
	response->status = err_http_status(err_public(err));
	text_printf(&response->body, "{\"success\":%s}", err == ERR_OK ? "true" : "false");
	return true;
}

int main(void)
{
	static struct conf conf;
	struct pool *pool = NULL;
	int status = 1;

	if (serve_load(&conf) != ERR_OK)
		return 2;
	if (pool_new(&pool, (size_t)conf.front_db_connections, make_db, free_db, &conf) == ERR_OK)
		status = serve_until_told(&conf, serve, pool);
	else
		log_error("not-started", LOG_ERR(ERR_DB_GONE));
	pool_free(pool);
	return status;
}
