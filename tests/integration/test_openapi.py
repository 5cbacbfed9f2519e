"""web/openapi.yaml against the running service, both ways: each answer that is written there is provoked
and is as it is written, and nothing else is answered."""

import json
import re
import socket
from urllib.parse import parse_qsl, quote, urlsplit

import jsonschema
import pytest

import openapi
from api import Answer, Call, charge, get, new_key
from instance import ROOT
from provocations import LIMITED, ROUTES, ROWS, STREAMS, TOO_MANY, World
from test_bearer import COMMON, SECRET, fronts_with, key_file
from test_draw import ctl, plan  # noqa: F401 (a fixture)
from wait import wait_until

OPERATIONS = openapi.operations()
FIRST_PLUMBING = "DB_GONE"  # of lib/err.def
STREAM_WITHIN_S = 10


@pytest.fixture(scope="module")
def world(instance, site, db):
    setting = instance.settings("front-0")["token_keys"]
    return World(site, db, {kid: bytes.fromhex(key) for kid, key in
                            (entry.split(":") for entry in setting.split(","))})


# What a row needs besides ---------------------------------------------------------------------

@pytest.fixture
def waiting(world, db):
    with db.policy(state="paused"):
        world.waiting = world.site.fan(admitted=False)
        yield


@pytest.fixture
def closed(db):
    with db.policy(state="closed"):
        yield


@pytest.fixture
def draw_planned(ctl, world):  # noqa: F811
    plan(ctl, world.site)
    world.drawn = world.site.fan(admitted=False)


@pytest.fixture
def signing_in(instance, world):
    assert world.fan
    yield from fronts_with(instance, world.site, **COMMON,
                           BOXOFFICE_BEARER_SECRET_FILE=key_file(instance, "secret", SECRET.encode()))


def away(instance, world, *kinds):
    world.late = world.site.fans(len(ROUTES))
    assert world.fan
    try:
        instance.stop(*kinds)
        yield
    finally:
        instance.start(*kinds)


@pytest.fixture
def no_worker(instance, world):
    yield from away(instance, world, "seat-worker", "gate-worker", "account-worker")


@pytest.fixture
def no_front(instance, world):
    yield from away(instance, world, "front")
    world.site.await_ready()


@pytest.fixture
def no_database(instance, world, site):
    assert world.left
    for _ in away(instance, world, "mariadb"):
        wait_until(lambda: all(site.send(get("/readyz")).status == 503 for _ in range(10)), 20, "both fronts to know")
        yield
    site.await_ready()


@pytest.fixture
def slow_job(instance, world):
    for _ in away(instance, world, "account-worker"):
        world.slow_job = world.site.send(charge(world.fan.user, 1)).header("Location")
    world.site.settle(Answer(202, [("Location", world.slow_job)], b"", 0))


# Sending --------------------------------------------------------------------------------------

def listen(site, call):
    """The answer to one who listens, up to its first event."""
    with socket.create_connection((site.host, site.port), STREAM_WITHIN_S) as connection:
        connection.sendall(call.encode(site.host))
        stream = connection.makefile("rb")
        head = [line.decode("latin-1").strip() for line in iter(stream.readline, b"\r\n")]
        body = b""
        while not re.search(rb"^data: .*\n", body, re.MULTILINE):
            line = stream.readline()
            assert line, "the stream has ended"
            body += line
    headers = [tuple(part.strip() for part in line.split(":", 1)) for line in head[1:]]
    return Answer(int(head[0].split(" ")[1]), headers, body, 0)


def code_of(answer):
    is_failure = answer.status >= 400 and answer.header("Content-Type").startswith("application/json")
    return answer.code if is_failure else None


def check(row, answers):
    """Each answer is what the row says, and as the document has it."""
    wrong = []
    for name, answer in answers.items():
        found = (answer.status, code_of(answer))
        if found != (row.status, row.code):
            wrong.append(f"{name}: {found} instead of {(row.status, row.code)}: {answer.body[:200]}")
        wrong += [f"{name}: {fault}" for fault in OPERATIONS[name].faults(answer)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.status} {row.code}: {row.why} ({len(row.names)} calls)")
def test_an_answer_is_as_it_is_written(request, world, row):
    if row.stage:
        request.getfixturevalue(row.stage)
    calls = {name: row.make(world, name) for name in row.names}
    if row.status == 200 and set(row.names) <= set(STREAMS):
        check(row, {name: listen(world.site, call) for name, call in calls.items()})
        return
    answers = world.site.swarm(calls.values(), len(calls))
    if row.status not in (202, 503):
        answers = world.site.settle_all(answers)
    check(row, dict(zip(calls, answers)))


def test_who_never_sends_the_rest_of_a_body_is_cut_off(world):
    """Written as such: no status stands for it."""
    call = world.call("POST /user")
    head = Call(call.method, call.path, None, [*call.headers, ("Content-Length", "5")])
    assert world.site.raw(head.encode(world.site.host) + b"{") is None


