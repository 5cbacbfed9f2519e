/* The audit's table. Every statement walks whole tables, on a snapshot and without locks: it is run
 * now and then, not all the time. */
#include "audit_checks.h"

#include <inttypes.h>
#include <string.h>

#include "fault.h"
#include "gate_records.h"
#include "policy.h"
#include "sql.h"

/* clang-format off */
/* The rows that break a check, numbered, each with how many there are. */
#define ROWS(select)                                                                          \
	"SELECT y.* FROM (SELECT COUNT(*) OVER () AS total, ROW_NUMBER() OVER () AS nth, x.*"     \
	" FROM (" select ") x) y WHERE y.nth <= " SQL_NUMBER("rows")

#define BREAKS(name, columns, means, select) \
	{name, means, false, columns, {"audit-" name, ROWS(select)}, NULL}
#define WARNS(name, columns, means, select) \
	{name, means, true, columns, {"audit-" name, ROWS(select)}, NULL}

/* The snapshot's moment. By the clock of a later check its holds would be late that are long released. */
#define MOMENT "@audit_moment"

#define IN_LINE "('WAITING', 'ASIDE')"
#define BOUGHT "('PAID', 'REFUNDED')"
#define NUMBER(member) "CAST(JSON_VALUE(j.data, '$." member "') AS SIGNED)"

static enum err check_policy(struct audit *audit);

