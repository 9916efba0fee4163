"""DNS servers that are containers of this host, and queries that leave untranslated, over made
evidence."""

from __future__ import annotations

import msgspec
import pytest

from diagnose.evidence.dns.dns_containers import dns_container
from diagnose.evidence.dns.ignored_questions import (
    IgnoredQuestions,
    ServersWithoutAaaa,
    servers_without_aaaa,
)
from diagnose.evidence.dns.lookups import DnsReply, Lookups, QueryPath
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers
from diagnose.evidence.dns.samples import DnsSamples, SampledPath
from diagnose.evidence.network.networks import Network
from diagnose.evidence.network.paths.outgoing.outbound_paths import OutboundPath
from diagnose.evidence.network.paths.outgoing.resolver_paths import ResolverPath, ResolverPaths
from diagnose.evidence.network.paths.packet_paths import ConnectionVerdict, PacketPaths
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.sockets.losses import NetworkLosses
from diagnose.evidence.network.uplinks import Uplink
from diagnose.firewall.actions import Translate
from diagnose.firewall.flow import Trace
from diagnose.firewall.rules import Ruleset
from diagnose.model import Failed, Json, Result
from diagnose.questions import AnyQuestion, Host
from diagnose.questions.dns import DnsSample
from tests.hosts import Made
from tests.inspected import EXITED, container, of
from tests.judging import judge, rows

BRIDGE = {
    "Id": "a" * 64,
    "Name": "bridge",
    "Driver": "bridge",
    "IPAM": {"Config": [{"Subnet": "172.17.0.0/16"}]},
}
DEFAULT = msgspec.convert(BRIDGE, Network)
HERE = {"NetworkSettings": {"Networks": {"bridge": {"IPAddress": "172.17.0.2"}}}}


def publishing(host_ip: str, **state: object) -> object:
    ports = {"53/udp": [{"HostIp": host_ip, "HostPort": "53"}]}
    return container("pihole", HostConfig={"PortBindings": ports}, **HERE, **state)


SERVERS = {
    "its own address": (publishing("10.0.0.1"), "172.17.0.2", False, True),
    "any address of the host": (publishing("0.0.0.0"), "192.0.2.10", True, True),
    "this address of the host": (publishing("192.0.2.10"), "192.0.2.10", True, True),
    "another address of the host": (publishing("127.0.0.1"), "192.0.2.10", True, False),
    "a stopped one": (publishing("0.0.0.0", **EXITED), "192.0.2.10", True, True),
    "another machine": (publishing("0.0.0.0"), "192.0.2.53", False, False),
}


@pytest.mark.parametrize("name", SERVERS)
def test_the_container_behind_a_server(name: str) -> None:
    pihole, server, is_of_host, wanted = SERVERS[name]
    assert (dns_container(of(pihole), server, is_of_host=is_of_host) is pihole) is wanted


WEB = container("web", **HERE)
HIDDEN = Trace("accept", snat=Translate("masquerade"), to="eth0")
BARE = Trace("accept", to="eth0")
AT_HOST = Trace("accept", to="")
SILENT, HEARD = DnsReply(sent=2), DnsReply(answered=True, rcode="NOERROR", ms=1.0)

QUERIES = {
    "translated": (HIDDEN, SILENT, []),
    "untranslated and lost": (BARE, SILENT, [("critical", "bridge")]),
    "a server of the host itself": (AT_HOST, SILENT, []),
    "untranslated, and somebody routes the network": (BARE, HEARD, []),
}


@pytest.mark.parametrize("name", QUERIES)
def test_queries_that_leave_with_a_containers_address(name: str) -> None:
    traced, reply, wanted = QUERIES[name]
    path = ResolverPath(WEB, DEFAULT, "10.20.0.53", "eth0", traced, 1)
    hidden = ConnectionVerdict("accept", Translate("masquerade"))
    outbound = OutboundPath(
        WEB, DEFAULT, "172.17.0.2", Uplink("eth0", "192.0.2.10"), hidden, hidden
    )
    asked = QueryPath(("bridge",), "10.20.0.53", ((WEB, reply),), (WEB,))
    result = judge(
        "firewall.masquerade-missing",
        firewall=Firewall(Ruleset()),
        packet_paths=PacketPaths((outbound,)),
        resolver_paths=ResolverPaths((path,), (path,) if path.is_untranslated else ()),
        lookups=Lookups(ways=(asked,)),
    )
    assert rows(result) == wanted


FROM_HOST, FROM_SHOP = (), ("shop",)
ALL, HALF, FEW, NONE = DnsSample(8, 8), DnsSample(20, 9), DnsSample(20, 18), DnsSample(8, 0)
QUARTER = DnsSample(20, 15)
LOSSES = {
    "all answered": ([("192.0.2.53", FROM_HOST, ALL)], []),
    "half lost": ([("192.0.2.53", FROM_HOST, HALF)], [("critical", "host")]),
    "one or two lost": ([("192.0.2.53", FROM_HOST, FEW)], []),
    "silent": ([("192.0.2.53", FROM_HOST, NONE)], []),
    "another server is sound": (
        [("192.0.2.53", FROM_HOST, HALF), ("192.0.2.54", FROM_HOST, ALL)],
        [("warning", "host")],
    ),
    "lost on a network's way": (
        [("192.0.2.53", FROM_HOST, ALL), ("192.0.2.53", FROM_SHOP, HALF)],
        [("critical", "host")],
    ),
}


