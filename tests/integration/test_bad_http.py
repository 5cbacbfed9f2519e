"""Bad input over HTTP: each gets a 4xx that says what is wrong, and nothing happens."""

import base64
import json
import uuid

import pytest

from api import Call, charge, check, dates, get, new_key, post, register, reserve, status

WRITES = {
    "/user": {"name": "a fan"},
    "/queue/issue": {"userId": str(uuid.uuid4())},
    "/user/charge": {"userId": str(uuid.uuid4()), "amount": 1},
    "/reservation": {"seatId": 1},
    "/reservation/cancel": {"seatId": 1},
    "/payment": {"seatId": 1},
}
READS = ["/queue/status", "/concert/available-dates", "/concert/available-seats", "/concert/seats", "/user/check",
         "/user/reservations", "/user/cash-history",
         "/healthz", "/readyz", "/jobs/a.b.c"]
REQUIRED = [(path, field) for path, content in WRITES.items() for field in content]

NO_JSON = {
    "empty": b"",
    "blank": b"  ",
    "cut short": b'{"name":',
    "a word": b"hello",
    "single quotes": b"{'seatId':1}",
    "no quotes": b"{seatId:1}",
    "comment": b'{"seatId":1 /* one */}',
    "trailing comma": b'{"seatId":1,}',
    "trailing text": b'{"seatId":1} x',
    "two values": b'{"seatId":1}{"seatId":2}',
    "byte order mark": b'\xef\xbb\xbf{"seatId":1}',
    "NUL byte": b'{"seatId":1\0}',
    "NUL after": b'{"seatId":1}\0',
    "broken UTF-8": b'{"seatId":1,"name":"\xc3\x28"}',
    "overlong UTF-8": b'{"seatId":1,"name":"\xc0\xaf"}',
    "UTF-16": '{"seatId":1}'.encode("utf-16"),
    "surrogate in UTF-8": b'{"name":"\xed\xa0\x80"}',
    "lone surrogate": b'{"name":"\\ud800"}',
    "bad escape": b'{"name":"\\x41"}',
    "raw newline in a string": b'{"name":"a\nb"}',
    "deep": b"[" * 8000,
    "deep object": b'{"a":' * 2500,
    "array": b'[{"seatId":1}]',
    "string": b'"seatId"',
    "number": b"7",
    "null": b"null",
    "form": b"seatId=1",
    "XML": b"<seatId>1</seatId>",
}


@pytest.fixture(scope="module")
def fan(site):
    return site.fan()


@pytest.fixture(autouse=True, scope="module")
def nothing_died(instance):
    before = {name: instance.pid(name) for name in instance.names()}
    yield
    assert all(instance.is_alive(name) for name in before)
    assert before == {name: instance.pid(name) for name in instance.names()}


@pytest.mark.parametrize("name", NO_JSON)
@pytest.mark.parametrize("path", WRITES)
def test_a_body_that_is_no_object(site, fan, path, name):
    site.send(post(path, NO_JSON[name], fan.token)).refused(400, "bad-request", "bad-field")


@pytest.mark.parametrize("path, field", REQUIRED)
def test_a_missing_member(site, fan, path, field):
    content = {name: value for name, value in WRITES[path].items() if name != field}
    refused = site.send(post(path, content, fan.token)).refused(400, "bad-field")
    assert field in refused["message"]


@pytest.mark.parametrize("path, field", REQUIRED)
@pytest.mark.parametrize("value", [None, True, [], {}, 1.5, [1], {"a": 1}], ids=str)
def test_a_member_of_another_type(site, fan, path, field, value):
    refused = site.send(post(path, {**WRITES[path], field: value}, fan.token)) \
        .refused(400, "bad-field")
    assert field in refused["message"]


@pytest.mark.parametrize("path", WRITES)
def test_an_unknown_member(site, fan, path):
    refused = site.send(post(path, {**WRITES[path], "surprise": 1}, fan.token)) \
        .refused(400, "bad-field")
    assert "surprise" in refused["message"]


@pytest.mark.parametrize("path, field", REQUIRED)
def test_a_member_given_twice(site, fan, path, field):
    text = json.dumps(WRITES[path])
    twice = (text[:-1] + f', "{field}": {json.dumps(WRITES[path][field])}}}').encode()
    site.send(post(path, twice, fan.token)).refused(400, "bad-field", "bad-request")


@pytest.mark.parametrize("resume", [1, 0, "true", None, []], ids=str)
def test_resume_is_a_boolean(site, fan, resume):
    refused = site.send(post("/queue/issue", {"userId": fan.user, "resume": resume})) \
        .refused(400, "bad-field")
    assert "resume" in refused["message"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded",
                                  "multipart/form-data; boundary=x", "application/jsonx",
                                  "application/xml", "json", "", "application/json, text/plain"])
