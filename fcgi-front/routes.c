/* Routes: from method and path to a handler. */
#include "routes.h"

#include <string.h>

#include "metrics.h"

static const struct route routes[] = {
#define ROUTE(method, path, needs, param, kind, handler)                                           \
	{#method, path, #method " " path, needs, param, kind, handler},
#include "routes.def"
#undef ROUTE
};

#define ROUTE_COUNT (sizeof routes / sizeof *routes)
_Static_assert(ROUTE_COUNT < METRICS_ROUTES,
	       "there are more routes than the metrics have room for");

static bool path_fits(const struct route *route, const char *path, const char **rest)
{
	size_t length = strlen(route->path);

	if (strncmp(route->path, path, length) != 0)
		return false;
	*rest = path + length;
	if (route->path[length - 1] == '/')
		return **rest != '\0' && strchr(*rest, '/') == NULL;
	return **rest == '\0';
}

enum err routes_find(const char *method, const char *path, const struct route **route,
		     const char **rest, const char **allow)
{
	enum err err = ERR_NOT_FOUND;

	/* Each path has one method, so the first that fits says what is allowed. */
	for (size_t i = 0; i < ROUTE_COUNT; i++) {
		if (!path_fits(&routes[i], path, rest))
			continue;
		if (strcmp(routes[i].method, method) == 0) {
			*route = &routes[i];
			return ERR_OK;
		}
		*allow = routes[i].method;
		err = ERR_METHOD_NOT_ALLOWED;
	}
	return err;
}

bool route_is_write(const struct route *route)
{
	return route->kind != JOB_KIND_COUNT;
}

size_t routes_index(const struct route *route)
{
	return route != NULL ? (size_t)(route - routes) : METRICS_ROUTES - 1;
}

static const char *path_of(size_t index)
{
	return routes[index].path;
}

void routes_name_metrics(void)
{
	metrics_name_routes(path_of, ROUTE_COUNT);
}
