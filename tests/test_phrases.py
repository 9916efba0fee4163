from __future__ import annotations

import pytest

from diagnose.phrases import (
    and_more,
    count,
    counted,
    joined,
    named,
    rfc3339,
    sentence,
    unix_of_http,
)


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        (count(1, "container"), "1 container"),
        (count(0, "container"), "0 containers"),
        (count(2, "address", "addresses"), "2 addresses"),
        (and_more(["a", "b"]), "a, b"),
        (and_more(["a", "b", "c", "d", "e"]), "a, b, c and 2 more"),
        (joined([]), ""),
        (joined(["a"]), "a"),
        (joined(["a", "b", "c"]), "a, b and c"),
        (joined(["a", "b"], "or"), "a or b"),
        (named("container", ["web"]), 'container "web"'),
        (named("container", ["a", "b"]), 'containers "a" and "b"'),
        (named("container", ["a", "b", "c"]), 'containers "a", "b" and "c"'),
        (named("network", ["a", "b", "c", "d"]), 'networks "a", "b", "c" and 1 more'),
        (counted("container", ["web"]), "1 container (web)"),
        (counted("container", "abcde"), "5 containers (a, b, c and 2 more)"),
        (
            sentence("it fails", "", "because of x", "since noon"),
            "it fails; because of x; since noon",
        ),
        (sentence("it fails"), "it fails"),
    ],
)
def test_a_phrase(phrase: str, expected: str):
    assert phrase == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784111777.0),
        ("Thu, 29 Feb 2024 23:59:59 GMT", 1709251199.0),
        ("Sun, 06 Nov 1994 08:49:37 CET", None),
        ("Sunday, 06-Nov-94 08:49:37 GMT", None),
        ("Sun, 31 Feb 2024 08:49:37 GMT", None),
        ("1994-11-06T08:49:37Z", None),
        ("", None),
        (None, None),
    ],
)
def test_a_date_of_http(text: str | None, expected: float | None):
    assert unix_of_http(text) == expected


BEYOND = {
    "usual": (1764324900.0, "2025-11-28T10:15:00+00:00"),
    "too late for a date": (1e300, "9999-12-31T00:00:00+00:00"),
    "too early": (-1e300, "0001-01-02T00:00:00+00:00"),
}


@pytest.mark.parametrize(("moment", "expected"), BEYOND.values(), ids=BEYOND)
def test_a_file_may_have_any_time(moment: float, expected: str) -> None:
    assert rfc3339(moment) == expected