const struct audit_check audit_checks[] = {
	/* Money */
	BREAKS("balance-of-history", "user balance history",
		"a balance is the sum of its history",
		"SELECT c.user_id, c.balance, COALESCE(h.total, 0) AS history FROM cash c"
		" LEFT JOIN (SELECT user_id, SUM(amount) AS total FROM cash_history GROUP BY user_id) h"
		" ON h.user_id = c.user_id WHERE c.balance <> COALESCE(h.total, 0)"),
	BREAKS("balance-in-range", "user balance",
		"a balance is not negative, and a number that JSON can carry",
		"SELECT c.user_id, c.balance FROM cash c"
		" WHERE c.balance NOT BETWEEN 0 AND 9007199254740991"),
	BREAKS("balance-replays", "history user balance_after replayed",
		"the history of an account, added up row by row, gives each balance_after",
		"SELECT h.id, h.user_id, h.balance_after, h.replayed FROM (SELECT id, user_id, balance_after,"
		" SUM(amount) OVER (PARTITION BY user_id ORDER BY id) AS replayed FROM cash_history) h"
		" WHERE h.balance_after <> h.replayed"),
	BREAKS("history-of-account", "history user",
		"history belongs to an account",
		"SELECT h.id, h.user_id FROM cash_history h LEFT JOIN cash c ON c.user_id = h.user_id"
		" WHERE c.user_id IS NULL"),
	BREAKS("user-has-account", "user",
		"every user has an account, and every account its user",
		"SELECT u.id FROM user u LEFT JOIN cash c ON c.user_id = u.id WHERE c.user_id IS NULL"
		" UNION ALL"
		" SELECT c.user_id FROM cash c LEFT JOIN user u ON u.id = c.user_id WHERE u.id IS NULL"),
	BREAKS("amount-not-zero", "history user",
		"a row of the history moves money",
		"SELECT h.id, h.user_id FROM cash_history h WHERE h.amount = 0"),
	BREAKS("job-moves-money-once", "job rows",
		"a job moves money once",
		"SELECT h.job_id, COUNT(*) AS n FROM cash_history h GROUP BY h.job_id HAVING n > 1"),
	BREAKS("debit-explained", "history user amount",
		"money is taken for a payment or to take a charge back, and for nothing else",
		"SELECT h.id, h.user_id, h.amount FROM cash_history h"
		" LEFT JOIN payment p ON p.job_id = h.job_id"
		" WHERE h.amount < 0 AND p.id IS NULL AND h.reverses IS NULL"),
	BREAKS("reversal-of-charge", "history reverses user amount",
		"what was taken back was charged to the same account, the same amount, and not by a refund",
		"SELECT h.id, h.reverses, h.user_id, h.amount FROM cash_history h"
		" LEFT JOIN cash_history c ON c.id = h.reverses"
		" LEFT JOIN payment p ON p.refund_job_id = c.job_id"
		" WHERE h.reverses IS NOT NULL AND (c.id IS NULL OR c.user_id <> h.user_id"
		" OR c.amount <> -h.amount OR h.amount >= 0 OR p.id IS NOT NULL)"),
	BREAKS("charge-reversed-once", "history rows",
		"a charge is taken back once",
		"SELECT h.reverses, COUNT(*) AS n FROM cash_history h WHERE h.reverses IS NOT NULL"
		" GROUP BY h.reverses HAVING n > 1"),

	/* Seats and reservations */
	BREAKS("seat-live-once", "seat reservations",
		"a seat has at most one live reservation",
		"SELECT r.seat_id, COUNT(*) AS n FROM seat_reservation r"
		" WHERE r.status IN ('PENDING', 'PAID') GROUP BY r.seat_id HAVING n > 1"),
	BREAKS("reservation-of-seat", "reservation seat",
		"a reservation is of a seat that there is",
		"SELECT r.id, r.seat_id FROM seat_reservation r LEFT JOIN seat s ON s.id = r.seat_id"
		" WHERE s.id IS NULL"),
	BREAKS("reservation-of-ticket", "reservation ticket user",
		"a reservation was made with a ticket of its own user",
		"SELECT r.id, r.ticket_id, r.user_id FROM seat_reservation r"
		" LEFT JOIN waiting_queue w ON w.id = r.ticket_id"
		" WHERE w.id IS NULL OR w.user_id <> r.user_id"),
	BREAKS("reservation-price", "reservation price",
		"a reservation has a price from 1 to 100,000,000",
		"SELECT r.id, r.price FROM seat_reservation r WHERE r.price NOT BETWEEN 1 AND 100000000"),
	BREAKS("hold-ends-later", "reservation seat",
		"a hold ends after it began",
		"SELECT r.id, r.seat_id FROM seat_reservation r WHERE r.expires_at <= r.created_at"),
	BREAKS("ticket-holds-once", "ticket holds",
		"a ticket has at most one hold in time",
		"SELECT r.ticket_id, COUNT(*) AS n FROM seat_reservation r"
		" WHERE r.status = 'PENDING' AND r.expires_at > " MOMENT " GROUP BY r.ticket_id HAVING n > 1"),
	WARNS("hold-swept", "reservation seat late_s",
		"a hold that is over is released within a minute, by its message or by a sweep",
		"SELECT r.id, r.seat_id, TIMESTAMPDIFF(SECOND, r.expires_at, " MOMENT ") AS late"
		" FROM seat_reservation r WHERE r.status = 'PENDING'"
		" AND r.expires_at < " MOMENT " - INTERVAL 60 SECOND"),

	/* Payments */
	BREAKS("paid-has-payment", "reservation payments",
		"a reservation that is paid or refunded has exactly one payment of the same status, any other none",
		"SELECT r.id, COUNT(p.id) AS n FROM seat_reservation r LEFT JOIN payment p"
		" ON p.reservation_id = r.id GROUP BY r.id, r.status"
		" HAVING n <> (r.status IN " BOUGHT ") OR SUM(CAST(p.status AS CHAR) <> CAST(r.status AS CHAR)) > 0"),
	BREAKS("payment-of-reservation", "payment reservation",
		"a payment is of a reservation of the same user",
		"SELECT p.id, p.reservation_id FROM payment p"
		" LEFT JOIN seat_reservation r ON r.id = p.reservation_id"
		" WHERE r.id IS NULL OR r.user_id <> p.user_id"),
	BREAKS("payment-at-price", "payment amount price",
		"what was paid is the price of the reservation",
		"SELECT p.id, p.total_amount, r.price FROM payment p"
		" JOIN seat_reservation r ON r.id = p.reservation_id WHERE p.total_amount <> r.price"),
	BREAKS("payment-debited", "payment amount debited",
		"a payment took exactly its amount from its user, by the same job",
		"SELECT p.id, p.total_amount, COALESCE(-h.amount, 0) AS debited FROM payment p"
		" LEFT JOIN cash_history h ON h.job_id = p.job_id"
		" WHERE h.id IS NULL OR h.amount <> -p.total_amount OR h.user_id <> p.user_id"),
	BREAKS("refund-credited", "payment amount credited",
		"a refund gave exactly the payment's amount back to its user, by its own job",
		"SELECT p.id, p.total_amount, COALESCE(h.amount, 0) AS credited FROM payment p"
		" LEFT JOIN cash_history h ON h.job_id = p.refund_job_id"
		" WHERE p.status = 'REFUNDED' AND (h.id IS NULL OR h.amount <> p.total_amount"
		" OR h.user_id <> p.user_id)"),
	BREAKS("refund-has-job", "payment",
		"a payment is refunded by a job, and only a refunded one names it",
		"SELECT p.id FROM payment p WHERE (p.status = 'REFUNDED') <> (p.refund_job_id IS NOT NULL)"),

	/* The line */
	BREAKS("ticket-of-user", "ticket user",
		"a ticket belongs to a user",
		"SELECT w.id, w.user_id FROM waiting_queue w LEFT JOIN user u ON u.id = w.user_id"
		" WHERE u.id IS NULL"),
	BREAKS("user-waits-once", "user tickets",
		"a user has at most one live ticket",
		"SELECT w.user_id, COUNT(*) AS n FROM waiting_queue w"
		" WHERE w.status IN ('WAITING', 'ASIDE', 'ACTIVE') GROUP BY w.user_id HAVING n > 1"),
	BREAKS("tickets-without-gaps", "after before",
		"tickets are numbered without gaps",
		"SELECT g.before_it, g.id FROM (SELECT id, COALESCE(LAG(id) OVER (ORDER BY id), 0) AS before_it"
		" FROM waiting_queue) g WHERE g.id <> g.before_it + 1"),
	BREAKS("last-ticket-counted", "last_ticket tickets",
		"last_ticket is how many tickets there are",
		"SELECT g.last_ticket, t.n FROM gate_state g JOIN (SELECT COUNT(*) AS n FROM waiting_queue) t"
		" WHERE g.last_ticket <> t.n"),
	BREAKS("place-once", "place tickets",
		"a place is given once",
		"SELECT w.place, COUNT(*) AS n FROM waiting_queue w WHERE w.place IS NOT NULL"
		" GROUP BY w.place HAVING n > 1"),
	BREAKS("place-known", "ticket",
		"a ticket has its place, unless it is in a draw that is not drawn",
		"SELECT w.id FROM waiting_queue w WHERE w.place IS NULL AND NOT EXISTS"
		" (SELECT 1 FROM gate_draw d WHERE d.live = 1 AND d.first_ticket <= w.id"
		" AND (d.last_ticket IS NULL OR w.id <= d.last_ticket))"),
	BREAKS("place-is-number", "ticket place",
		"who joined no draw has the place of the ticket's number",
		"SELECT w.id, w.place FROM waiting_queue w WHERE w.place <> w.id AND NOT EXISTS"
		" (SELECT 1 FROM gate_draw d WHERE w.id BETWEEN d.first_ticket AND d.last_ticket)"),
	BREAKS("waiting-counted", "waiting tickets",
		"the line's counter is the line's length",
		"SELECT g.waiting, t.n FROM gate_state g JOIN (SELECT COUNT(*) AS n FROM waiting_queue"
		" WHERE status IN " IN_LINE ") t WHERE g.waiting <> t.n"),
	/* Ticks count who is admitted; who paid or left since the last tick is not in it. */
	BREAKS("active-counted", "active tickets changed_since",
		"the counter of the admitted is their number, but for changes since the last tick",
		"SELECT g.active, t.n, COALESCE(t.recent, 0) AS recent FROM gate_state g JOIN"
		" (SELECT SUM(w.status = 'ACTIVE') AS n, SUM(w.updated_at >= s.ticked_at - INTERVAL 10 SECOND)"
		" AS recent FROM waiting_queue w JOIN gate_state s) t"
		" WHERE ABS(g.active - COALESCE(t.n, 0)) > COALESCE(t.recent, 0)"),
	BREAKS("served-is-highest", "served highest",
		"served is the highest place that was ever admitted",
		"SELECT g.served, COALESCE(t.highest, 0) AS highest FROM gate_state g JOIN"
		" (SELECT MAX(place) AS highest FROM waiting_queue WHERE admitted_at IS NOT NULL) t"
		" WHERE g.served <> COALESCE(t.highest, 0)"),
	BREAKS("leaving-numbered", "ticket out_seq",
		"who stopped waiting was numbered, and nobody else",
		"SELECT w.id, w.out_seq FROM waiting_queue w"
		" WHERE (w.out_seq IS NULL) <> (w.status IN " IN_LINE ")"),
	BREAKS("leaving-numbered-once", "out_seq tickets distinct_tickets",
		"these numbers have no gaps and no repeats",
		"SELECT g.out_seq, t.n, t.d FROM gate_state g JOIN (SELECT COUNT(out_seq) AS n,"
		" COUNT(DISTINCT out_seq) AS d, COALESCE(MAX(out_seq), 0) AS m FROM waiting_queue) t"
		" WHERE t.n <> t.d OR t.n <> t.m OR t.m <> g.out_seq"),
	BREAKS("admission-timed", "ticket",
		"an admitted ticket has its beginning and its end",
		"SELECT w.id FROM waiting_queue w WHERE w.status = 'ACTIVE'"
		" AND (w.admitted_at IS NULL OR w.expired_at IS NULL)"),
	BREAKS("finished-has-paid", "ticket",
		"a finished ticket bought a seat",
		"SELECT w.id FROM waiting_queue w WHERE w.status = 'FINISHED' AND NOT EXISTS"
		" (SELECT 1 FROM seat_reservation r WHERE r.ticket_id = w.id AND r.status IN " BOUGHT ")"),
	BREAKS("bought-is-finished", "reservation ticket",
		"the ticket that bought a seat is finished",
		"SELECT r.id, r.ticket_id FROM seat_reservation r JOIN waiting_queue w ON w.id = r.ticket_id"
		" WHERE r.status IN " BOUGHT " AND w.status <> 'FINISHED'"),

	/* Jobs and what they did */
	BREAKS("charge-in-history", "job",
		"a charge that was granted is in the history, with the balance that was answered",
		"SELECT j.id FROM job j LEFT JOIN cash_history h ON h.job_id = j.id"
		" WHERE j.kind = 'charge' AND j.code = 'ok'"
		" AND (h.id IS NULL OR h.amount <= 0 OR h.balance_after <> " NUMBER("balance") ")"),
	BREAKS("pay-made-payment", "job",
		"a payment that was granted is there, with the amount that was answered",
		"SELECT j.id FROM job j LEFT JOIN payment p ON p.id = " NUMBER("id")
		" WHERE j.kind = 'pay' AND j.code = 'ok'"
		" AND (p.id IS NULL OR p.total_amount <> " NUMBER("totalAmount") ")"),
	BREAKS("reserve-made-reservation", "job",
		"a reservation that was granted is there, at the price that was answered",
		"SELECT j.id FROM job j LEFT JOIN seat_reservation r ON r.id = " NUMBER("id")
		" WHERE j.kind = 'reserve' AND j.code = 'ok'"
		" AND (r.id IS NULL OR r.price <> " NUMBER("price") ")"),
	BREAKS("issue-made-ticket", "job",
		"a ticket that was granted is there",
		"SELECT j.id FROM job j LEFT JOIN waiting_queue w ON w.id = " NUMBER("ticket")
		" WHERE j.kind = 'issue' AND j.code = 'ok' AND w.id IS NULL"),
	BREAKS("register-made-user", "job",
		"a user that was registered is there",
		"SELECT j.id FROM job j LEFT JOIN user u ON u.job_id = j.id AND u.uuid ="
		" UNHEX(REPLACE(JSON_VALUE(j.data, '$.userId'), '-', ''))"
		" WHERE j.kind = 'register' AND j.code = 'ok' AND u.id IS NULL"),
	BREAKS("refund-made-credit", "job",
		"a refund that was granted is the payment's",
		"SELECT j.id FROM job j LEFT JOIN payment p ON p.refund_job_id = j.id"
		" WHERE j.kind = 'refund' AND j.code = 'ok' AND p.id IS NULL"),
	BREAKS("reverse-made-debit", "job",
		"a reversal that was granted is in the history",
		"SELECT j.id FROM job j LEFT JOIN cash_history h ON h.job_id = j.id"
		" WHERE j.kind = 'reverse' AND j.code = 'ok' AND h.reverses IS NULL"),
	BREAKS("refusal-did-nothing", "job",
		"a job that was refused moved no money and made no reservation",
		"SELECT j.id FROM job j LEFT JOIN cash_history h ON h.job_id = j.id"
		" LEFT JOIN seat_reservation r ON r.job_id = j.id"
		" WHERE j.code <> 'ok' AND (h.id IS NOT NULL OR r.id IS NOT NULL)"),

	/* The catalogue */
	BREAKS("seat-price", "seat price",
		"a seat has a price from 1 to 100,000,000",
		"SELECT s.id, s.price FROM seat s WHERE s.price NOT BETWEEN 1 AND 100000000"),
	BREAKS("seat-number-once", "schedule seats",
		"a schedule has each seat number once",
		"SELECT s.concert_schedule_id, COUNT(*) AS n FROM seat s"
		" GROUP BY s.concert_schedule_id, s.seat_number HAVING n > 1"),
	BREAKS("seat-of-schedule", "seat schedule",
		"a seat has its schedule, and that its concert",
		"SELECT s.id, s.concert_schedule_id FROM seat s"
		" LEFT JOIN concert_schedule h ON h.id = s.concert_schedule_id"
		" LEFT JOIN concert c ON c.id = h.concert_id WHERE c.id IS NULL"),
	BREAKS("schedule-times", "schedule",
		"neither a show nor its booking ends before it begins",
		"SELECT h.id FROM concert_schedule h"
		" WHERE h.open_at > h.close_at OR h.booking_start_at > h.booking_end_at"),
	WARNS("schedule-seats-counted", "schedule total_seats seats",
		"total_seats is how many seats a schedule has",
		"SELECT h.id, h.total_seats, COUNT(s.id) AS n FROM concert_schedule h LEFT JOIN seat s"
		" ON s.concert_schedule_id = h.id AND s.deleted_at IS NULL"
		" WHERE h.deleted_at IS NULL GROUP BY h.id, h.total_seats HAVING h.total_seats <> n"),

	/* The gate */
	BREAKS("policy-in-range", "policy",
		"every policy is within the limits",
		"SELECT p.id FROM gate_policy p WHERE p.max_active NOT BETWEEN 0 AND 1000000"
		" OR p.window_limit NOT BETWEEN 0 AND 1000000 OR p.window_s NOT BETWEEN 1 AND 86400"
		" OR p.active_s NOT BETWEEN 1 AND 86400 OR p.show_up_s NOT BETWEEN 0 AND 86400"
		" OR p.quiet_s NOT BETWEEN 0 AND 86400 OR p.grace_s NOT BETWEEN 0 AND 86400"),
	{"policy-rules", "the newest policy makes sense, and rules", true, "policy", {NULL, NULL},
	 check_policy},
	BREAKS("draw-places", "draw tickets placed",
		"a draw that is done gave each of its tickets one of its own numbers as place",
		"SELECT d.id, d.last_ticket - d.first_ticket + 1 AS n, COUNT(w.id) AS placed"
		" FROM gate_draw d LEFT JOIN waiting_queue w ON w.id BETWEEN d.first_ticket AND d.last_ticket"
		" AND w.place BETWEEN d.first_ticket AND d.last_ticket"
		" WHERE d.state = 'drawn' AND d.first_ticket IS NOT NULL"
		" GROUP BY d.id, d.first_ticket, d.last_ticket HAVING n <> placed"),
	{"draw-is-fair", "roster, seed and order of a draw are what follows from its secret and public value",
	 false, "draw ticket", {NULL, NULL}, audit_draws},
	{NULL, NULL, false, NULL, {NULL, NULL}, NULL},
};
/* clang-format on */