@pytest.mark.parametrize("path", WRITES)
def test_another_content_type(site, fan, path, kind):
    call = Call("POST", path, json.dumps(WRITES[path]).encode(),
                [("Content-Type", kind), ("queue-token", fan.token)])
    site.send(call).refused(415, "unsupported-media-type")


@pytest.mark.parametrize("path", WRITES)
def test_no_content_type(site, fan, path):
    call = Call("POST", path, json.dumps(WRITES[path]).encode(), [("queue-token", fan.token)])
    site.send(call).refused(415, "unsupported-media-type")


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8",
                                  "Application/JSON;charset=UTF-8"])
def test_content_types_that_are_fine(site, kind):
    site.do(Call("POST", "/user", b'{"name":"x"}', [("Content-Type", kind)])).ok()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "TRACE", "BREW"])
@pytest.mark.parametrize("path", WRITES)
def test_another_method_than_post(site, path, method):
    answer = site.send(Call(method, path, b"" if method != "GET" else None))
    answer.refused(405, "method-not-allowed")
    if method != "TRACE":  # which nginx itself refuses
        assert "POST" in answer.header("Allow")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", READS)
def test_another_method_than_get(site, path, method):
    answer = site.send(post(path, {}) if method == "POST" else Call(method, path, b""))
    answer.refused(405, "method-not-allowed")
    assert "GET" in answer.header("Allow")


@pytest.mark.parametrize("path", ["/nowhere", "/user/", "/user/nobody", "/queue", "/USER",
                                  "/concert/available-dates/1", "/jobs", "/jobs/", "/.git/config",
                                  "/%2e%2e/etc/passwd", "/user%00", "/user%ff", "/a" * 500])
def test_an_unknown_path(site, path):
    for call in (get(path), post(path, {})):
        answer = site.send(call)
        assert answer.status in (400, 404, 405), answer
        answer.refused(answer.status, "not-found", "bad-request", "method-not-allowed",
                       "unknown-job")


# Tokens --------------------------------------------------------------------------------------

GUARDED = [status, dates, lambda token: reserve(token, 1),
           lambda token: get("/concert/available-seats", token, concertScheduleId=1),
           lambda token: post("/reservation/cancel", {"seatId": 1}, token),
           lambda token: post("/payment", {"seatId": 1}, token)]
GUARDED_NAMES = ["status", "dates", "reserve", "seats", "cancel", "pay"]


def part(content):
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("call", GUARDED, ids=GUARDED_NAMES)
def test_no_token(site, call):
    site.send(call(None)).refused(401, "token-missing")


@pytest.mark.parametrize("call", GUARDED, ids=GUARDED_NAMES)
def test_an_empty_token(site, call):
    site.send(call("")).refused(401, "token-missing", "token-invalid")


def forgeries(token):
    head, claims, signature = token.split(".")
    flipped = ("B" if signature[5] == "A" else "A").join((signature[:5], signature[6:]))
    return {
        "nonsense": "nonsense",
        "dots": "..",
        "two parts": f"{head}.{claims}",
        "four parts": f"{token}.x",
        "another signature": f"{head}.{claims}.{flipped}",
        "no signature": f"{head}.{claims}.",
        "alg none": f"{part({'alg': 'none', 'typ': 'JWT'})}.{claims}.",
        "alg none, signed": f"{part({'alg': 'none', 'typ': 'JWT'})}.{claims}.{signature}",
        "alg HS512": f"{part({'alg': 'HS512', 'typ': 'JWT'})}.{claims}.{signature}",
        "other claims": f"{head}.{part({'sub': str(uuid.uuid4()), 'exp': 9999999999})}.{signature}",
        "unknown key": f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': 'x'})}.{claims}.{signature}",
        "key id of a file": f"{part({'alg': 'HS256', 'kid': '../../dev/null'})}.{claims}.{signature}",
        "long": "a" * 6000,
        "long parts": ".".join(["a" * 2000] * 3),
        "letters beyond ASCII": "t\u00f6ken",
        "blank inside": f"{head} {claims}",
        "quotes": f'"{token}"',
    }


@pytest.mark.parametrize("name", forgeries("a.b.cdefghi"))
def test_a_forged_token(site, fan, name):
    token = forgeries(fan.token)[name]
    for call in GUARDED:
        answer = site.send(call(token))
        answer.refused(401, "token-invalid")


def test_a_token_beyond_what_headers_may_be(site):
    answer = site.send(status("a" * 20000))
    assert 400 <= answer.status < 500, answer
    answer.refused(answer.status, "token-invalid", "bad-request")


