"""The check in checks/dns/names/name_without_address.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.dns.names.addressless_names import addressless_names
from diagnose.evidence.dns.names.failed_names import FailedName, FailedNames, failed_name
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers
from diagnose.questions import Host
from diagnose.questions.dns import DnsReply
from tests.checks.dns.evidence import container
from tests.hosts import Made
from tests.judging import judge, rows

NAME, FIRST, SECOND = "nas.home.test", "192.0.2.53", "192.0.2.54"
LINES = (
    f"ERROR backup: cannot reach {NAME}: [Errno -5] No address associated with hostname",
    f"Error: queryA ENODATA {NAME}",
    f"curl: {NAME}: Name has no usable address",
)
EMPTY = {"answered": True, "ms": 1.0, "rcode": "NOERROR"}
UNKNOWN = {"answered": True, "ms": 1.0, "rcode": "NXDOMAIN"}
FOUR = EMPTY | {"answers": ["192.168.1.20"]}
SIX = EMPTY | {"answers": ["fd00::5"]}
SILENT = {"answered": False, "sent": 2}


@pytest.mark.parametrize("line", LINES)
def test_the_name_is_read(line: str) -> None:
    assert failed_name(line) == NAME


CASES: dict[str, tuple[dict[str, Any], Any, str, list[tuple[str, str]]]] = {
    "kept back": ({FIRST: EMPTY}, EMPTY, "kept_back", [("warning", "backup")]),
    "IPv6 alone": ({FIRST: EMPTY}, SIX, "six", [("warning", "backup")]),
    "no answer about IPv6": ({FIRST: EMPTY}, SILENT, "kept_back", [("warning", "backup")]),
    "another server errs": (
        {FIRST: UNKNOWN | {"rcode": "SERVFAIL"}, SECOND: EMPTY},
        EMPTY,
        "kept_back",
        [("warning", "backup")],
    ),
    "another server knows it": ({FIRST: EMPTY, SECOND: FOUR}, EMPTY, "", []),
    "too long for UDP": ({FIRST: EMPTY | {"truncated": True}}, EMPTY, "", []),
    "nobody knows it": ({FIRST: UNKNOWN}, EMPTY, "", []),
    "the first one denies it": ({FIRST: UNKNOWN, SECOND: EMPTY}, EMPTY, "", []),
}


@pytest.mark.parametrize(("replies", "ipv6", "variable", "expected"), CASES.values(), ids=CASES)
def test_a_name_without_an_address(
    replies: dict[str, Any], ipv6: Any, variable: str, expected: list[tuple[str, str]]
) -> None:
    backup = container("backup")
    members = Containers((backup,))
    failed = {(NAME, server): DnsReply(**reply) for server, reply in replies.items()}
    inside = {backup.id: ResolvConf(tuple(replies))}
    known = addressless_names(
        Host(Made({"dns.query": ipv6})),
        members,
        FailedNames({backup.id: (FailedName(NAME, LINES[0]),)}),
        Lookups(failed={backup.id: failed}),
        Resolvers(ResolvConf(), ResolvConf(), (), inside),
        hosts_file=None,
        watchers=None,
    )
    result = judge("dns.name-without-address", addressless_names=known)
    assert rows(result) == expected
    assert [variable in finding.variables for finding in result.findings] == [True] * len(expected)