/* Findings ---------------------------------------------------------------------------------- */

/* The next of a check's column names; false at the end. */
static bool next_column(const char **columns, char name[static 32])
{
	size_t length = strcspn(*columns, " ");

	if (length == 0 || length >= 32)
		return false;
	memcpy(name, *columns, length);
	name[length] = '\0';
	*columns += length + ((*columns)[length] == ' ');
	return true;
}

static void begin_row(struct audit_findings *findings)
{
	if (findings->json)
		text_puts(&findings->rows, findings->rows.length > 0 ? ",{" : "{");
	else
		text_puts(&findings->rows, "   ");
}

static void put_name(struct audit_findings *findings, const char *name, bool is_first)
{
	if (findings->json)
		text_printf(&findings->rows, "%s\"%s\":", is_first ? "" : ",", name);
	else
		text_printf(&findings->rows, " %s=", name);
}

static void end_row(struct audit_findings *findings)
{
	text_puts(&findings->rows, findings->json ? "}" : "\n");
}

void audit_findings_add(struct audit_findings *findings, const int64_t *values)
{
	const char *columns = findings->columns;
	char name[32];

	if (++findings->total > findings->most)
		return;
	begin_row(findings);
	for (size_t i = 0; next_column(&columns, name); i++) {
		put_name(findings, name, i == 0);
		text_int(&findings->rows, values[i]);
	}
	end_row(findings);
}

