#include "gate_store.h"

#include <stdlib.h>

#include "gate_draw.h"
#include "gate_state.h"
#include "gate_tickets.h"
#include "mem.h"

/* clang-format off */
/* No locks: the line does not change while gate_state is held, and what a seat worker ends
 * meanwhile only frees the user. By user_uuid and waiting_queue_live_user. */
static const struct db_query find_queuers = {
	"find-queuers",
	"SELECT u.uuid, u.id, w.id"
	" FROM " SQL_ROWS(SQL_COLUMN("uuid", "CHAR(32)"))
	" STRAIGHT_JOIN user u FORCE INDEX (user_uuid) ON u.uuid = UNHEX(d.uuid)"
	" AND u.deleted_at IS NULL"
	" LEFT JOIN waiting_queue w FORCE INDEX (waiting_queue_live_user)"
	" ON w.live_user_id = u.id"};
/* clang-format on */

const struct db_query *const gate_store_queries[] = {&find_queuers, NULL};

static enum err take_queuer(void *arg, const struct db_row *row)
{
	struct id uuid = db_row_id(row, 0);
	struct queuer *queuer = gate_world_queuer(arg, &uuid);
	if (!queuer)
		return ERR_DB_DATA;
	queuer->user_id = db_row_int(row, 1);
	queuer->ticket_id = db_row_int(row, 2);
	return ERR_OK;
}

static enum err load_queuers(struct gate_store *store, const struct batch *batch)
{
	struct gate_world *world = &store->world;
	struct rows *rows = &store->base.rows;
	struct id *users = mem_array(NULL, batch->count, sizeof *users);
	size_t count = 0;
	for (size_t i = 0; i < batch->count; i++)
		if (job_kind_fields(batch->entries[i].job.kind) & FIELD_USER)
			users[count++] = batch->entries[i].job.user;
	gate_world_add_users(world, users, count);
	free(users);
	rows_clear(rows);
	for (size_t i = 0; i < world->queuer_count; i++) {
		rows_next(rows);
		rows_id(rows, "uuid", &world->queuers[i].uuid);
	}
	return db_store_select(&store->base, &find_queuers, take_queuer, world);
}

static enum err take_ticket(void *arg, const struct db_row *row)
{
	struct gate_ticket ticket = gate_tickets_from_row(row);
	*gate_world_add_ticket(arg, ticket.id) = ticket;
	return ERR_OK;
}

/* The live tickets of the users, and those that jobs name. A ticket that a payment finished between
 * the two reads is not live any more: then its user has none. */
static enum err load_tickets(struct gate_store *store, const struct batch *batch)
{
	struct gate_world *world = &store->world;
	int64_t *ids = mem_array(NULL, batch->count + world->queuer_count, sizeof *ids);
	size_t count = 0;
	for (size_t i = 0; i < batch->count; i++)
		ids[count++] = batch->entries[i].job.ticket;
	for (size_t i = 0; i < world->queuer_count; i++)
		ids[count++] = world->queuers[i].ticket_id;
	count = rows_sort_ids(ids, count);
	rows_clear(&store->base.rows);
	for (size_t i = 0; i < count; i++) {
		rows_next(&store->base.rows);
		rows_int(&store->base.rows, "id", ids[i]);
	}
	free(ids);
	enum err err = gate_tickets_lock(&store->base, take_ticket, world);
	for (size_t i = 0; i < world->queuer_count; i++) {
		struct queuer *queuer = &world->queuers[i];
		const struct gate_ticket *ticket = gate_world_ticket(world, queuer->ticket_id);
		if (ticket && ticket->status != TICKET_ACTIVE && !ticket_is_in_line(ticket->status))
			queuer->ticket_id = 0;
	}
	return err;
}

static enum err load(void *self, const struct batch *batch)
{
	struct gate_store *store = self;
	gate_world_clear(&store->world);
	enum err err = gate_state_lock(&store->base, &store->world.state);
	if (!err)
		err = gate_state_read_policy(&store->base, store->conf, &store->world.policy);
	if (!err)
		err = gate_draw_lock(&store->base, &store->world.draw);
	if (!err)
		err = load_queuers(store, batch);
	return err ? err : load_tickets(store, batch);
}

static enum err write(void *self, const struct batch *batch)
{
	struct gate_store *store = self;
	const struct gate_world *world = &store->world;
	enum err err = gate_tickets_write(&store->base, world->tickets, world->ticket_count,
					  batch->now_us);
	if (!err)
		err = gate_draw_write(&store->base, &world->draw, batch->now_us);
	return err ? err : gate_state_write(&store->base, &world->state, &world->policy);
}

void gate_store_init(struct gate_store *store, struct db *db, const struct conf *conf)
{
	*store = (struct gate_store){.base = {.db = db}, .conf = conf};
}

void gate_store_fini(struct gate_store *store)
{
	db_store_fini(&store->base);
	gate_world_fini(&store->world);
}

struct store gate_store_interface(struct gate_store *store)
{
	return db_store_interface(store, load, write);
}
