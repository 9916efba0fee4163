"""Search domains (checks/dns/names/search_amplified.py)."""

from __future__ import annotations

import pytest

from diagnose.evidence.dns.resolvers import parse
from tests.checks.dns.evidence import container, dns_host, nameserver, subjects_and_severities
from tests.judging import judge


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["search a b c d\n"], ["container:c0"]),
        (["search a\noptions ndots:5\n"] * 2, ["host:host"]),
        (["search a b c\noptions ndots:1\n"], []),
        (["options ndots:5\n"], []),
    ],
    ids=["long list", "many dots, all", "usual", "no list"],
)
def test_search_amplified(texts: list[str], expected: list[str]) -> None:
    listed = [(container(f"c{n}"), nameserver() + text) for n, text in enumerate(texts)]
    containers, resolvers, _, _ = dns_host(*listed, replies={})
    assert [
        subject
        for subject, _ in subjects_and_severities(
            judge("dns.search-amplified", resolvers=resolvers, containers=containers).findings
        )
    ] == expected


def test_a_number_of_dots_that_is_none() -> None:
    """A container may write what it likes into the file."""
    assert parse("options ndots:²\n").ndots == 1
    assert parse("options ndots:5\n").ndots == 5
