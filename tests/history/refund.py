"""An operator's refunds, written down like a fan's writes: the id of the job is the key."""

import pika

from record import now

from amqp import job, new_id, partition


def refund(recorder, operator, seat, payment, key=None, deadline_s=20):
    """Returns the result, or None when there was none: send it again with the same key."""
    key = key or new_id()
    line = {"process": "operator", "op": "refund", "seat": seat, "payment": payment, "key": key, "call": now()}
    recorder.write({**line, "return": None, "outcome": "unknown"})
    try:
        result, = operator.ask("seat", partition(seat), {**job("refund", seatId=seat, payment=payment), "id": key},
                               deadline_s=deadline_s)
    except (pika.exceptions.AMQPError, OSError, AssertionError):
        return None
    recorder.write({**line, "return": now(), "outcome": "ok" if result["ok"] else "refused",
                    "status": 200 if result["ok"] else 409, "code": result.get("code"), "answer": result.get("data")})
    return result