/* A row of a statement: how many there are, its own number, then the check's columns. */
static enum err take_row(void *arg, const struct db_row *row)
{
	struct audit_findings *findings = arg;
	const char *columns = findings->columns;
	const char *quote = findings->json ? "\"" : "";
	char name[32], text[ID_TEXT_SIZE];

	findings->total = db_row_int(row, 0);
	begin_row(findings);
	for (unsigned i = 0; next_column(&columns, name); i++) {
		put_name(findings, name, i == 0);
		if (strcmp(name, "job") == 0) {
			struct id id = db_row_id(row, i + 2);

			id_format(&id, text);
			text_printf(&findings->rows, "%s%s%s", quote, text, quote);
		} else {
			text_int(&findings->rows, db_row_int(row, i + 2));
		}
	}
	end_row(findings);
	return ERR_OK;
}

enum err audit_begin(struct audit *audit)
{
	static const struct db_query note_moment = {"audit-moment", "SET " MOMENT " = SYSDATE(6)"};
	enum err err = db_begin_snapshot(audit->db);

	if (err == ERR_OK)
		err = db_run(audit->db, &note_moment, NULL, 0, NULL);
	if (err == ERR_OK)
		fault_point("audit-begun");
	return err;
}

enum err audit_check_run(struct audit *audit, const struct audit_check *check)
{
	char json[64];

	audit->findings.columns = check->columns;
	audit->findings.total = 0;
	audit->findings.rows = (struct text){0};
	if (check->run != NULL)
		return check->run(audit);
	snprintf(json, sizeof json, "[{\"rows\":%" PRId64 "}]", audit->findings.most);
	return db_select(audit->db, &check->query, json, strlen(json), take_row, &audit->findings);
}

/* What is beyond the ceilings of these settings, or contradicts itself, does not rule. */
static enum err check_policy(struct audit *audit)
{
	struct policy_change newest = {0};
	char why[POLICY_WHY_SIZE];
	size_t count = 0;
	enum err err = gate_records_history(audit->db, &newest, 1, &count);

	if (err == ERR_OK && count > 0 && policy_check(&newest.policy, audit->conf, why) != ERR_OK)
		audit_findings_add(&audit->findings, &newest.id);
	return err;
}
