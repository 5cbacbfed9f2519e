"""Where callers must sign in: whose bearer token passes, and for whom."""

import base64
import hashlib
import hmac
import json
import subprocess
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from api import Call, charge, check, get, issue, new_key, own, post, register, seat_events, status
from test_events import STREAM, listening
from wait import wait_until

SECRET = "0123456789abcdef0123456789abcdef"
ISSUER = "https://login.example"
AUDIENCE = "boxoffice"


def public_pem(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM,
                                         serialization.PublicFormat.SubjectPublicKeyInfo)


RSA = rsa.generate_private_key(65537, 2048)
OTHER_RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())


def claims(user, **changes):
    made = {"sub": user, "iss": ISSUER, "aud": AUDIENCE, "exp": int(time.time()) + 600, **changes}
    return {name: value for name, value in made.items() if value is not None}


def sign(user, key=SECRET, algorithm="HS256", **changes):
    return jwt.encode(claims(user, **changes), key, algorithm)


def sign_raw(user, **changes):
    """With claims that the library would not write."""
    text = part({"alg": "HS256", "typ": "JWT"}) + b"." + part(claims(user, **changes))
    digest = hmac.new(SECRET.encode(), text, hashlib.sha256).digest()
    return (text + b"." + base64.urlsafe_b64encode(digest).rstrip(b"=")).decode()


def signed_in(call, token):
    return call.with_header("Authorization", f"Bearer {token}")


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")


def confused(user):
    """Signed with the public key, which everybody has, as if it were a shared secret."""
    text = part({"alg": "HS256", "typ": "JWT"}) + b"." + part(claims(user))
    digest = hmac.new(public_pem(RSA).rstrip(b"\n"), text, hashlib.sha256).digest()
    return (text + b"." + base64.urlsafe_b64encode(digest).rstrip(b"=")).decode()


def unsigned(user):
    return (part({"alg": "none", "typ": "JWT"}) + b"." + part(claims(user)) + b".").decode()


def nested(user):
    """As deep as the parser goes, and parsed before any signature is looked at."""
    deep = "[" * 2046 + "]" * 2046
    header = '{"alg":"HS256","typ":"JWT","a":%s}' % deep
    return (base64.urlsafe_b64encode(header.encode()).rstrip(b"=") + b"." + part(claims(user)) + b".x").decode()


def fronts_with(instance, site, **settings):
    """Both fronts with these settings instead of the launcher's."""
    instance.stop("front")
    running = [instance.spawn(name, **settings) for name in ("front-0", "front-1")]
    try:
        site.await_ready()
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(20)
        instance.start("front")
        site.await_ready()


def key_file(instance, name, content):
    path = instance.folder / name
    path.write_bytes(content)
    return str(path)


COMMON = {"BOXOFFICE_BEARER_ISSUER": ISSUER, "BOXOFFICE_BEARER_AUDIENCE": AUDIENCE}


@pytest.fixture(scope="module")
def user(site):
    return site.users()[0]


@pytest.fixture(scope="module")
def other(site):
    return site.users()[0]


@pytest.fixture(scope="module")
def both_keys(instance, site, user, other):
    """The secret, and the public RSA key."""
    yield from fronts_with(
        instance, site, **COMMON,
        BOXOFFICE_BEARER_SECRET_FILE=key_file(instance, "secret", SECRET.encode() + b"\n"),
        BOXOFFICE_BEARER_PUBLIC_KEY_FILE=key_file(instance, "rsa.pem", public_pem(RSA)))


# Before the tests that share their fronts.
def test_an_ec_key_alone_takes_its_tokens_alone(instance, site, user):
    path = key_file(instance, "ec.pem", public_pem(EC))
    for _ in fronts_with(instance, site, **COMMON,
                         BOXOFFICE_BEARER_PUBLIC_KEY_FILE=path):
        site.send(signed_in(check(user), sign(user, EC, "ES256"))).ok()
        for token in (sign(user), sign(user, RSA, "RS256"), unsigned(user)):
            site.send(signed_in(check(user), token)).refused(401, "bearer-invalid")


def test_a_front_with_half_a_setting_does_not_start(instance, site):
    assert site
    front = instance.spawn("front-0", BOXOFFICE_FRONT_SOCKET=str(instance.folder / "half.sock"),
                           BOXOFFICE_BEARER_SECRET_FILE=key_file(instance, "half", b"x" * 32))
    try:
        assert front.wait(20) == 1
    except subprocess.TimeoutExpired:
        front.kill()
        raise


