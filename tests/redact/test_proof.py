"""The proof pass finds what redaction left, in any encoding, and stays silent otherwise."""

from __future__ import annotations

import base64
import html
import json
import random
import string
import time
import urllib.parse

import pytest

from diagnose.redact import Redactor
from diagnose.ticket.proof import leaks

SECRET = 'Zq7/w+Ex&ample<9 ü"x'
WORDY = "PIN=123"

FORMS = {
    "plain": SECRET.encode(),
    "in a word": f"xx{SECRET}yy".encode(),
    "base64, first alignment": base64.b64encode(SECRET.encode()),
    "base64, after one byte": base64.b64encode(b"u" + SECRET.encode() + b"tail"),
    "base64, after two bytes": base64.b64encode(b"u:" + SECRET.encode()),
    "base64 for URLs": base64.urlsafe_b64encode(b"user:" + SECRET.encode()),
    "URL-escaped": urllib.parse.quote(SECRET, safe="").encode(),
    "URL-escaped, lower-case": urllib.parse.quote(SECRET, safe="")
    .replace("%C3%BC", "%c3%bc")
    .lower()
    .encode(),
    "URL-escaped, form": urllib.parse.quote_plus(SECRET).encode(),
    "HTML": html.escape(SECRET).replace("&quot;", "&#34;").encode(),
    "JSON": json.dumps({"a": SECRET}).encode(),
    "two bytes a character": "\0".join(SECRET).encode(),
    "two bytes a character in JSON": json.dumps(
        {"a": "\0".join(SECRET)}, ensure_ascii=False
    ).encode(),
    "JSON, not ASCII": json.dumps({"a": SECRET}, ensure_ascii=False).encode(),
    "JSON in JSON": json.dumps({"a": json.dumps({"b": SECRET})}).encode(),
    "JSON as Go writes it": json.dumps(SECRET)
    .replace("&", "\\u0026")
    .replace("<", "\\u003c")
    .encode(),
}


@pytest.mark.parametrize("name", [name for name in FORMS if "lower-case" not in name])
@pytest.mark.parametrize("before", range(9))
def test_a_leaked_secret_is_found_in_every_form(name: str, before: int) -> None:
    data = b"." * before + FORMS[name] + b" rest of the file"
    found = leaks([("clean", b"nothing here"), ("answers.json", data)], [("password", SECRET)])
    assert {(leak.file, leak.kind) for leak in found} == {("answers.json", "password")}
    assert all(before <= leak.offset < len(data) for leak in found)


@pytest.mark.parametrize("before", range(8))
def test_finds_any_length_at_any_place(before: int) -> None:
    for length in range(4, 40):
        secret = "".join(random.Random(length).choices(string.ascii_letters, k=length))
        for behind in (b"", b"." * 9):
            data = b"." * before + secret.encode() + behind
            offsets = [leak.offset for leak in leaks([("f", data)], [("token", secret)])]
            assert offsets == [before], (length, behind)


def test_says_nothing_of_clean_bytes() -> None:
    data = json.dumps({"password": "<redacted:password:3fa9c1>", "image": "postgres:16"}).encode()
    assert (
        leaks([("f", data)], [("password", SECRET), ("password", "POSTGRES_PASSWORD=postgres")])
        == []
    )


def test_a_line_of_a_private_key_is_found_by_itself() -> None:
    body = ["".join(random.Random(n).choices(string.ascii_letters, k=64)) for n in range(4)]
    key = "\n".join(["-----BEGIN PRIVATE KEY-----", *body, "-----END PRIVATE KEY-----"])
    found = leaks([("log", b"log 1 " + body[2].encode() + b"\n")], [("private-key", key)])
    assert [(leak.form, leak.offset) for leak in found] == [("line", 6)]
    assert leaks([("log", b"-----BEGIN PRIVATE KEY-----")], [("private-key", key)]) == []


def test_values_of_three_bytes_are_searched_with_their_name_only() -> None:
    data = b"PIN=123, and 1234 other places"
    assert leaks([("f", data)], [("pin", "123")]) == []
    assert [leak.offset for leak in leaks([("f", data)], [("pin", WORDY)])] == [0]


def test_never_shows_the_value() -> None:
    assert SECRET not in repr(leaks([("f", FORMS["plain"])], [("password", SECRET)]))


def test_four_megabytes_against_five_hundred_secrets() -> None:
    rnd = random.Random(7)
    line = "".join(rnd.choices(string.ascii_letters + string.digits + ' ":,{}/=', k=97))
    data = b"".join(f"{n} {rnd.random()} {line}\n".encode() for n in range(34_000))
    secrets = [
        (
            "password",
            "".join(rnd.choices(string.ascii_letters + string.digits, k=rnd.randint(6, 60))),
        )
        for _ in range(500)
    ]
    planted = data[:2_000_001] + secrets[250][1].encode() + data[2_000_001:]
    begun = time.process_time()
    found = leaks([("big", planted)], secrets)
    took = time.process_time() - begun
    print(f"proof: {len(planted) / 1e6:.1f} MB x {len(secrets)} secrets in {took:.2f} s of CPU")
    assert [leak.offset for leak in found] == [2_000_001]
    assert took < 2


CUT = {
    "password: nul": "password: null",
    "password: passw": "password: password: ",
    "PASSWORD=fals": "PASSWORD=false",
    "secret: defaul": "secret: default",
}


@pytest.mark.parametrize(("cut", "whole"), CUT.items(), ids=CUT)
def test_a_line_that_is_cut_off_says_nothing_of_a_whole_one(cut: str, whole: str) -> None:
    """Otherwise two lines of one container would keep any bundle from being written."""
    redactor = Redactor()
    data = "\n".join(map(redactor.text, (cut, whole))).encode()
    given = (list(redactor.secrets), list(redactor.phrases))
    assert leaks([("log", data)], *given) == []
    for left in (f"{cut}", f"{cut}, {whole}", f"{whole} {cut}.", json.dumps(f"{cut}\n")):
        assert leaks([("log", left.encode())], *given), left
