"""Which name a line says could not be resolved: diagnose/evidence/dns/names/failed_names.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.dns.names.failed_names import failed_name

LINES = {
    "a client that says the name": ("psql: pay.office: Name or service not known", "pay.office"),
    "Rust's library": (
        "error sending request: failed to lookup address information: Name or service not known",
        "",
    ),
    "Rust's library on Alpine": ("failed to lookup address information: Try again", ""),
    "Python's client of MySQL": (
        "(2003, \"Can't connect to MySQL server on 'shopdb' ([Errno -2] Name or service not known)\")",
        "shopdb",
    ),
    "the C library": ("getaddrinfo: Name or service not known", ""),
}


@pytest.mark.parametrize(("line", "name"), LINES.values(), ids=LINES)
def test_the_name_of_a_line(line: str, name: str) -> None:
    assert failed_name(line) == name