GOOD = {
    "HS256": lambda user: sign(user),
    "RS256": lambda user: sign(user, RSA, "RS256"),
    "one audience of several": lambda user: sign(user, aud=["another", AUDIENCE]),
    "valid since a while": lambda user: sign(user, nbf=int(time.time()) - 5),
    "with fractions of a second": lambda user: sign(user, exp=time.time() + 600, nbf=time.time() - 5),
}
BAD = {
    "another secret": lambda user: sign(user, "x" * 32),
    "another RSA key": lambda user: sign(user, OTHER_RSA, "RS256"),
    "a kind of key that is not set": lambda user: sign(user, EC, "ES256"),
    "another algorithm": lambda user: sign(user, algorithm="HS384"),
    "no algorithm": unsigned,
    "the public key taken for a secret": confused,
    "over": lambda user: sign(user, exp=int(time.time()) - 1),
    "without an end": lambda user: sign(user, exp=None),
    "not yet": lambda user: sign(user, nbf=int(time.time()) + 600),
    "not yet, with a fraction": lambda user: sign(user, nbf=time.time() + 600.5),
    "from no moment": lambda user: sign_raw(user, nbf="tomorrow"),
    "until no moment": lambda user: sign_raw(user, exp="tomorrow"),
    "under a condition": lambda user: jwt.encode(claims(user), SECRET, headers={"crit": ["b64"], "b64": True}),
    "nested deep": nested,
    "of another issuer": lambda user: sign(user, iss="https://evil.example"),
    "without an issuer": lambda user: sign(user, iss=None),
    "for another audience": lambda user: sign(user, aud="shop"),
    "for us, but deeper in a list": lambda user: sign(user, aud=["shop", ["x", AUDIENCE]]),
    "for others": lambda user: sign(user, aud=["shop", 'x,"boxoffice"', "boxoffice2"]),
    "of nobody": lambda user: sign(user, sub=None),
    "of no UUID": lambda user: sign("kim"),
    "of another user": lambda user: sign(new_key()),
    "cut": lambda user: sign(user)[:-4],
    "no token": lambda user: "a.b.c",
}


@pytest.mark.parametrize("kind", GOOD)
def test_a_good_token_passes(site, both_keys, user, kind):
    site.send(signed_in(check(user), GOOD[kind](user))).ok()


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_token_does_not(site, both_keys, user, kind):
    answer = site.send(signed_in(check(user), BAD[kind](user)))
    answer.refused(401, "bearer-invalid")
    assert answer.header("WWW-Authenticate") == 'Bearer error="invalid_token"'


def test_every_call_that_names_a_user_wants_a_token(site, both_keys, user, other):
    token = site.do(signed_in(issue(user, resume=True), sign(user))).ok()["token"]
    events = get("/queue/events", token).with_header("Accept", "text/event-stream")
    calls = [issue(user), charge(user, 1), check(user), own("/user/check", user),
             own("/user/reservations", user), own("/user/cash-history", user), status(token),
             get("/concert/available-dates", token), post("/payment", {"seatId": 1}, token),
             Call("POST", "/queue/leave", b"", [("queue-token", token)])]
    for answer in site.swarm(calls, 1):
        answer.refused(401, "bearer-missing")
        assert answer.header("WWW-Authenticate") == "Bearer"
    for answer in site.swarm([signed_in(call, sign(other)) for call in calls], 1):
        answer.refused(401, "bearer-invalid")
    assert site.send(events).status == 401
    site.send(signed_in(status(token), sign(user))).ok()


def test_who_listens_signs_in(site, both_keys, user, other, schedule):
    """Once, when the stream begins; it outlives what was signed for a short time."""
    token = site.do(signed_in(issue(user, resume=True), sign(user))).ok()["token"]
    wait_until(lambda: site.send(signed_in(status(token), sign(user))).ok()["status"] == "ACTIVE", 20, "admission")
    calls = [get("/queue/events", token).with_header(*STREAM), seat_events(token, schedule.id)]
    for call in calls:
        missing, foreign = site.swarm([call, signed_in(call, sign(other))], 1)
        assert missing.status == foreign.status == 401
        assert missing.header("WWW-Authenticate") == "Bearer"
        assert foreign.header("WWW-Authenticate") == 'Bearer error="invalid_token"'
        signed = ("Authorization", f"Bearer {sign(user, exp=int(time.time()) + 2)}")
        with listening(site, token, path=call.path, headers=[signed]) as listener:
            assert listener.answer.status == 200
            assert listener.read()["at"] < listener.read()["at"]


def test_calls_that_name_nobody_want_none(site, both_keys):
    site.do(register()).ok()
    for path in ("/healthz", "/queue/draw"):
        site.send(get(path)).ok()


def test_a_form_cannot_sign_in(site, both_keys):
    answer = site.send(Call("POST", "/join", b"name=a",
                            [("Content-Type", "application/x-www-form-urlencoded")]))
    assert answer.status == 401


def test_two_tokens_are_refused(site, both_keys, user):
    twice = signed_in(signed_in(check(user), sign(user)), sign(user))
    assert site.send(twice).status == 400
