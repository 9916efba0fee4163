"""The check in checks/dns/names/name_only_on_host.py, and the file that it reads."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.dns.lookups import DnsReply, Lookups
from diagnose.evidence.dns.names.failed_names import FailedName, FailedNames
from diagnose.evidence.dns.names.host_known_names import (
    HostAnswer,
    HostKnownName,
    HostKnownNames,
    Redirect,
    host_known_names,
)
from diagnose.evidence.dns.names.hosts_file import HostsFile, hosts_file
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers
from diagnose.evidence.network.calls.watchers import Watchers
from diagnose.model import Failed, Json, Severity, Unavailable, Unexamined, Verdict
from diagnose.questions import AnyQuestion
from tests.checks.dns.evidence import LAN, MISSING, OTHER, container
from tests.hosts import Made
from tests.judging import judge

FILE = HostsFile({"erp.corp.example": "192.0.2.80", "vm7": "127.0.1.1", "db": "192.0.2.81"})
HOST_NETWORK: dict[str, Any] = {"HostConfig": {"NetworkMode": "host"}}


@pytest.mark.parametrize(
    ("name", "parts", "expected"),
    [
        ("erp.corp.example", {}, [{"entry": "erp.corp.example:192.0.2.80"}]),
        ("ERP.corp.example", {}, [{"entry": "ERP.corp.example:192.0.2.80"}]),
        ("vm7", {}, [{"entry": "vm7:host-gateway"}]),
        ("host.docker.internal", {}, [{"entry": "host.docker.internal:host-gateway"}]),
        ("printer.local", {}, [{"name": "printer.local"}]),
        ("dc1.corp.local", {}, []),
        ("www.example", {}, []),
        ("db", {}, []),
        ("erp.corp.example", HOST_NETWORK, []),
        ("vm7", {"HostConfig": {"ExtraHosts": ["vm7=10.0.0.1"]}}, []),
    ],
)
def test_names_that_only_the_host_knows(
    name: str, parts: dict[str, Any], expected: list[dict[str, str]]
) -> None:
    caller, store = container("api", **parts), container("db")
    result = judge(
        "dns.name-only-on-host",
        containers=Containers((caller, store)),
        failed=FailedNames({caller.id: (FailedName(name, "could not resolve"),)}),
        hosts_file=FILE,
    )
    cures = [
        {key: value for key, value in finding.variables.items() if key != "container"}
        for finding in result.findings
    ]
    assert cures == expected


def test_logs_that_were_not_read_keep_it_from_passing() -> None:
    unread = container("api").subject
    failed = FailedNames({}, (Unexamined(unread, "its log was not read"),))
    result = judge("dns.name-only-on-host", containers=Containers(()), failed=failed)
    assert result.verdict == Verdict.UNKNOWN


def test_the_file_is_read_where_a_name_is_missed() -> None:
    text = (
        "127.0.0.1 localhost\n192.0.2.80\tErp.corp.example erp # until the move\n\n# 10.0.0.1 old\n"
    )
    missed = FailedNames({"a": (FailedName("erp", "x"),)})
    made = Made({"file.read": {"text": text}})
    assert hosts_file(made, missed) == HostsFile(
        {"localhost": "127.0.0.1", "erp.corp.example": "192.0.2.80", "erp": "192.0.2.80"}
    )
    calm = Made({})
    assert hosts_file(calm, FailedNames({})) == HostsFile()
    assert calm.asked == []
    hidden = hosts_file(Made({"file.read": Failed("forbidden", "no")}), missed)
    assert isinstance(hidden, Unavailable)


def test_what_a_missing_option_explains_is_left_out() -> None:
    caller = container("api")
    tail = LogTail(("Error: getaddrinfo ENOTFOUND host.docker.internal",))
    result = judge(
        "dns.name-only-on-host",
        containers=Containers((caller,)),
        failed=FailedNames({caller.id: (FailedName("host.docker.internal", "x"),)}),
        log_tails=LogTails({caller.id: tail}, {}),
    )
    assert result.findings == ()


NAME = "pay.office"
DENIAL = DnsReply(answered=True, rcode="NXDOMAIN", ms=1.0)
TOLD: dict[str, tuple[HostAnswer, dict[str, str]]] = {
    "another server": (HostAnswer("127.0.0.53", "10.8.0.7"), {}),
    "the same server": (HostAnswer(LAN, "10.8.0.7"), {}),
    "a rule": (
        HostAnswer(LAN, "10.8.0.7", Redirect(LAN, 10053, "chain OUTPUT")),
        {"redirected": LAN, "real_server": f"{LAN}:10053"},
    ),
    "a rule to loopback": (HostAnswer(LAN, "10.8.0.7", Redirect("127.0.0.1", 53, "OUTPUT")), {}),
}


@pytest.mark.parametrize("told", TOLD)
def test_a_name_that_is_told_to_the_host_alone(told: str) -> None:
    """The name is not unknown then, whatever the container's servers say."""
    answer, cure = TOLD[told]
    caller = container("api", network="shop")
    evidence: dict[str, Any] = {
        "containers": Containers((caller,)),
        "host_known_names": HostKnownNames(
            {(caller.id, NAME): HostKnownName(answer, denied_by=(LAN,))}
        ),
    }
    names = FailedNames({caller.id: (FailedName(NAME, "no such host"),)})
    (finding,) = judge("dns.name-only-on-host", **evidence, failed=names).findings
    assert answer.server in finding.summary
    assert ("tells only the host" in finding.summary) is (answer.server == LAN)
    is_of_rule = answer.redirect is not None
    assert finding.severity == (None if is_of_rule else Severity.warning)
    variables = {"container": "api", "entry": f"{NAME}:10.8.0.7", **cure}
    assert dict(finding.variables) == variables
    lookups = Lookups({}, failed={caller.id: {(NAME, LAN): DENIAL}})
    assert judge("dns.name-unknown", **evidence, failed_names=names, lookups=lookups).findings == ()


