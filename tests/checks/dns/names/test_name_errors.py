"""The checks in checks/dns/names/name_errors.py."""

from __future__ import annotations

import msgspec
import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.dns.lookups import DnsReply, Lookups
from diagnose.evidence.dns.names.failed_names import FailedName, FailedNames
from diagnose.evidence.dns.names.half_known_names import half_known_names
from diagnose.evidence.dns.names.hosts_file import HostsFile
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.network.calls.watchers import watchers
from diagnose.questions import Host
from tests.checks.dns.evidence import LAN, OTHER, container
from tests.hosts import Made
from tests.judging import judge, rows

PAY = container("pay", network="shop")


def reply(rcode: str) -> DnsReply:
    if rcode == "silent":
        return DnsReply(sent=2)
    if rcode == "empty":
        return DnsReply(answered=True, rcode="NOERROR", ms=1.0)
    answers = ["192.0.2.81"] if rcode == "NOERROR" else []
    return DnsReply(answered=True, rcode=rcode, answers=answers, ms=1.0)


ERRORS: dict[str, tuple[str, str, list[str]]] = {
    "refused by the only one": ("REFUSED", "", ["dns.server-fails"]),
    "an error of both": ("SERVFAIL", "REFUSED", ["dns.server-fails"]),
    "the second knows": ("REFUSED", "NOERROR", []),
    "the second denies": ("SERVFAIL", "NXDOMAIN", ["dns.name-unknown"]),
    "the second is silent": ("REFUSED", "silent", ["dns.server-fails"]),
    "silent": ("silent", "", []),
    "nobody knows it": ("NXDOMAIN", "NXDOMAIN", ["dns.name-unknown"]),
    "it has no IPv4 address": ("empty", "", []),
}


def found(first: str, second: str = "", name: str = "pay.office", **hosts: str) -> list[str]:
    replies = {(name, LAN): reply(first)} | ({(name, OTHER): reply(second)} if second else {})
    answer = Lookups({LAN: reply(first)}, failed={PAY.id: replies})
    failed = FailedNames({PAY.id: (FailedName(name, "no such host"),)})
    ids = []
    evidence = {"containers": Containers((PAY,)), "failed_names": failed, "lookups": answer}
    for id, more in (
        ("dns.server-fails", {"listeners": None, "hosts_file": HostsFile(hosts)}),
        ("dns.name-unknown", {"hosts_file": HostsFile(hosts)}),
    ):
        severity = "critical" if id == "dns.server-fails" else "warning"
        subject = "host" if id == "dns.server-fails" else "pay"
        result = judge(id, **evidence, **more)
        assert rows(result) in ([], [(severity, subject)])
        ids += [id for _ in result.findings]
    return ids


@pytest.mark.parametrize(("first", "second", "wanted"), ERRORS.values(), ids=ERRORS)
def test_names_without_an_address(first: str, second: str, wanted: list[str]) -> None:
    assert found(first, second) == wanted


@pytest.mark.parametrize(
    ("ipv4", "ipv6", "expected"),
    [
        ("NOERROR", "NXDOMAIN", [("warning", "host")]),
        ("NOERROR", "SERVFAIL", [("warning", "host")]),
        ("NOERROR", "empty", []),
        ("NOERROR", "silent", []),
        ("empty", "NXDOMAIN", []),
    ],
)
def test_a_name_that_is_known_by_its_ipv4_address_alone(
    ipv4: str, ipv6: str, expected: list[tuple[str, str]]
) -> None:
    replies = {("pay.office", LAN): reply(ipv4)}
    answer = Lookups({LAN: reply("NOERROR")}, failed={PAY.id: replies})
    failed = FailedNames({PAY.id: (FailedName("pay.office", "bad address 'pay.office'"),)})
    conf = ResolvConf((LAN,))
    resolvers = Resolvers(conf, conf, (), {PAY.id: conf})
    host = Host(Made({"dns.query": lambda _: msgspec.to_builtins(reply(ipv6))}))
    names = half_known_names(host, Containers((PAY,)), failed, answer, resolvers)
    result = judge(
        "dns.server-fails",
        containers=Containers((PAY,)),
        failed_names=failed,
        lookups=answer,
        half_known_names=names,
    )
    assert rows(result) == expected


def test_two_errors_of_a_server_are_two_findings() -> None:
    names = {"pay.office": "NXDOMAIN", "tax.office": "SERVFAIL"}
    replies = {(name, LAN): reply("NOERROR") for name in names}
    answer = Lookups({LAN: reply("NOERROR")}, failed={PAY.id: replies})
    failed = FailedNames(
        {PAY.id: tuple(FailedName(name, f"bad address '{name}'") for name in names)}
    )
    conf = ResolvConf((LAN,))
    resolvers = Resolvers(conf, conf, (), {PAY.id: conf})
    made = Made({"dns.query": lambda query: msgspec.to_builtins(reply(names[query.name]))})
    half = half_known_names(Host(made), Containers((PAY,)), failed, answer, resolvers)
    findings = judge(
        "dns.server-fails",
        containers=Containers((PAY,)),
        failed_names=failed,
        lookups=answer,
        half_known_names=half,
    ).findings
    assert len({finding.discriminator for finding in findings}) == 2


