"""What the database holds in the end: one more read of every seat, every balance, and the line."""

import uuid

from record import now

SEAT = ("SELECT s.id, CASE WHEN r.status = 'PAID' THEN 'sold' WHEN r.expires_at > SYSDATE(6) THEN 'held' ELSE 'free' END,"
        " HEX(u.uuid) FROM seat s LEFT JOIN seat_reservation r ON r.live_seat_id = s.id"
        " LEFT JOIN user u ON u.id = r.user_id WHERE s.concert_schedule_id = %s")
BALANCE = ("SELECT c.balance, COALESCE(SUM(h.amount), 0) FROM user u JOIN cash c ON c.user_id = u.id"
           " LEFT JOIN cash_history h ON h.user_id = u.id WHERE u.uuid = UNHEX(%s) GROUP BY c.balance")
LINE = "SELECT s.last_ticket, (SELECT COUNT(*) FROM waiting_queue) FROM gate_state s"


def record_final(recorder, db, schedules, users):
    """schedules: of db.Schedule. users: their UUIDs."""
    for schedule in schedules:
        call = now()
        for seat, state, owner in db.rows(SEAT, schedule.id):
            user = str(uuid.UUID(owner)) if owner and state != "free" else ""
            _write(recorder, "final-seat", call, seat=seat, answer={"state": state, "user": user})
    for user in users:
        call = now()
        balance, total = db.row(BALANCE, user.replace("-", ""))
        _write(recorder, "final-balance", call, user=user, answer={"balance": int(balance), "history": int(total)})
    call = now()
    last, count = db.row(LINE)
    _write(recorder, "final-line", call, answer={"last": last, "count": count})


def _write(recorder, op, call, **about):
    recorder.write({"process": "database", "op": op, "call": call, "return": now(), "outcome": "ok", **about})
