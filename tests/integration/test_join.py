"""The way without JavaScript: a form joins the line, a page tells the place."""

import html
import re
from urllib.parse import urlencode

import pytest

from api import Call, dates, get, new_key
from wait import wait_until

FORM = ("Content-Type", "application/x-www-form-urlencoded")
BODIES = {
    "no name": b"", "an empty name": b"name=", "too long a name": b"name=" + b"x" * 101,
    "broken UTF-8": b"name=%ff", "a control character": b"name=a%0ab", "a zero": b"name=a%00b",
    "a zero, raw": b"name=a\0b", "a bad escape": b"name=%zz", "twice": b"name=a&name=b",
    "a bad key": b"name=a&key=mine", "too much": b"name=" + b"x" * 5000,
}


def escaped(text):
    return html.escape(text).replace("&#x27;", "&#39;")


def join(name="a fan", cookie=None, **more):
    call = Call("POST", "/join", urlencode({"name": name, **more}).encode(), [FORM])
    return call if cookie is None else call.with_header("Cookie", cookie)


def line(cookie=None, language=None):
    call = get("/line")
    if cookie is not None:
        call = call.with_header("Cookie", cookie)
    return call if language is None else call.with_header("Accept-Language", language)


def cookie_of(answer):
    """The cookie that a join sets, as a browser sends it back."""
    assert answer.status == 303, answer
    assert answer.header("Location") == "/line"
    value, *attributes = answer.header("Set-Cookie").split("; ")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(attributes)
    return value


def token_in(cookie):
    return cookie.removeprefix("boxoffice_line=")


def page(answer, status=200):
    assert answer.status == status, answer
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    assert answer.header("Cache-Control") == "no-store"
    text = answer.body.decode()
    # Nothing inline: the content policy would drop it.
    assert not re.search(r"<script|<style| style=| on\w+=", text), text
    return text


def number_of(site, cookie):
    return site.send(get("/queue/status", token_in(cookie))).ok()["number"]


@pytest.fixture
def waiting(db):
    """Nobody is let in."""
    db.set_policy(state="paused")
    yield
    db.set_policy()


def test_a_form_joins_and_the_page_tells_the_place(site, waiting):
    cookie = cookie_of(site.send(join()))
    told = site.send(get("/queue/status", token_in(cookie))).ok()
    text = page(site.send(line(cookie, "en")))
    assert "You are in the line" in text
    assert f"<dd>{told['position']}</dd>" in text
    assert token_in(cookie) not in text


def test_the_page_renews_itself_as_the_line_says(site, waiting):
    cookie = cookie_of(site.send(join()))
    seconds = int(re.search(r'http-equiv="refresh" content="(\d+)"',
                            page(site.send(line(cookie)))).group(1))
    assert 1 <= seconds <= 60


def test_a_renewed_page_keeps_the_place(site, waiting):
    cookie = cookie_of(site.send(join()))
    first = number_of(site, cookie)
    for _ in range(3):
        page(site.send(line(cookie)))
    assert number_of(site, cookie) == first


def test_a_second_join_with_the_cookie_gives_the_same_place(site, db, waiting):
    cookie = cookie_of(site.send(join()))
    users = db.value("SELECT COUNT(*) FROM user")
    again = cookie_of(site.send(join("another name", cookie)))
    assert number_of(site, again) == number_of(site, cookie)
    assert db.value("SELECT COUNT(*) FROM user") == users


def test_a_form_sent_again_under_its_key_gives_the_same_place(site, waiting):
    key = new_key()
    first, again = (cookie_of(site.send(join(key=key))) for _ in range(2))
    assert number_of(site, first) == number_of(site, again)


def test_a_cookie_that_is_not_ours_joins_anew(site):
    for cookie in ("boxoffice_line=forged", "other=1; boxoffice_line=", "boxoffice_line=" + "x" * 600):
        cookie_of(site.send(join(cookie=cookie)))


def test_who_is_admitted_is_told_how_to_go_on(site):
    cookie = cookie_of(site.send(join()))
    wait_until(lambda: "It is your turn" in page(site.send(line(cookie, "en"))), 20, "admission", 0.1)
    token = re.search(r'<code id="token">([^<]+)</code>', page(site.send(line(cookie)))).group(1)
    site.send(dates(token)).ok()


def test_both_languages(site, waiting):
    cookie = cookie_of(site.send(join()))
    korean = page(site.send(line(cookie, "ko-KR,ko;q=0.9,en;q=0.8")))
    assert '<html lang="ko">' in korean and "줄을 서 있습니다" in korean
    assert '<html lang="en">' in page(site.send(line(cookie, "fr, en;q=0.5, ko;q=0.4")))
    assert '<html lang="ko">' in page(site.send(line(None, "ko")), 401)


def test_the_operators_message_is_escaped(site, db, waiting):
    cookie = cookie_of(site.send(join()))
    message = "<script>alert(1)</script> & 'so' \"on\""
    db.set_policy(state="paused", message=message)
    wait_until(lambda: escaped(message) in page(site.send(line(cookie))), 10, "the message", 0.1)


@pytest.mark.parametrize("what", BODIES)
def test_a_bad_form_is_refused_with_a_page(site, what):
    text = page(site.send(Call("POST", "/join", BODIES[what], [FORM])), 400)
    assert 'action="/join"' in text


def test_a_name_comes_back_escaped(site):
    name = '"><script>alert(1)</script>' + "x" * 100
    text = page(site.send(join(name)), 400)
    assert escaped(name) in text


def test_the_longest_name_joins(site):
    cookie_of(site.send(join("😀" * 100)))


def test_a_form_of_another_site_is_refused(site):
    page(site.send(join().with_header("Sec-Fetch-Site", "cross-site")), 400)
    cookie_of(site.send(join().with_header("Sec-Fetch-Site", "same-origin")))


def test_a_form_of_another_type_is_refused(site):
    page(site.send(Call("POST", "/join", b'{"name":"a"}', [("Content-Type", "application/json")])),
         415)


def test_without_a_place_the_page_offers_to_join(site):
    for cookie in (None, "boxoffice_line=forged"):
        assert 'action="/join"' in page(site.send(line(cookie)), 401)


def test_without_workers_the_page_offers_the_same_join_again(site, instance):
    try:
        instance.stop("account-worker")
        text = page(site.send(join("patient")), 503)
        key = re.search(r'name="key" value="([^"]+)"', text).group(1)
        assert 'name="name" value="patient"' in text
    finally:
        instance.start("account-worker")
    first, again = (cookie_of(site.send(join("patient", key=key))) for _ in range(2))
    assert number_of(site, first) == number_of(site, again)
