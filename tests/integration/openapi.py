"""web/openapi.yaml: what it says of each call, and whether an answer is what it says."""

import json
import re
from dataclasses import dataclass

import jsonschema
import yaml

from instance import ROOT

TEXT = (ROOT / "web" / "openapi.yaml").read_text()
DOCUMENT = yaml.safe_load(TEXT)
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
# Of any answer of any site, or (test_headers.py) of any answer of ours.
GENERAL_HEADERS = {
    "server", "date", "content-type", "content-length", "transfer-encoding", "connection", "cache-control",
    "content-security-policy", "x-content-type-options", "referrer-policy", "permissions-policy",
    "cross-origin-opener-policy", "cross-origin-resource-policy", "x-accel-buffering",
}


class _Loader(yaml.SafeLoader):
    """Keys that are given twice are a mistake, not the last one's."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"twice in one mapping: {keys}, line {node.start_mark.line + 1}"
        return super().construct_mapping(node, deep)


def load_strictly():
    return yaml.load(TEXT, _Loader)


def resolve(value):
    """What a reference leads to; anything else is itself."""
    while isinstance(value, dict) and set(value) == {"$ref"}:
        value = lookup(value["$ref"])
    return value


def lookup(reference):
    assert reference.startswith("#/"), reference
    found = DOCUMENT
    for name in reference[2:].split("/"):
        found = found[name]
    return found


def walk(value):
    """Every mapping in it, however deep."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from walk(each)


def schema_faults(schema, value):
    validator = jsonschema.Draft202012Validator(
        schema, resolver=jsonschema.RefResolver("", DOCUMENT), format_checker=jsonschema.FormatChecker())
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in validator.iter_errors(value)]


def codes_of(media):
    """The codes of a failure's schema; [None] for what is none."""
    schema = resolve(media["schema"])
    found = schema.get("properties", {}).get("code", {}).get("enum")
    return found if found and schema.get("$ref", "").endswith("/Failure") else [None]


@dataclass
class Operation:
    name: str  # "POST /user", as in routes.def
    method: str
    path: str
    item: dict

    def responses(self, status):
        """All that may describe an answer with this status."""
        found = [self.item["responses"][str(status)]] if str(status) in self.item["responses"] else []
        rest = resolve(self.item["responses"]["default"])
        if status in rest["x-refusals"]:
            found.append(rest)
        return [resolve(each) for each in found]

    def told(self):
        """(status, code) of every answer; code None where there is none: success, pages, streams."""
        made = set()
        for status, response in self.item["responses"].items():
            response = resolve(response)
            if status == "default":
                made |= set(response["x-refusals"].items())
                continue
            for media in response.get("content", {"": {"schema": {}}}).values():
                made |= {(int(status), code) for code in codes_of(media)}
        return made

    def faults(self, answer):
        """What is otherwise than the document has it."""
        responses = self.responses(answer.status)
        if not responses:
            return [f"{answer.status} is not written"]
        tries = [response_faults(response, answer) for response in responses]
        return min(tries, key=len)

    def body(self):
        """(media type, schema) of what is sent; None when nothing is."""
        if "requestBody" not in self.item:
            return None
        (kind, media), = self.item["requestBody"]["content"].items()
        return kind, resolve(media["schema"])

    def parameters(self, where):
        return [each for each in map(resolve, self.item.get("parameters", [])) if each["in"] == where]


def response_faults(response, answer):
    written = {name.lower(): resolve(header) for name, header in response.get("headers", {}).items()}
    sent = {name.lower() for name, _ in answer.headers}
    faults = [f"no header {name}" for name, header in written.items() if header.get("required") and name not in sent]
    faults += [f"header {name} is not written" for name in sent - GENERAL_HEADERS - set(written)]
    for name in sent & set(written):
        faults += [f"header {name}: {fault}" for fault in schema_faults(written[name]["schema"], answer.header(name))]
    if "content" not in response:
        return faults + (["a body"] if answer.body else [])
    kind = (answer.header("Content-Type") or "").split(";")[0]
    if kind not in response["content"]:
        return [*faults, f"a body of the type {kind}", "which is not written"]
    media = response["content"][kind]
    if "x-event-schema" in media:
        return faults + stream_faults(media["x-event-schema"], answer.body.decode())
    value = answer.json if kind == "application/json" else answer.body.decode()
    return faults + schema_faults(media["schema"], value)


def stream_faults(schema, text):
    events = re.findall(r"^data: (.*)$", text, re.MULTILINE)
    return [fault for event in events for fault in schema_faults(schema, json.loads(event))] if events else ["no event"]


def operations():
    made = []
    for path, methods in DOCUMENT["paths"].items():
        for method, item in methods.items():
            assert method in METHODS
            route = re.sub(r"\{\w+\}$", "", path)
            made.append(Operation(f"{method.upper()} {route}", method.upper(), path, item))
    return {each.name: each for each in made}