def lost_queries(
    samples: list[tuple[str, tuple[str, ...], DnsSample]], losses: NetworkLosses | None = None
) -> Result:
    paths = tuple(SampledPath(server, networks, sample) for server, networks, sample in samples)
    return judge(
        "dns.queries-lost",
        lookups=Lookups(),
        samples=DnsSamples(paths),
        resolvers=RESOLVERS,
        network_losses=losses,
    )


RESOLVERS = Resolvers(ResolvConf(("192.0.2.53",)), ResolvConf(), configured=(), inside={})


@pytest.mark.parametrize("name", LOSSES)
def test_queries_lost(name: str) -> None:
    samples, wanted = LOSSES[name]
    result = lost_queries(samples)
    assert rows(result) == wanted
    is_inward = name == "lost on a network's way"
    assert all(("inward" in found.variables) is is_inward for found in result.findings)


def test_eight_answers_do_not_clear_a_way_while_another_loses_a_quarter() -> None:
    """A host that loses as many as its network is answered eight times in a row now and then."""
    samples = [("192.0.2.53", FROM_HOST, ALL), ("192.0.2.53", FROM_SHOP, QUARTER)]
    (finding,) = lost_queries(samples, TCP_TOO).findings
    assert "this host loses TCP packets too" in finding.summary
    (finding,) = lost_queries(samples).findings
    assert "the server, or the way to it, loses them" in finding.summary
    beside = [("192.0.2.53", FROM_HOST, QUARTER), ("192.0.2.54", FROM_HOST, ALL)]
    (finding,) = lost_queries(beside).findings
    assert finding.variables == {"server": "192.0.2.53"}


ANSWERED, SILENT = DnsReply(answered=True, rcode="NOERROR", ms=2.0, sent=1), DnsReply(sent=2)


@pytest.mark.parametrize(
    ("others", "sample", "variables"),
    [
        ({}, ALL, {"ignoring_server": "192.0.2.53"}),
        (
            {"192.0.2.54": ANSWERED},
            ALL,
            {"lossy_server": "192.0.2.53", "sound_server": "192.0.2.54"},
        ),
        ({"192.0.2.54": SILENT}, ALL, {"ignoring_server": "192.0.2.53"}),
        ({}, FEW, None),
    ],
    ids=["alone", "beside a sound one", "beside a silent one", "and loses others too"],
)
def test_a_server_that_ignores_questions_for_ipv6_addresses(
    others: dict[str, DnsReply], sample: DnsSample, variables: dict[str, str] | None
) -> None:
    answer = judge(
        "dns.queries-lost",
        lookups=Lookups({"192.0.2.53": ANSWERED, **others}),
        samples=DnsSamples((SampledPath("192.0.2.53", FROM_HOST, sample),)),
        resolvers=RESOLVERS,
        without_aaaa=ServersWithoutAaaa((IgnoredQuestions("192.0.2.53", ANSWERED, SILENT),)),
    )
    assert [finding.variables for finding in answer.findings] == ([variables] if variables else [])
    assert rows(answer) == ([("warning", "host")] if variables else [])


@pytest.mark.parametrize(
    ("ignored", "found"),
    [(set(), 0), ({".AAAA", "com.AAAA"}, 1), ({".AAAA"}, 0), ({".AAAA", "com.AAAA", ".A"}, 0)],
    ids=["answers all", "no AAAA", "one name alone", "is silent about the root"],
)
def test_servers_are_asked_for_ipv6_addresses(ignored: set[str], found: int) -> None:
    def reply(question: AnyQuestion) -> Json | Failed:
        kind = f"{question.args['name'].rstrip('.')}.{question.args['type']}"
        answers = kind not in ignored
        return {"answered": answers, "rcode": "NOERROR" if answers else None, "ms": 1.0, "sent": 2}

    asked = Lookups({"192.0.2.53": ANSWERED, "192.0.2.54": SILENT})
    assert len(servers_without_aaaa(Host(Made({"dns.query": reply})), asked)) == found


def test_a_sound_server_takes_over() -> None:
    samples, _ = LOSSES["another server is sound"]
    (finding,) = lost_queries(samples).findings
    assert finding.variables == {"lossy_server": "192.0.2.53", "sound_server": "192.0.2.54"}


def test_the_network_that_loses_queries_is_named() -> None:
    samples, _ = LOSSES["lost on a network's way"]
    (finding,) = lost_queries(samples).findings
    assert 'on the way from network "shop"' in finding.summary


TCP_TOO = NetworkLosses(sent_again={"feed": 4.0, "backup": 18.2})


@pytest.mark.parametrize(
    ("name", "is_of_network"),
    [("half lost", True), ("another server is sound", False), ("lost on a network's way", False)],
)
def test_a_network_that_loses_other_packets_too_is_the_cause(
    name: str, is_of_network: bool
) -> None:
    (finding,) = lost_queries(LOSSES[name][0], TCP_TOO).findings
    assert ('container "backup" had to send 18 %' in finding.summary) == is_of_network
    assert (finding.variables == {"beyond": "192.0.2.53"}) == is_of_network