@pytest.mark.parametrize("name", LIMITED)
def test_too_many_requests_are_answered_as_it_is_written(world, name):
    call = world.call(name)
    refused = Call(call.method, call.path, b"x", call.headers)
    answers = world.site.swarm([refused] * 1500, 50, world.site.next_address())
    limited = [answer for answer in answers if answer.status == 429]
    assert limited
    check(TOO_MANY, {name: limited[0]})


def test_everything_that_is_written_is_provoked():
    provoked = {(name, row.status, row.code) for row in [*ROWS, TOO_MANY] for name in row.names}
    written = {(name, *told) for name, operation in OPERATIONS.items() for told in operation.told()}
    assert provoked == written


@pytest.mark.parametrize("path, kind", [("/openapi.yaml", "application/yaml"), ("/docs", "text/html"), ("/docs/", "text/html"),
                                        ("/docs/docs.js", "text/javascript")])
def test_the_document_and_its_page_are_served(site, path, kind):
    answer = site.send(get(path))
    assert answer.status == 200 and answer.header("Content-Type").startswith(kind)
    assert path != "/openapi.yaml" or answer.body.decode() == openapi.TEXT
    refused = site.send(Call("POST", path, b"", []))
    refused.refused(405, "method-not-allowed")
    assert refused.header("Allow") == "GET, HEAD"


# The document by itself -----------------------------------------------------------------------

def test_every_route_is_written_and_nothing_else():
    assert list(OPERATIONS) == list(ROUTES)


def test_the_parameters_are_those_of_the_routes():
    for name, (_, param, _) in ROUTES.items():
        written = [each["name"] for each in OPERATIONS[name].parameters("query")]
        assert written == ([] if param == "NULL" else [param.strip('"')]), name


def test_every_code_is_written_and_no_other():
    symbols = re.findall(r'^ERR\((\w+), "([^"]+)"', (ROOT / "lib/err.def").read_text(), re.MULTILINE)
    plumbing = [symbol for symbol, _ in symbols].index(FIRST_PLUMBING)
    codes = {code for _, code in symbols[1:plumbing]}
    protocol = (ROOT / "PROTOCOL.md").read_text()
    first, last = re.search(r"codes from `([^`]+)` to `([^`]+)`", protocol).groups()
    names = [code for _, code in symbols]
    on_queues = set(names[names.index(first):names.index(last) + 1])
    first, last = re.search(r"and those from `([^`]+)` to\s+`([^`]+)`", protocol).groups()
    on_queues |= set(names[names.index(first):names.index(last) + 1])
    written = {code for operation in OPERATIONS.values() for _, code in operation.told()} - {None}
    # What is at no path is no call's.
    assert written == codes - on_queues - {"not-found"}


def test_the_document_is_whole():
    document = openapi.load_strictly()
    assert document["openapi"] == "3.1.0"
    ids = [operation.item["operationId"] for operation in OPERATIONS.values()]
    assert len(ids) == len(set(ids))
    used = {each["$ref"] for each in openapi.walk(document) if "$ref" in each}
    for reference in used:
        openapi.lookup(reference)
    kept = {f"#/components/{kind}/{name}" for kind, each in document["components"].items()
            for name in each if kind != "securitySchemes"}
    assert kept == used
    schemes = {name for operation in OPERATIONS.values() for way in operation.item["security"] for name in way}
    assert schemes == set(document["components"]["securitySchemes"])
    tags = {tag for operation in OPERATIONS.values() for tag in operation.item["tags"]}
    assert tags == {tag["name"] for tag in document["tags"]}