WITHHELD: dict[str, tuple[str, bool, str]] = {
    "denied": ("10.8.0.7", False, "that there is no such name"),
    "a private address": ("10.8.0.7", True, "withholds private ones (DNS rebinding protection)"),
    "a public address": ("8.8.4.4", True, "gets an answer without an address"),
}


@pytest.mark.parametrize(("address", "is_empty", "words"), WITHHELD.values(), ids=WITHHELD)
def test_an_empty_answer_is_no_denial(address: str, is_empty: bool, words: str) -> None:
    caller = container("api", network="shop")
    known_name = HostKnownName(HostAnswer(OTHER, address), (LAN,), is_without_address=is_empty)
    (finding,) = judge(
        "dns.name-only-on-host",
        containers=Containers((caller,)),
        failed=FailedNames({caller.id: (FailedName(NAME, "no such host"),)}),
        host_known_names=HostKnownNames({(caller.id, NAME): known_name}),
    ).findings
    assert finding.summary.endswith(words), finding.summary


HOST_SERVERS: dict[str, tuple[str, dict[str, str], bool]] = {
    # what the container's server says, and the host's servers in turn -> whether the host knows
    "known": ("NXDOMAIN", {LAN: "NOERROR"}, True),
    "denied": ("NXDOMAIN", {LAN: "NXDOMAIN", OTHER: "NOERROR"}, False),
    "known by the second": ("NXDOMAIN", {LAN: "SERVFAIL", OTHER: "NOERROR"}, True),
    "an error is not a denial": ("SERVFAIL", {LAN: "NOERROR"}, False),
}


def _known_to_host(
    rcode: str, servers: dict[str, str], watchers: Watchers | None = None
) -> HostKnownName | None:
    """What the host learns where the container's server says this, and the host's say that."""

    def reply(question: AnyQuestion) -> Json:
        assert question.args["pid"] is None
        said = servers[question.args["server"]]
        answers = ["10.8.0.7"] if said == "NOERROR" else []
        return {"answered": True, "rcode": said, "answers": answers, "ms": 1.0, "sent": 1}

    caller = container("api", network="shop")
    denial = DnsReply(answered=True, rcode=rcode, ms=1.0)
    found = host_known_names(
        Made({"dns.query": reply}),
        Containers((caller,)),
        FailedNames({caller.id: (FailedName(NAME, "no such host"),)}),
        Lookups({}, failed={caller.id: {(NAME, LAN): denial}}),
        Resolvers(ResolvConf(tuple(servers)), MISSING, configured=(), inside={}),
        watchers,
        None,
    )
    return found.of(caller, NAME)


@pytest.mark.parametrize("case", HOST_SERVERS)
def test_the_host_asks_for_what_was_denied(case: str) -> None:
    rcode, servers, is_known = HOST_SERVERS[case]
    assert (_known_to_host(rcode, servers) is not None) is is_known


def test_what_a_monitor_finds_gone_is_left_to_its_own_check() -> None:
    watchers = Watchers(frozenset({container("api").id}))
    assert _known_to_host("NXDOMAIN", {LAN: "NOERROR"}, watchers) is None


@pytest.mark.parametrize(("rcode", "expected"), [("NOERROR", True), ("NXDOMAIN", False)])
def test_an_empty_answer_is_told_from_a_denial(rcode: str, expected: bool) -> None:
    known_name = _known_to_host(rcode, {LAN: "NOERROR"})
    assert known_name is not None
    assert known_name.is_without_address is expected
