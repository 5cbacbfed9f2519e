"""What every answer of the site says to a browser, whoever made it: nginx, a front, the push."""

import pytest

from api import Call, charge, get, issue, new_key, post, register, seat_map, status
from test_events import STREAM
from wait import wait_until

POLICY = {
    "default-src": "'none'", "script-src": "'self'", "style-src": "'self'",
    "img-src": "'self' data:", "connect-src": "'self'", "font-src": "'self'",
    "form-action": "'self'", "frame-ancestors": "'none'", "base-uri": "'none'",
    "manifest-src": "'self'",
}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
FORM = [("Content-Type", "application/x-www-form-urlencoded")]
# By what makes the answer.
ANSWERS = {
    "page": get("/"),
    "file": get("/web/index.html"),
    "no file": get("/web/none"),
    "page of all calls": get("/docs"),
    "document of all calls": get("/openapi.yaml"),
    "front": get("/healthz"),
    "front refuses": post("/user", {"name": ""}),
    "front knows no such path": get("/nowhere"),
    "front's page": get("/line"),
    "nginx refuses": Call("TRACE", "/user"),
    "not understood": Call("GET", "/%zz"),
    "too large": post("/user", b"x" * 20000),
    "no token for the push": get("/queue/events").with_header("Accept", "text/event-stream"),
    "not a stream": get("/queue/events"),
}


def check_headers(answer):
    policy = dict(part.strip().split(" ", 1)
                  for part in answer.header("Content-Security-Policy").split(";"))
    assert policy == POLICY
    assert {name: answer.header(name) for name in HEADERS} == HEADERS
    assert "geolocation=()" in answer.header("Permissions-Policy")
    assert answer.header("Server") in (None, "nginx")


@pytest.mark.parametrize("who", ANSWERS)
def test_every_answer_has_the_headers(site, who):
    check_headers(site.send(ANSWERS[who]))


def test_too_many_requests_have_them_too(site):
    address = site.next_address()
    answers = site.swarm([post("/user", {"name": ""}) for _ in range(1500)], 50, address)
    limited = [answer for answer in answers if answer.status == 429]
    assert limited
    check_headers(limited[0])


def joined(site):
    """The attributes of the cookie that a join sets."""
    answer = site.send(Call("POST", "/join", b"name=a", FORM))
    assert answer.status == 303
    return answer.header("Set-Cookie").split("; ")[1:]


def test_without_tls_nothing_is_said_of_it(site):
    assert site.send(get("/")).header("Strict-Transport-Security") is None
    assert "Secure" not in joined(site)


def test_behind_tls_browsers_are_told_to_insist_on_it(site, instance):
    def told():
        """By each of several connections: for a while nginx's workers of before answer, too."""
        return {site.send(get("/")).header("Strict-Transport-Security") for _ in range(20)}

    instance.run("up", BOXOFFICE_SET=f"{instance.set} nginx_hsts_s=300")
    try:
        wait_until(lambda: told() == {"max-age=300"}, 10, "the new setting")
        for who, call in ANSWERS.items():
            wait_until(lambda call=call: site.send(call).header("Strict-Transport-Security") == "max-age=300", 10, who)
            check_headers(site.send(call))
        assert "Secure" in joined(site)
    finally:
        instance.run("up", BOXOFFICE_SET=f"{instance.set} nginx_hsts_s=0")
        wait_until(lambda: told() == {None}, 10, "the old setting")


@pytest.mark.parametrize("path", ["/queue/events", "/concert/seat-events", "/concert/seats", "/"])
def test_no_page_of_another_site_may_read(site, schedule, path):
    """Neither what is answered, nor, where headers of one's own are needed, by asking beforehand."""
    token = site.fan().token
    wait_until(lambda: site.send(seat_map(token, schedule.id)).status == 200, 5, "the schedule", 0.1)
    query = {"concertScheduleId": schedule.id} if path.startswith("/concert") else {}
    call = get(path, token, **query).with_header(*STREAM).with_header("Origin", "https://other.example")
    answer = site.send(call)
    asked = site.send(Call("OPTIONS", call.path, None, [
        *call.headers[1:], ("Access-Control-Request-Method", "GET"),
        ("Access-Control-Request-Headers", "queue-token")]))
    assert answer.status == (403 if path.endswith("events") else 200)
    assert asked.status == 405
    assert answer.header("Access-Control-Allow-Credentials") is None
    for name, _ in asked.headers:
        assert not name.lower().startswith("access-control-"), name


def test_no_answer_names_another_user(site, schedule):
    """All that one fan can ask, while others hold, pay and wait: none of their ids is in it."""
    others = site.fans(3, balance=1_000_000)
    fan = site.fan(balance=1_000_000)
    calls = [post("/reservation", {"seatId": seat}, other.token)
             for other, seat in zip(others, schedule.seats)]
    for answer in site.settle_all(site.swarm(calls)):
        answer.ok()
    site.do(post("/payment", {"seatId": schedule.seats[0]}, others[0].token)).ok()
    asked = [
        get("/queue/draw"), get("/healthz"), get("/readyz"), get("/"), status(fan.token),
        get("/concert/available-dates", fan.token),
        get("/concert/available-seats", fan.token, concertScheduleId=schedule.id),
        get("/concert/seats", fan.token, concertScheduleId=schedule.id),
        get("/user/reservations", fan.token), get("/user/cash-history", fan.token),
        issue(fan.user), charge(fan.user, 1), charge(new_key(), 1), register(),
        *(post(path, {"seatId": seat}, fan.token) for seat in schedule.seats[:3]
          for path in ("/reservation", "/reservation/cancel", "/payment")),
    ]
    for answer in site.settle_all(site.swarm(asked, 1)):
        said = answer.body.decode() + str(answer.headers)
        for other in others:
            assert other.user not in said and other.user.replace("-", "") not in said, said
            assert other.token not in said, said