def test_every_schema_is_one_and_closed():
    for schema in openapi.walk(openapi.DOCUMENT):
        if "schema" in schema:
            jsonschema.Draft202012Validator.check_schema(schema["schema"])
    open_ones = {"Failure", "PlaceMembers", "JoinForm"}  # others close them, or it does not matter
    for name, schema in openapi.DOCUMENT["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        if "properties" in schema and name not in open_ones:
            assert "additionalProperties" in schema or "unevaluatedProperties" in schema, name
            if not any(operation.body() and operation.body()[1] is schema for operation in OPERATIONS.values()):
                assert "$ref" in schema or set(schema["required"]) == set(schema["properties"]), name


def examples(media):
    if "example" in media:
        yield media["example"]
    for example in media.get("examples", {}).values():
        yield example["value"]


def medias():
    """(where, media type, media) of every body, sent or answered."""
    for name, operation in OPERATIONS.items():
        bodies = [("request", operation.item.get("requestBody", {}))]
        bodies += [(status, openapi.resolve(each)) for status, each in operation.item["responses"].items()]
        for where, body in bodies:
            for kind, media in body.get("content", {}).items():
                yield f"{name} {where}", kind, media


def test_every_example_is_as_its_schema_says():
    for where, kind, media in medias():
        if kind == "text/html":
            continue
        found = list(examples(media))
        assert found, where
        for example in found:
            if "x-event-schema" in media:
                assert openapi.stream_faults(media["x-event-schema"], example) == [], where
            else:
                assert openapi.schema_faults(media["schema"], example) == [], where


def test_every_code_has_an_example():
    for where, _, media in medias():
        codes = openapi.codes_of(media)
        if codes != [None]:
            assert sorted(example["code"] for example in examples(media)) == sorted(codes), where


# Limits ---------------------------------------------------------------------------------------

def beyond(schema):
    """Values that the schema refuses, of the right type and of others."""
    schema = openapi.resolve(schema)
    yield from (each for each in (None, [], {}, 1.5, True, "x", "") if openapi.schema_faults(schema, each))
    if "maximum" in schema:
        yield from (schema["minimum"] - 1, schema["maximum"] + 1)
    if "maxLength" in schema:
        yield from ("a" * (schema["minLength"] - 1), "a" * (schema["maxLength"] + 1))


def within(schema):
    """The least and the greatest value that the schema takes."""
    schema = openapi.resolve(schema)
    if "maximum" in schema:
        return [schema["minimum"], schema["maximum"]]
    if "format" in schema:
        return [new_key()]
    if "maxLength" in schema:
        return ["a" * schema["minLength"], "a" * schema["maxLength"]]
    return [True, False]


def members():
    for name, operation in OPERATIONS.items():
        kind, schema = operation.body() or (None, None)
        if kind == "application/json":
            yield from ((name, member) for member in schema["properties"])


@pytest.mark.parametrize("name, member", members())
def test_a_members_limits_are_those_that_are_written(world, name, member):
    schema = OPERATIONS[name].body()[1]
    call = world.call(name)
    good = json.loads(call.body)

    def with_value(value):
        return Call(call.method, call.path, json.dumps({**good, member: value}).encode(), call.headers)

    for value in beyond(schema["properties"][member]):
        world.site.send(with_value(value)).refused(400, "bad-field")
    if member in schema["required"]:
        rest = {key: value for key, value in good.items() if key != member}
        world.site.send(Call(call.method, call.path, json.dumps(rest).encode(), call.headers)).refused(400, "bad-field")
    for value in within(schema["properties"][member]):
        assert world.site.do(with_value(value)).status != 400, value


@pytest.mark.parametrize("name", [name for name, each in OPERATIONS.items() if each.parameters("query")])
def test_a_parameters_limits_are_those_that_are_written(world, name):
    (parameter,) = OPERATIONS[name].parameters("query")
    call = world.call(name)
    others = dict(parse_qsl(urlsplit(call.path).query))
    others.pop(parameter["name"], None)

    def with_value(value):
        query = "&".join(f"{key}={quote(str(each))}" for key, each in {**others, parameter["name"]: value}.items())
        return Call(call.method, f"{urlsplit(call.path).path}?{query}", None, call.headers)

    for value in beyond(parameter["schema"]):
        if isinstance(value, (str, int)) and not isinstance(value, bool):
            world.site.send(with_value(value)).refused(400, "bad-field")
    # The least schedule may be one, and its stream has no end.
    for value in within(parameter["schema"])[-1 if name in STREAMS else 0:]:
        headers = [each for each in call.headers if each[0] != "user-id"]
        sent = with_value(value) if parameter["name"] != "userId" else Call("GET", with_value(value).path, None, headers)
        assert world.site.send(sent).status in (200, 404), value
    without = world.site.send(Call(call.method, urlsplit(call.path).path, None, call.headers))
    assert (without.status == 400) == parameter["required"]


@pytest.mark.parametrize("name", [name for name, each in OPERATIONS.items()
                                  if any(header["name"] == "Idempotency-Key" for header in each.parameters("header"))])
def test_a_keys_limits_are_those_that_are_written(world, name):
    (schema,) = [each["schema"] for each in OPERATIONS[name].parameters("header") if each["name"] == "Idempotency-Key"]
    for value in beyond(schema):
        if isinstance(value, str) and value:
            assert world.site.send(world.call(name).with_header("Idempotency-Key", value)).status == 400, value
    # No sending of a value that fits may meet another test's: each is of this call and user alone.
    fan = world.site.fan()
    for value in within(schema):
        assert world.site.do(world.call(name, fan.token, fan.user).with_header("Idempotency-Key", value)).status != 400


def test_every_write_takes_a_key():
    taking = {name for name, each in OPERATIONS.items()
              if any(header["name"] == "Idempotency-Key" for header in each.parameters("header"))}
    assert taking == {name for name, (_, _, kind) in ROUTES.items() if kind != "JOB_KIND_COUNT"}