def test_names_that_other_checks_know() -> None:
    assert found("NXDOMAIN", name="host.docker.internal") == []
    assert found("NXDOMAIN", name="pay") == [], "the name of a container"
    assert found("NXDOMAIN", name="pay.shop") == [], "a container and its network"
    assert found("NXDOMAIN", name="pay.lan") == ["dns.name-unknown"]
    assert found("NXDOMAIN", name="tasks.pay") == [], "the tasks of a service"
    assert found("NXDOMAIN", name="nas.local") == []
    assert found("REFUSED", name="host.docker.internal") == []
    assert found("REFUSED", name="intranet", intranet="192.0.2.5") == []
    assert found("NXDOMAIN", name="intranet", intranet="192.0.2.5") == []


def test_an_error_about_one_name_alone_blames_that_name() -> None:
    replies = {("pay.office", LAN): reply("SERVFAIL")}
    for root, variable in (("NOERROR", "broken_name"), ("SERVFAIL", "failing")):
        answer = Lookups({LAN: reply(root)}, failed={PAY.id: replies})
        (finding,) = judge(
            "dns.server-fails",
            containers=Containers((PAY,)),
            failed_names=FailedNames({PAY.id: (FailedName("pay.office", "x"),)}),
            lookups=answer,
            listeners=None,
            hosts_file=HostsFile(),
        ).findings
        assert variable in finding.variables
        assert str(finding.severity) == ("warning" if root == "NOERROR" else "critical")


@pytest.mark.parametrize(
    ("image", "variable", "severity"),
    [
        ("louislam/uptime-kuma:1", "", "advice"),
        ("registry.lab.test:5000/mirror/prom/blackbox-exporter:v0.25.0", "", "advice"),
        ("registry.lab.test/uptime-kuma/backup:1", "", "warning"),
        ("shop/pay:1", "", "warning"),
        ("zabbix/zabbix-server-mysql:7.0-alpine", "DB_SERVER_HOST=pay.office", "warning"),
        ("zabbix/zabbix-server-mysql:7.0-alpine", "DB_SERVER_HOST=db.pay.office", "advice"),
    ],
)
def test_a_name_that_a_monitor_finds_gone(image: str, variable: str, severity: str) -> None:
    watcher = container("pay", network="shop", Config={"Image": image, "Env": [variable]})
    for rcode, check in (("NXDOMAIN", "dns.name-unknown"), ("SERVFAIL", "dns.server-fails")):
        replies = {("pay.office", LAN): reply(rcode)}
        evidence = {
            "containers": Containers((watcher,)),
            "failed_names": FailedNames({watcher.id: (FailedName("pay.office", "x"),)}),
            "lookups": Lookups({LAN: reply("NOERROR")}, failed={watcher.id: replies}),
        }
        more = {"listeners": None} if check == "dns.server-fails" else {}
        (finding,) = judge(check, **evidence, **more, hosts_file=HostsFile()).findings
        assert str(finding.severity) == severity


GONE = "GET http://pay.office/: bad address 'pay.office'"
ELSEWHERE = ["GET http://203.0.113.7/: connection refused", "GET http://203.0.113.8/: timed out"]
OTHER_NAMES = [f"GET http://{name}.office/: bad address '{name}.office'" for name in ("db", "mq")]
NEIGHBOURS = ["dial tcp: db:5432: connection refused", "dial tcp: mq:5672: i/o timeout"]
MISSED = {
    "a crawler": ([GONE, *ELSEWHERE], "", "advice"),
    "a crawler whose own setting is wrong": (
        [GONE, *ELSEWHERE],
        "API=http://pay.office",
        "warning",
    ),
    "names of one net": ([GONE, *OTHER_NAMES], "", "warning"),
    "its neighbours": ([GONE, *NEIGHBOURS], "", "warning"),
    "one host besides": ([GONE, ELSEWHERE[0]], "", "warning"),
}


