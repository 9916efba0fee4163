"""Redaction takes time in proportion to the text, hostile or not."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose.redact import Redactor
from diagnose.redact.scanner import redact_text
from diagnose.redact.urls import plain_address
from diagnose.word_sets import vocabulary
from tests.redact.redacting import KEY

HOSTILE = {
    "one letter": "a" * 65536,
    "names": "password" * 8192,
    "assignments": "key=" * 16384,
    "schemes": "://a:" * 13000,
    "colons": "://" + "a:" * 30000 + "@",
    "key beginnings": "-----BEGIN PRIVATE KEY-----\n" * 2300,
    "a key's end": "A" * 65536 + "-----END PRIVATE KEY-----",
    "a key's lines": "AAAAAAAAAAAAAAAAAAAA\n" * 3000 + "-----END PRIVATE KEY-----",
    "spaces": "password" + " " * 65536 + "=x",
    "backslashes": 'password="' + "\\" * 65536,
    "tags": "<a>b</" * 11000,
    "tokens": "eyJ" * 21000,
    "dotted tokens": "eyJaaaaaaaaaa." * 4600,
    "dashes": "sk-" * 21000,
    "quotes": "curl '" * 10900,
    "options": "curl -b " * 8000,
    "one line of settings": 'password="aB3" ' * 4300,
    "encodings": "QWxhZGRpbjpvcGVuIHNlc2FtZQ== " * 2200,
    "lists": '["curl", ' * 7000,
    "lower case that is longer": "İ password=xyzzy1 " * 3600,
    "private-use characters": "\ue0001\ue001" * 16000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_costs_no_more_than_its_length(name: str) -> None:
    begun = time.process_time()
    Redactor(KEY).text(HOSTILE[name])
    assert time.process_time() - begun < 2


def test_an_inspect_costs_about_as_much_as_writing_it_as_json(say: Callable[[str], None]) -> None:
    """The figure is a ratio, since machines differ, and the best of three: `json.dumps` of such an
    answer takes some 25 microseconds on a quiet one, and what runs beside it costs the processor's
    caches."""
    rnd = random.Random(5)
    answers = [_inspect(rnd, n) for n in range(300)]
    rounds = [_timed(answers) for _ in range(3)]
    wrote, took = (min(times) for times in zip(*rounds, strict=True))
    say(f"redaction of an inspect: {took / wrote:.1f} times json.dumps, {took / 300 * 1e6:.0f} us")
    assert took < 8 * wrote


def _timed(answers: list[dict[str, Any]]) -> tuple[float, float]:
    """Seconds of the processor's time to write these answers as JSON, and to redact them by a
    redactor that has seen nothing yet."""
    begun = time.process_time()
    for answer in answers:
        json.dumps(answer)
    written = time.process_time()
    redactor = Redactor(KEY)
    for answer in answers:
        redactor.answer("api.container", {}, answer)
    return written - begun, time.process_time() - written


def _inspect(rnd: random.Random, n: int) -> dict[str, Any]:
    cid = f"{rnd.getrandbits(256):064x}"
    secret = [f"POSTGRES_PASSWORD={rnd.getrandbits(48):012x}"] if n % 3 == 0 else []
    zero = (
        "CpuShares",
        "NanoCpus",
        "BlkioWeight",
        "CpuPeriod",
        "CpuQuota",
        "MemorySwap",
        "OomScoreAdj",
        "CpuCount",
    )
    none = (
        "CapAdd",
        "CapDrop",
        "GroupAdd",
        "Links",
        "SecurityOpt",
        "DeviceRequests",
        "Ulimits",
        "PidsLimit",
        "Devices",
    )
    return {
        "Id": cid,
        "Created": "2026-11-23T10:00:00.123456789Z",
        "Path": "docker-entrypoint.sh",
        "Args": ["postgres", "-c", "max_connections=200"],
        "State": {
            "Status": "running",
            "Running": True,
            "Pid": n,
            "Error": "",
            "StartedAt": "2026-11-23T10:00:01Z",
        },
        "Image": "sha256:" + cid,
        "Name": f"/shop-db-{n}",
        "LogPath": f"/var/lib/docker/containers/{cid}/{cid}-json.log",
        "HostConfig": {
            "Binds": [f"/srv/data{n}:/var/lib/postgresql/data:rw"],
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}},
            **dict.fromkeys(zero, 0),
            **dict.fromkeys(none),
        },
        "Config": {
            "Hostname": cid[:12],
            "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "TZ=UTC", *secret],
            "Cmd": ["postgres", "-c", "max_connections=200"],
            "Healthcheck": {"Test": ["CMD-SHELL", "pg_isready -U postgres"]},
            "Labels": {"com.docker.compose.config-hash": cid, "com.docker.compose.service": "db"},
        },
        "NetworkSettings": {
            "Networks": {
                "shop": {"NetworkID": cid, "IPAddress": "172.18.0.5", "Aliases": ["db", cid[:12]]}
            }
        },
    }


ADDRESS_WORDS = st.sampled_from(
    sorted(
        vocabulary(
            "postgres mysql redis amqp https mongodb+srv app svc admin db login user auth token pass key account basic hook sk- AKIA "
            "ghp_ oracle cookie s3"
        )
    )
) | st.text("abcxyz012", min_size=1, max_size=6)
PASSWORDS = st.sampled_from(
    ["${DB_PASS}", "changeme", "pw0001made-up", "{{x}}", "$DB", "\ue0000\ue001"]
) | st.text("abcXYZ019!$%&*+-=.,;|~^(){}[]`_", min_size=1, max_size=40)


@settings(max_examples=1000, deadline=None)
@given(
    st.tuples(ADDRESS_WORDS, ADDRESS_WORDS, PASSWORDS, ADDRESS_WORDS),
    st.sampled_from(["", ":5432", ":80"]),
    st.sampled_from(["", "/", "/shop", "/a-b.c", "/token"]),
)
@pytest.mark.fuzz
def test_the_short_way_for_plain_addresses_leads_where_all_rules_lead(parts, port, path):
    scheme, user, password, host = parts
    text = f"{scheme}://{user}:{password}@{host}{port}{path}"
    short: list[tuple[str, str, str]] = []
    full: list[tuple[str, str, str]] = []

    def mark_in(seen):
        return lambda *said: (seen.append(said), f"<redacted:{said[0]}:{len(said[1]):06x}>")[1]

    address = plain_address(text, mark_in(short))
    if address is None:
        assert not short
    else:
        assert (address, short) == (redact_text(text, mark_in(full)), full)


def test_the_short_way_is_taken():
    assert (
        plain_address("postgres://shop:hunter2x@db:5432/shop", lambda *_: "T")
        == "postgres://shop:T@db:5432/shop"
    )
