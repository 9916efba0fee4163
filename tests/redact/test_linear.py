"""The law of linear time: no text that a container controls makes a rule read more than in
proportion to its length.

Python's `re` holds the interpreter while it searches, so nothing could end a rule that takes
minutes. Every rule is therefore run on the worst texts that the grammar of its own patterns gives,
at 16, 32 and 64 KiB.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable
from typing import Any

import pytest

from diagnose.lazy_pattern import LazyPattern
from diagnose.redact import Redactor, looks, scanner, tokens
from diagnose.redact.keys import in_private_keys
from diagnose.redact.rules import RULES
from diagnose.redact.scanner import redact_text
from diagnose.redact.vendors import SHAPES, VENDORS
from tests.redact.worst import Worst, patterns_of, spent, worst_texts

# worst texts for every pattern: a minute of CPU; on a busy machine one test takes minutes
pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(600)]

KIB = 1024
LENGTHS = (16 * KIB, 32 * KIB, 64 * KIB)
FAST = 0.005
"""Seconds for 16 KiB that need no second look: even quadratic time would be 0.08 s for 64 KiB."""
MOST = 0.6
"""Seconds for 64 KiB that no text may take."""
TWICE = 2.5
"""Twice the length may take so much more time: 2, and what a busy machine adds. Quadratic time
takes 4."""


def breaches(run: Callable[[str], object], worst: Worst) -> str | None:
    """How a text breaks the law, or None. A suspect is measured again, with more care."""
    if spent(run, worst.text(LENGTHS[0])) < FAST:
        return None
    gc.collect()
    for times in (3, 7):
        took = [spent(run, worst.text(length), times) for length in LENGTHS]
        grows = took[1] > TWICE * took[0] + 0.004 and took[2] > TWICE * took[1] + 0.004
        if took[2] < MOST and not grows:
            return None
    return f"{[round(seconds, 3) for seconds in took]} s on {worst!r}"


def mark(kind: str, raw: str, phrase: str) -> str:
    return "\ue0000\ue001"


def scan(text: str, mark: Callable[..., str]) -> str:
    return text


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_takes_linear_time_on_the_worst_texts_of_its_own_patterns(rule) -> None:
    patterns = patterns_of(rule.function)
    assert patterns

    def run(text: str) -> None:
        rule.function(text, text.lower(), mark, scan)

    found = {
        name: breach
        for name, pattern in patterns.items()
        for worst in worst_texts(pattern, tries=1)
        if (breach := breaches(run, worst))
    }
    assert not found


@pytest.mark.parametrize(
    "vendor", VENDORS, ids=lambda vendor: f"{vendor.kind} {vendor.prefixes[0]}"
)
def test_a_vendors_token_takes_linear_time(vendor) -> None:
    prefix = vendor.prefixes[0]
    pattern = re.compile(re.escape(prefix) + vendor.rest)
    found = [
        breach
        for worst in worst_texts(pattern, tries=1)
        if (breach := breaches(lambda text: tokens.without(text, prefix, vendor, mark), worst))
    ]
    assert not found


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape.kind} {shape.sign}")
def test_a_token_without_a_beginning_takes_linear_time(shape) -> None:
    pattern = shape.pattern.compiled
    found = [
        breach
        for worst in worst_texts(pattern, tries=1)
        if (breach := breaches(lambda text: pattern.sub("", text), worst))
    ]
    assert not found


def test_what_is_done_before_and_after_the_rules_takes_linear_time() -> None:
    around: dict[Callable[..., Any], Callable[[str], object]] = {
        scanner._Work.redacted: lambda text: Redactor(b"k" * 32).text(f"{text} ["),
        in_private_keys: lambda text: in_private_keys(text, "", mark),
    }
    found = [
        breach
        for function, run in around.items()
        for pattern in patterns_of(function).values()
        for worst in worst_texts(pattern, tries=1)
        if (breach := breaches(run, worst))
    ]
    assert all(patterns_of(function) for function in around)
    assert not found


def test_the_looks_of_a_value_take_linear_time() -> None:
    """A value is matched from its beginning only, under a name and by itself."""
    patterns = {
        **patterns_of(looks.exempt),
        **patterns_of(looks.is_mixed),
        **patterns_of(looks.unexplained),
    }
    assert len(patterns) > 10

    def judge(value: str) -> None:
        for kind in ("password", "token", "auth", "key", "random"):
            looks.exempt(kind, "x", value)
        looks.is_mixed(value)
        looks.unexplained(value)
        looks.is_url(value)

    found = [
        breach
        for pattern in patterns.values()
        for worst in worst_texts(pattern, tries=2)
        if (breach := breaches(judge, worst))
    ]
    assert not found


TRIGGERS = {
    "a cookie of one word": Worst("Cookie: ", "a", ""),
    "a host without an end": Worst(":x@", "-", ""),
    "blanks after a header": Worst("Proxy-Authorization: ", " ", ""),
    "blanks after a name": Worst("password: ", "\t", ""),
    "a digest that is none": Worst("x@sha256:", "a-", ""),
    "urls in urls": Worst("", "token=http://", ""),
    "names and nothing else": Worst("", "key=", ""),
    "settings in one line": Worst("", 'password="aB3" ', ""),
    "closing brackets": Worst("TOKEN=", ")", ""),
    "blocks in blocks": Worst("", "password: |\n   x\n", ""),
    "base64": Worst("", "QWxhZGRpbjpvcGVuIHNlc2FtZQ== ", ""),
    "colours": Worst("", "\x1b[32m", "password=x"),
    "quotes": Worst("curl ", "'\"", ""),
    "continued lines": Worst("curl ", "\\\n", "-u a:b"),
    "keys that begin": Worst("", "-----BEGIN PRIVATE KEY-----\n", ""),
    "keys that end": Worst("", "-----END PRIVATE KEY-----\n", ""),
    "wide letters": Worst("", "p\0a\0", ""),
    "letters that grow in lower case": Worst("", "İ password=xyzzy1 ", ""),
    "tokens": Worst("", "eyJ-", ""),
    "wrappers": Worst("password: ", "Some(", ""),
    "tools": Worst("", "curl -u wget ", ""),
    "backslashes": Worst('password="', "\\", ""),
    "backslashes and no escape": Worst("", "\\", " ["),
    "tags": Worst("", "<a>b</", ""),
}


@pytest.mark.parametrize("name", TRIGGERS)
def test_a_known_trigger_takes_linear_time(name: str) -> None:
    assert breaches(lambda text: Redactor(b"k" * 32).text(text), TRIGGERS[name]) is None


def test_a_long_text_is_scanned_in_pieces_and_keeps_its_length() -> None:
    lines = "".join(f"line {number} password=s3cret{number}x\n" for number in range(9000))
    new = Redactor(b"k" * 32).text(lines)
    assert "s3cret" not in new
    assert len(new.splitlines()) == 9000


def test_a_private_key_is_one_secret_where_a_long_text_is_cut() -> None:
    """The text is cut behind the last line end before 64 KiB, which is one of the key's own."""
    lines = ("QUJD" * 16 + "\n") * 60
    key = f"-----BEGIN PRIVATE KEY-----\n{lines}-----END PRIVATE KEY-----\n"
    new = Redactor(b"k" * 32).text("x\n" * (31 * KIB) + key)
    assert "QUJD" not in new
    assert new.count("<redacted:private-key:") == 1