@pytest.mark.parametrize(("lines", "variable", "severity"), MISSED.values(), ids=MISSED)
def test_a_name_among_other_hosts_that_are_missed(
    lines: list[str], variable: str, severity: str
) -> None:
    caller = container("pay", network="shop", Config={"Env": [variable]})
    recent = RecentLogs({caller.id: tuple(RecentLine(1.0, line) for line in lines)})
    (finding,) = judge(
        "dns.name-unknown",
        containers=Containers((caller,)),
        failed_names=FailedNames({caller.id: (FailedName("pay.office", GONE),)}),
        lookups=Lookups({LAN: reply("NOERROR")}, failed={caller.id: {("pay.office", LAN): reply("NXDOMAIN")}}),
        hosts_file=HostsFile(),
        watchers=watchers(Containers((caller,)), recent),
    ).findings  # fmt: skip
    assert str(finding.severity) == severity


def test_a_proxy_whose_users_mistype_names() -> None:
    names = [f"pay{number}.example" for number in range(6)]
    for number, expected in ((6, 0), (5, 5)):
        replies = {(name, LAN): reply("NXDOMAIN") for name in names[:number]}
        result = judge(
            "dns.name-unknown",
            containers=Containers((PAY,)),
            failed_names=FailedNames({PAY.id: tuple(FailedName(n, "x") for n in names[:number])}),
            lookups=Lookups({LAN: reply("NOERROR")}, failed={PAY.id: replies}),
            hosts_file=HostsFile(),
        )
        assert rows(result) == [("warning", "pay")] * expected


FULL = "pay.office.corp.example"
COMPLETED: dict[str, tuple[str, str, str]] = {
    "a search domain knows it": ("NOERROR", "NXDOMAIN", FULL),
    "nobody knows it": ("NXDOMAIN", "NXDOMAIN", ""),
    "a domain that knows every name": ("NOERROR", "NOERROR", ""),
    "nobody says whether the domain knows every name": ("NOERROR", "SERVFAIL", ""),
}


@pytest.mark.parametrize(("rcode", "wildcard", "completed"), COMPLETED.values(), ids=COMPLETED)
def test_a_name_that_a_search_domain_completes(rcode: str, wildcard: str, completed: str) -> None:
    name = "pay.office"
    replies = {(name, LAN): reply("NXDOMAIN"), (FULL, LAN): reply(rcode)}
    answer = Lookups({LAN: reply("NOERROR")}, failed={PAY.id: replies}, wildcards={"corp.example": reply(wildcard)})  # fmt: skip
    (finding,) = judge(
        "dns.name-unknown",
        containers=Containers((PAY,)),
        failed_names=FailedNames({PAY.id: (FailedName(name, "no such host"),)}),
        lookups=answer,
        hosts_file=HostsFile({}),
    ).findings
    assert finding.variables.get("completed", "") == completed


SHORT: dict[str, tuple[str, str, str]] = {
    "musl on a network of a user": ("Error: getaddrinfo ENOTFOUND wiki", "NOERROR", "1"),
    "nginx": ('host not found in upstream "wiki" in /etc/nginx/nginx.conf:4', "NOERROR", ""),
    "nobody knows it": ("Error: getaddrinfo ENOTFOUND wiki", "NXDOMAIN", "none"),
}


@pytest.mark.parametrize(("line", "rcode", "dots"), SHORT.values(), ids=SHORT)
def test_a_name_of_one_word(line: str, rcode: str, dots: str) -> None:
    """It is asked for with the search domains alone."""
    conf = ResolvConf(("127.0.0.11",), ("corp.example",), ("ndots:0",))
    result = judge(
        "dns.name-unknown",
        containers=Containers((PAY,)),
        failed_names=FailedNames({PAY.id: (FailedName("wiki", line),)}),
        lookups=Lookups({LAN: reply("NOERROR")}, failed={PAY.id: {("wiki.corp.example", LAN): reply(rcode)}}, wildcards={"corp.example": reply("NXDOMAIN")}),
        hosts_file=HostsFile({}),
        resolvers=Resolvers(conf, conf, (), {PAY.id: conf}),
    )  # fmt: skip
    found = [finding.variables.get("dots", "") for finding in result.findings]
    assert found == ([] if dots == "none" else [dots])


@pytest.mark.parametrize(("proxy", "wanted"), [("http://proxy.example:3128", True), ("", False)])
def test_a_name_that_the_proxy_would_look_up(proxy: str, wanted: bool) -> None:
    (finding,) = judge(
        "dns.name-unknown",
        containers=Containers((PAY,)),
        failed_names=FailedNames({PAY.id: (FailedName("api.example.org", "no such host"),)}),
        lookups=Lookups({LAN: reply("NOERROR")}, failed={PAY.id: {("api.example.org", LAN): reply("NXDOMAIN")}}),
        hosts_file=HostsFile({}),
        info=Info(https_proxy=proxy),
    ).findings  # fmt: skip
    assert ("has no proxy in its environment" in finding.summary) is wanted
    assert (finding.variables.get("https_proxy") == f"https_proxy={proxy}") is wanted
