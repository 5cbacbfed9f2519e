"""Queue tokens read by another program than ours: PROTOCOL.md says enough."""

import base64
import hashlib
import hmac
import json
import uuid

import pytest

from instance import ROOT

NOW = 1700000000
LINES = (ROOT / "tests" / "vectors" / "tokens").read_text().splitlines()
KEYS = {"a": bytes(range(32)), "b": bytes.fromhex("ffeeddccbbaa99887766554433221100" * 2)}
VECTORS = [line.split(" ") for line in LINES if not line.startswith("#")]


def unpack(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def verdict(token, keys, now):
    """As a front judges a token: RFC 7519 with HS256, and the claims of PROTOCOL.md."""
    try:
        head, body, signature = token.split(".")
        header, claims = json.loads(unpack(head)), json.loads(unpack(body))
        key = keys[header["kid"]]
        made = hmac.new(key, f"{head}.{body}".encode(), hashlib.sha256).digest()
        if header["alg"] != "HS256" or not hmac.compare_digest(made, unpack(signature)):
            return "token-invalid"
        uuid.UUID(claims["sub"])
        if claims["aud"] != "queue" or not 1 <= claims["tkt"] <= 9007199254740991:
            return "token-invalid"
    except (ValueError, KeyError):
        return "token-invalid"
    return "ok" if claims["exp"] > now else "token-expired"


@pytest.mark.parametrize("result, token", VECTORS)
def test_a_frozen_token(result, token):
    assert verdict(token, KEYS, NOW) == result


def test_a_token_of_today(site, instance):
    setting = instance.settings("front-0")["token_keys"]
    keys = {kid: bytes.fromhex(key) for kid, key in
            (entry.split(":") for entry in setting.split(","))}
    fan = site.fan()
    assert verdict(fan.token, keys, 0) == "ok"
    assert json.loads(unpack(fan.token.split(".")[1]))["sub"] == fan.user
