"""The checks in checks/dns/servers/servers_disagree.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.dns.lookups import DnsReply, Lookups
from diagnose.evidence.dns.names.failed_names import (
    FailedName,
    FailedNames,
    failed_name,
    failed_names,
    referenced_names,
)
from diagnose.evidence.dns.query_plan import MOST_FAILED_NAMES
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers
from diagnose.evidence.machine.clock import Clock
from tests.checks.dns.evidence import LAN, MISSING, OTHER, container, dns_host, nameserver
from tests.judging import judge, rows


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("dial tcp: lookup pay.office.test on 127.0.0.11:53: no such host", "pay.office.test"),
        ("Error: getaddrinfo ENOTFOUND db", "db"),
        ('could not translate host name "db" to address: Name or service not known', "db"),
        ("curl: (6) Could not resolve host: api.internal", "api.internal"),
        ("wget: bad address 'store'", "store"),
        ('nginx: [emerg] host not found in upstream "app" in /etc/nginx/nginx.conf:12', "app"),
        ("java.net.UnknownHostException: kafka", "kafka"),
        (
            "NameResolutionError: Failed to resolve 'api' ([Errno -2] Name or service not known)",
            "api",
        ),
        ("Cannot connect to host nas.local:80 ssl:default [Name does not resolve]", "nas.local"),
        ("ping: db: Temporary failure in name resolution", "db"),
        (
            "HttpRequestException: Name or service not known (films:8080) ---> SocketException: Name",
            "films",
        ),
        ("HttpRequestException: No such host is known. (films:8080)", "films"),
        ("Error -2 connecting to broker:6379. Name or service not known.", "broker"),
        ("System.Net.Sockets.SocketException: Name or service not known", ""),
        ("socket.gaierror: Name or service not known", ""),
        ("php_network_getaddresses: getaddrinfo failed: Name or service not known", ""),
        ("nc: getaddrinfo: Name or service not known", ""),
        ("dial tcp 10.0.0.5:5432: connect: connection refused", ""),
        ("lookup 10.0.0.5: no such host", ""),
        ("lookup 44.2.0.192.in-addr.arpa.: no such host", ""),
        ("IP address '10.0.0.7' could not be resolved: Name or service not known", ""),
    ],
)
def test_the_name_that_failed_by_a_log_line(line: str, name: str) -> None:
    assert failed_name(line) == name


@pytest.mark.parametrize(
    ("env", "command", "names"),
    [
        (["DATABASE_URL=postgres://shop:pw@db:5432/shop"], [], {"db"}),
        (["DB_HOST=db"], [], {"db"}),
        (["KAFKA=kafka1:9092,kafka2:9092"], [], {"kafka1", "kafka2"}),
        (["POSTGRES_DB=db", "MODE=cache"], [], set()),
        (["DB_HOST=10.0.0.5"], [], set()),
        ([], ["app", "--store=http://store:8080/x"], {"store"}),
        ([], ["app", "db"], set()),
    ],
)
def test_names_that_a_container_is_to_call(
    env: list[str], command: list[str], names: set[str]
) -> None:
    path, args = (command[0], command[1:]) if command else ("", [])
    who = container("api", Config={"Env": env}, Path=path, Args=args)
    assert set(referenced_names(who)) == names


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        pytest.param("NXDOMAIN", "NOERROR", [("critical", "host")], id="the second knows it"),
        pytest.param("NOERROR", "NXDOMAIN", [], id="the first knows it"),
        pytest.param("REFUSED", "NOERROR", [], id="an error leads on"),
        pytest.param("silent", "NOERROR", [], id="silence leads on"),
        pytest.param("NXDOMAIN", "NXDOMAIN", [], id="nobody knows it"),
    ],
)
def test_servers_disagree(first: str, second: str, expected: list[tuple[str, str]]) -> None:
    def reply(rcode: str) -> DnsReply:
        answers = ["192.0.2.81"] if rcode == "NOERROR" else []
        if rcode == "silent":
            return DnsReply()
        return DnsReply(answered=True, rcode=rcode, answers=answers, ms=1.0)

    names = {("pay.office", LAN): reply(first), ("pay.office", OTHER): reply(second)}
    answer = Lookups(names=names)
    resolvers = Resolvers(ResolvConf((LAN, OTHER)), MISSING, configured=(), inside={})
    result = judge("dns.servers-disagree", resolvers=resolvers, lookups=answer)
    assert rows(result) == expected
    for finding in result.findings:
        assert finding.variables["dns_json"] == f'{{"dns": ["{OTHER}", "{LAN}"]}}'
    broken = judge(
        "dns.host-broken", resolvers=resolvers, lookups=answer, containers=Containers(())
    )
    assert rows(broken) == ([("critical", "host")] if first == second == "NXDOMAIN" else [])


def test_names_that_failed_in_a_log_are_asked_of_the_container_s_own_servers() -> None:
    who = container("payer")
    failed = FailedNames({who.id: (FailedName("pay.office", "x"), FailedName("single", "y"))})
    text = nameserver() + nameserver(OTHER)
    *_, answer, made = dns_host((who, text), replies={(LAN, False): "NXDOMAIN"}, failed=failed)
    asked = {
        (q.args["server"], q.args["pid"]) for q in made.asked if q.args.get("name") == "pay.office"
    }
    assert asked == {(LAN, who.state.pid), (OTHER, who.state.pid)}
    assert not [q for q in made.asked if q.args.get("name") == "single"]
    assert set(answer.failed[who.id]) == {("pay.office", LAN), ("pay.office", OTHER)}


def test_no_name_of_a_log_is_left_out_for_search_domains() -> None:
    listed = [container(f"payer{number}") for number in range(6)]
    failed = FailedNames(
        {caller.id: (FailedName(f"{caller.name}.office", "x"),) for caller in listed}
    )
    text = "search a.test b.test c.test\n" + nameserver() + nameserver(OTHER)
    *_, answer, made = dns_host(*((caller, text) for caller in listed), replies={}, failed=failed)
    asked = [q for q in made.asked if "payer" in str(q.args.get("name"))]
    assert len(asked) == MOST_FAILED_NAMES
    for caller in listed:
        assert {server for _, server in answer.failed[caller.id]} == {LAN, OTHER}
    assert ("payer0.office.a.test", LAN) in answer.failed[listed[0].id]


def test_a_running_container_says_again_and_again_that_it_misses_a_name() -> None:
    api, once, over, skips = (container(name) for name in ("api", "once", "over", "skips"))
    line = "Error: getaddrinfo ENOTFOUND db"
    recent = {
        api.id: (RecentLine(990.0, line), RecentLine(995.0, line), RecentLine(996.0, "GET / 200")),
        once.id: (RecentLine(990.0, line), RecentLine(991.0, "Error: getaddrinfo ENOTFOUND x")),
        over.id: (RecentLine(800.0, line), RecentLine(801.0, line)),
        skips.id: (RecentLine(990.0, f"{line}, skipped"), RecentLine(995.0, f"{line}, skipped")),
    }
    names = failed_names(
        Containers((api, once, over, skips)),
        LogTails({}, {}),
        RecentLogs(recent),
        Clock(1000.0, 0.0),
    )
    assert names.by_id == {api.id: (FailedName("db", line),)}


@pytest.mark.parametrize(
    "line",
    [
        "ping: db: Temporary failure in name resolution",
        "lookup db on 10.0.0.53:53: server misbehaving",
        "dial tcp: lookup db: no such host",
        "could not resolve host: db",
        "wget: bad address 'db'",
        "ping: db: Name or service not known",
        "getaddrinfo EAI_AGAIN db",
        "java.net.UnknownHostException: db",
        "Cannot connect to host db:80 ssl:default [Name does not resolve]",
        "Failed to resolve 'db' (x)",
        'host not found in upstream "db"',
    ],
)
def test_a_name_is_read_from_the_log_of_a_running_container(line: str) -> None:
    api = container("api")
    recent = RecentLogs({api.id: (RecentLine(990.0, line), RecentLine(991.0, line))})
    names = failed_names(Containers((api,)), LogTails({}, {}), recent, Clock(1000.0, 0.0))
    assert names.by_id == {api.id: (FailedName("db", line),)}