def test_texts_in_texts_are_followed_three_deep_and_then_replaced_whole() -> None:
    for text in (
        "token=http://" * 400,
        "token=http://" * 5000,
        "password=https://a:b@c?token=" * 300,
    ):
        new = Redactor(b"k" * 32).text(text)
        assert len(new) < 400
        assert "<redacted:" in new


@pytest.mark.parametrize("depth", [99, 150, 400, 900])
def test_a_value_that_is_nested_too_deep_costs_itself_alone(depth: int) -> None:
    deep: Any = "password=s3cretWort"
    for level in range(depth):
        deep = [deep] if level % 2 else {"a": deep}
    redactor = Redactor(b"k" * 32)
    answer = redactor.answer(
        "api.containers", {}, [{"Id": "1", "Labels": {"x": "password=s3cretWort"}, "Deep": deep}]
    )
    assert answer[0]["Id"] == "1"
    assert answer[0]["Labels"]["x"].startswith("password=<redacted:password:")
    assert "s3cretWort" not in repr(answer)
    text = '{"a":' * depth + '"s3cretWort"' + "}" * depth
    new = redactor.answer("file.read", {"path": "/etc/docker/daemon.json"}, {"text": text})["text"]
    assert "s3cretWort" not in new


def test_many_secrets_in_one_text_cost_no_more_than_its_length() -> None:
    """What a container prints it can print again without its names."""
    redactor = Redactor(b"k" * 32)
    secrets = [f"a{number:x}Zq{number * 7:x}" for number in range(70_000, 74_000)]
    redactor.text("\n".join(f"password={secret}" for secret in secrets))
    line = " ".join(secrets)
    once = spent(redactor.text, line, 2)
    assert spent(redactor.text, f"{line} {line}", 2) < TWICE * once + 0.01
    assert "Zq" not in redactor.text(line)


def test_the_law_catches_a_quadratic_pattern() -> None:
    """The law itself can fail. A quarter of each text is enough: the whole would take minutes."""
    slow = LazyPattern(r"[^=;,\s]+=")
    assert any(
        breaches(lambda text: slow.sub("", text[: len(text) // 4]), worst)
        for worst in worst_texts(slow.compiled)
    )
    assert redact_text("plain", mark) == "plain"
