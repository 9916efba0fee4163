"""The check in checks/dns/servers/forwarder_unanswered.py and its evidence."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.dns.dns_forwarders import DnsForwarders, dns_forwarders
from diagnose.evidence.dns.lookups import DnsReply, Lookups
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers
from diagnose.live.disk.parts.chosen import only
from diagnose.model import Json, Result
from diagnose.questions import Question
from diagnose.questions.dns import QueryDns
from diagnose.questions.network import ListConnections
from diagnose.questions.sockets import Socket
from tests.checks.network.evidence import namespaces_of
from tests.hosts import Made
from tests.inspected import container
from tests.judging import judge, rows

OWN, NEXT, HOSTS = "172.18.0.2", "172.18.0.5", "192.0.2.53"
SILENT = {"answered": False, "sent": 2}
REFUSED = {"answered": False, "sent": 1, "icmp": "refused"}
ERROR = {"answered": True, "ms": 1.0, "rcode": "SERVFAIL"}
GOOD = {"answered": True, "ms": 1.0, "rcode": "NOERROR"}
FILES: dict[str, tuple[str, str]] = {
    "dnsmasq": ("no-resolv\nserver=/lan/10.0.0.1\nserver=10.0.0.2#5053\n", "10.0.0.2 5053"),
    "a domain alone": ("server=/lan/10.0.0.1\n", ""),
    "Unbound": (
        'forward-zone:\n  name: "."\n  forward-addr: 10.0.0.2@5335 # dns\n',
        "10.0.0.2 5335",
    ),
    "CoreDNS": (
        ".:53 {\n  forward . 10.0.0.2:5353 10.0.0.3\n  errors\n}\n",
        "10.0.0.2 5353\n10.0.0.3 53",
    ),
    "BIND": (
        "forwarders {\n  10.0.0.2 port 5353;\n  10.0.0.3;\n};\n",
        "10.0.0.2 5353\n10.0.0.3 53",
    ),
    "AdGuard Home": (
        "dns:\n  upstream_dns:\n    - https://dns.example/dns-query\n    - 10.0.0.2:5335\n  bootstrap_dns:\n    - 9.9.9.10\n",
        "10.0.0.2 5335",
    ),
    "Pi-hole": (
        '[dns]\n  upstreams = [\n    "10.0.0.2#5335",\n    "10.0.0.3"\n  ]\n',
        "10.0.0.2 5335\n10.0.0.3 53",
    ),
    "another address": ("listen-address=10.0.0.2\n# server=10.0.0.3\n", ""),
}


@pytest.mark.parametrize(("text", "expected"), FILES.values(), ids=FILES)
def test_the_servers_that_a_file_names(text: str, expected: str) -> None:
    assert only("dns upstreams", text).rstrip() == expected


def _server(**more: Any) -> Container:
    networks = {"Networks": {"names": {"IPAddress": OWN}}}
    return container("pihole", NetworkSettings=networks, **more)


BY_VARIABLE = _server(Config={"Env": [f"FTLCONF_dns_upstreams={NEXT}#5053"]})
BY_OPTION = _server(Config={"Cmd": ["dnsmasq", f"--server={NEXT}#5053"]})
BY_WORD = _server(Config={"Cmd": ["/dnsproxy", "-u", f"{NEXT}:5053"]})
PLAIN = _server()
LOG = f"dnsmasq[1]: forwarded www.example.com to {NEXT}#5053"
GO_LOG = f"[ERROR] plugin/errors: 2 x. A: read udp {OWN}:41234->{NEXT}:5053: i/o timeout"
FLOWS = [("198.41.0.4", []), ("199.9.14.201", [])]
LATE = [*FLOWS, ("192.33.4.12", ["seen_reply"])]
BESIDE = [*FLOWS, (HOSTS, ["seen_reply"])]

CASES: dict[str, tuple[Container, Json, Json, str, list[tuple[str, list[str]]], int]] = {
    "a variable": (BY_VARIABLE, SILENT, REFUSED, "", [], 1),
    "an option": (BY_OPTION, ERROR, SILENT, "", [], 1),
    "a word of its own": (BY_WORD, ERROR, SILENT, "", [], 1),
    "its log": (PLAIN, ERROR, SILENT, LOG, [], 1),
    "the log of a program in Go": (PLAIN, ERROR, SILENT, GO_LOG, [], 1),
    "it answers": (BY_VARIABLE, GOOD, SILENT, "", [], 0),
    "its server answers": (BY_VARIABLE, ERROR, GOOD, "", [], 0),
    "its server errs too": (BY_VARIABLE, ERROR, ERROR, "", [], 0),
    "it asks the internet": (PLAIN, SILENT, SILENT, "", FLOWS, 1),
    "another program of it asks the host's server": (PLAIN, SILENT, SILENT, "", BESIDE, 1),
    "one of which answers": (PLAIN, SILENT, SILENT, "", LATE, 0),
    "one server alone": (PLAIN, SILENT, SILENT, "", FLOWS[:1], 0),
    "nothing is known of it": (PLAIN, ERROR, SILENT, "", [], 0),
}


def _forwarders(
    server: Container, own: Json, upstream: Json, log: str, flows: list[tuple[str, list[str]]]
) -> DnsForwarders:
    def answered(question: Question[Any]) -> Json:
        assert isinstance(question, QueryDns)
        is_upstream = question.pid is not None
        assert not is_upstream or (question.server, question.port) == (NEXT, 5053)
        return upstream if is_upstream else own

    entry = {"src": OWN, "sport": 4000, "dport": 53, "reply_src": "", "state": None}
    table = [entry | {"dst": address, "status": status} for address, status in flows]
    answers = {"dns.query": answered, ListConnections.POLICY.kind: {"entries": table}}
    logs = RecentLogs({server.id: (RecentLine(2_000_000_000.0, log),)} if log else {})
    netns = namespaces_of(server, Socket("udp", "0.0.0.0", 53))
    resolvers = Resolvers(ResolvConf((HOSTS,)), ResolvConf(), configured=(), inside={})
    return dns_forwarders(Made(answers), Containers((server,)), netns, logs, resolvers)


def _judged(found: DnsForwarders, server: Container) -> Result:
    return judge("dns.forwarder-unanswered", dns_forwarders=found, containers=Containers((server,)))


@pytest.mark.parametrize(
    ("server", "own", "upstream", "log", "flows", "wanted"), CASES.values(), ids=CASES
)
def test_servers_that_get_no_answer(
    server: Container,
    own: Json,
    upstream: Json,
    log: str,
    flows: list[tuple[str, list[str]]],
    wanted: int,
) -> None:
    found = _forwarders(server, own, upstream, log, flows)
    assert rows(_judged(found, server)) == [("critical", "pihole")] * wanted


REPLIES = {
    "a server that answers the host": (
        DnsReply(answered=True, ms=1.0, rcode="NOERROR"),
        {"host_server": HOSTS},
    ),
    "one that is silent to the host too": (DnsReply(answered=False, sent=2), {}),
}


@pytest.mark.parametrize(("reply", "named"), REPLIES.values(), ids=REPLIES)
def test_the_server_of_the_host_is_named_where_it_answers(
    reply: DnsReply, named: dict[str, str]
) -> None:
    (finding,) = judge(
        "dns.forwarder-unanswered",
        dns_forwarders=_forwarders(PLAIN, SILENT, SILENT, "", FLOWS),
        containers=Containers((PLAIN,)),
        resolvers=Resolvers(ResolvConf((HOSTS,)), ResolvConf(), configured=(), inside={}),
        lookups=Lookups(host={HOSTS: reply}),
    ).findings
    assert {name: finding.variables[name] for name in named} == named
    assert ("host_server" in finding.variables) == bool(named)


def test_nothing_is_asked_without_a_dns_server() -> None:
    made = Made({})
    assert not dns_forwarders(
        made, Containers((PLAIN,)), namespaces_of(PLAIN), recent_logs=None, resolvers=None
    ).asked
    assert not made.asked


NEIGHBOUR = container("unbound", NetworkSettings={"Networks": {"names": {"IPAddress": NEXT}}})
STOPPED = container(
    "unbound",
    State={"Status": "exited", "Running": False},
    NetworkSettings={"Networks": {"names": {"IPAMConfig": {"IPv4Address": NEXT}}}},
)
STRANGER = container(
    "other",
    State={"Status": "exited", "Running": False},
    NetworkSettings={"Networks": {"others": {"IPAMConfig": {"IPv4Address": NEXT}}}},
)
SECRET_WORD = _server(Config={"Cmd": ["dnsmasq", "--key=<redacted:1>", f"--server={NEXT}#5053"]})
SECRET = _server(Config={"Env": [f"DNS_UPSTREAM=<redacted:1>@{NEXT}#5053"]})
HERE = {"server_container": "unbound", "served_port": "53"}
STEPS: dict[str, tuple[Container, Container, dict[str, str]]] = {
    "a variable": (
        BY_VARIABLE,
        NEIGHBOUR,
        {**HERE, "variable_with_port": f"FTLCONF_dns_upstreams={NEXT}#53"},
    ),
    "an option": (
        BY_OPTION,
        NEIGHBOUR,
        {**HERE, "command_with_port": f"dnsmasq '--server={NEXT}#53'"},
    ),
    "a value that is hidden": (SECRET, NEIGHBOUR, HERE),
    "a command with a value that is hidden": (SECRET_WORD, NEIGHBOUR, HERE),
    "one of another network that is not running": (BY_VARIABLE, STRANGER, {}),
    "a neighbour that is not running": (BY_VARIABLE, STOPPED, {"stopped_server": "unbound"}),
}


@pytest.mark.parametrize(("server", "neighbour", "steps"), STEPS.values(), ids=STEPS)
def test_what_heals_a_server_whose_neighbour_does_not_answer(
    server: Container, neighbour: Container, steps: dict[str, str]
) -> None:
    found = _forwarders(server, ERROR, SILENT, log="", flows=[])
    (finding,) = judge(
        "dns.forwarder-unanswered",
        dns_forwarders=found,
        containers=Containers((server, neighbour)),
        namespaces=namespaces_of(neighbour, Socket("udp", "0.0.0.0", 53)),
    ).findings
    given = {"container", "forwarder", "upstream", "upstream_port", "upstream_end", "named_in"}
    kept = {name: value for name, value in finding.variables.items() if name not in given}
    assert kept == steps