def test_a_job_handle_is_no_token(site, fan):
    handle = site.send(get("/jobs/" + fan.token))
    handle.refused(404, "unknown-job")


def test_who_has_neither_user_nor_token(site):
    answer = site.send(get("/user/check"))
    answer.refused(400, "bad-request")
    assert b"user-id" in answer.body and b"queue-token" in answer.body


def test_an_unknown_user_has_no_balance(site):
    site.send(check(str(uuid.uuid4()))).refused(404, "unknown-user")


def test_a_refusal_says_nothing_about_inside(site, fan):
    for answer in (site.send(post("/user", b"{")), site.send(reserve("x", 1)),
                   site.send(get("/nowhere"))):
        text = answer.body.decode().lower()
        assert not any(word in text for word in ("mysql", "mariadb", "rabbit", "amqp", "sql",
                                                 "nginx", ".c:", "0x"))


# Headers -------------------------------------------------------------------------------------


def test_two_tokens(site, fan):
    call = dates(fan.token).with_header("queue-token", fan.token)
    assert "queue-token" in site.send(call).refused(400, "bad-request")["message"]


@pytest.mark.parametrize("key", ["", " ", "a b", "k" * 256, "k" * 4000, "sch\u00f6n", "a\tb",
                                 "a\x7fb"], ids=ascii)
def test_a_bad_idempotency_key(site, db, fan, key):
    count = len(db.charges(fan.user))
    call = charge(fan.user, 1, key)
    answer = site.send(call)
    answer.refused(400, "bad-idempotency-key", "bad-request")
    assert len(db.charges(fan.user)) == count


def test_two_idempotency_keys(site, db, fan):
    count = len(db.charges(fan.user))
    call = charge(fan.user, 1, new_key()).with_header("Idempotency-Key", new_key())
    site.send(call).refused(400, "bad-idempotency-key", "bad-request")
    assert len(db.charges(fan.user)) == count


@pytest.mark.parametrize("key", ["abc", "1", "0" * 36, str(uuid.uuid4()) + "0"])
def test_a_registration_key_is_a_uuid(site, key):
    site.send(register("x", key)).refused(400, "bad-idempotency-key")


RAW = {
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "bad host": b"GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n",
    "NUL in header": b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
    "blank in header name": b"GET /healthz HTTP/1.1\r\nHost: a\r\nX Y: a\r\n\r\n",
    "bad length": b"POST /user HTTP/1.1\r\nHost: a\r\nContent-Length: ten\r\n\r\n",
    "negative length": b"POST /user HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "two lengths": b"POST /user HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
                   b"Content-Length: 3\r\n\r\n{} ",
    "length and chunks": b"POST /user HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a length too long and chunks": b"POST /user HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n"
                                    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "unknown coding": b"POST /user HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: rot13\r\n\r\n",
    "bad chunk": b"POST /user HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                 b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "small letters": b"get /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    "no version number": b"GET /healthz HTTP/x\r\nHost: a\r\n\r\n",
    "version 9": b"GET /healthz HTTP/9.9\r\nHost: a\r\n\r\n",
    "no path": b"GET HTTP/1.1\r\nHost: a\r\n\r\n",
    "nonsense": b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n",
    "very long line": b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "very long header": b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 70000 + b"\r\n\r\n",
    "very many headers": b"GET /healthz HTTP/1.1\r\nHost: a\r\n"
                         + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 90) for n in range(1000))
                         + b"\r\n",
    "out of the root": b"GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
    "bad escape": b"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
    "expectation": b"POST /user HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n"
                   b"Content-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("name", RAW)
def test_a_hostile_request(site, name):
    answer = site.raw(RAW[name])
    if answer is not None:  # closed without a word is an answer too
        assert 400 <= answer.status < 500, answer
        answer.refused(answer.status, answer.code)
    site.send(get("/healthz")).ok()


def test_chunks_make_a_body_too(site):
    answer = site.raw(b"POST /user HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                      b"Transfer-Encoding: chunked\r\n\r\n5\r\n{\"nam\r\n8\r\ne\":\"abc\"\r\n"
                      b"1\r\n}\r\n0\r\n\r\n")
    assert answer.status in (200, 202)


def test_a_client_that_goes_away_in_the_middle(site, db, fan):
    """Half a request, and no more: no effect, and nobody waits for the rest."""
    count = len(db.charges(fan.user))
    body = json.dumps({"userId": fan.user, "amount": 1}).encode()
    whole = post("/user/charge", body).encode(site.host)
    site.abandon([whole[:cut] for cut in range(10, len(whole), 7)])
    # A charge of the same account goes the same way: what came before it is done by then.
    site.do(charge(fan.user, 2)).ok()
    assert db.charges(fan.user)[count:] == [2]
