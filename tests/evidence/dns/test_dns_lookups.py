"""What lookups ask, of whom, and how often."""

from __future__ import annotations

import pytest

from diagnose import registry
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.dns.lookups import Lookups, lookups
from diagnose.evidence.dns.names.failed_names import FailedName, FailedNames
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers, Upstream, parse
from diagnose.evidence.dns.samples import DnsSamples, dns_samples
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.run.options import Options
from diagnose.model import Failed, Json, Unavailable
from diagnose.questions import AnyQuestion, Host
from tests.checks.dns.evidence import (
    LAN,
    MISSING,
    NETWORKS,
    NONE,
    OTHER,
    V20,
    V26,
    V28,
    container,
    dns_host,
    nameserver,
)
from tests.hosts import Made


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(V20, ResolvConf(("127.0.0.11",), ("lab.test",), ("ndots:0",)), id="20.10"),
        pytest.param(
            V26,
            ResolvConf(("127.0.0.11",), ("lab.test",), ("ndots:0",), (Upstream(LAN),)),
            id="26.1",
        ),
        pytest.param(
            V28,
            ResolvConf(
                ("127.0.0.11",),
                ("lab.test",),
                ("ndots:0",),
                (Upstream("127.0.0.53", by_host=True), Upstream(OTHER)),
            ),
            id="28.5",
        ),
        pytest.param(
            NONE, ResolvConf(("127.0.0.11",), (), ("ndots:0",), (), none_left=True), id="none left"
        ),
        pytest.param(
            "; old\nnameserver  10.0.0.1 \n#nameserver 10.0.0.2\ndomain a.test\nsearch b.test c.test\nnameserver\n",
            ResolvConf(("10.0.0.1",), ("b.test", "c.test")),
            id="by hand",
        ),
        pytest.param("", ResolvConf(), id="empty"),
    ],
)
def test_resolv_conf(text: str, expected: ResolvConf) -> None:
    assert parse(text) == expected


def test_upstreams_are_asked_for_the_root_only_and_names_go_to_the_embedded_resolver_only() -> None:
    listed = [
        (container("plain"), nameserver()),
        (container("web", "shop"), V28),
        (container("safe", "vault"), V26),
    ]
    *_, made = dns_host(*listed, replies={(LAN, True): "NOERROR"}, resolve=("intranet.example",))
    queries = [query for query in made.asked if query.kind == "dns.query"]
    asked = {(q.args["server"], q.args["name"], q.args["type"], q.args["pid"]) for q in queries}
    pid = {owner.name: owner.state.pid for owner, _ in listed}
    assert asked == {
        (LAN, ".", "NS", None),
        (LAN, ".", "NS", pid["plain"]),
        ("127.0.0.53", ".", "NS", None),
        (OTHER, ".", "NS", None),
        (OTHER, ".", "NS", pid["web"]),
        ("127.0.0.11", "web", "A", pid["web"]),
        ("127.0.0.11", "safe", "A", pid["safe"]),
        (LAN, "intranet.example", "A", None),
    }


BY_HOST = V26.replace("[192.0.2.53]", "[host(192.0.2.53)]")


def test_an_engine_that_writes_no_rules_has_a_query_sent_past_its_resolver() -> None:
    listed = (container("web", "shop"), BY_HOST)
    alone = DaemonConfig("/etc/docker/daemon.json", values={"iptables": False})
    for config, wanted in ((None, 0), (alone, 1)):
        _, _, answer, made = dns_host(listed, replies={(LAN, True): "NOERROR"}, config=config)
        past = [
            question
            for question in made.asked
            if (question.args["server"], question.args["pid"]) == (LAN, listed[0].state.pid)
        ]
        assert len(past) == len(answer.probes) == wanted
        assert not answer.ways


def test_one_way_is_asked_by_two_containers_at_most() -> None:
    *_, made = dns_host(
        *((container(f"c{n:02}"), nameserver()) for n in range(50)),
        replies={(LAN, True): "NOERROR"},
    )
    queries = [query for query in made.asked if query.kind == "dns.query"]
    assert sum(query.args["pid"] is not None for query in queries) == 2


def test_queries_that_could_not_be_sent_are_listed_in_one_order() -> None:
    """The first one is what a report names: the order of a set differs in each process."""
    servers = ("192.0.2.7", "192.0.2.3", "192.0.2.5")
    listed = (container("plain"), "".join(map(nameserver, servers)))
    containers, resolvers, _, made = dns_host(listed, replies={(LAN, True): "NOERROR"})
    reply = made.answers["dns.query"]
    assert callable(reply)

    def refusing(query: AnyQuestion) -> Json | Failed:
        is_of_host = query.args["pid"] is None
        return reply(query) if is_of_host else Failed("forbidden", query.args["server"])

    host = Made({**made.answers, "dns.query": refusing})
    answer = lookups(
        host, containers, NETWORKS, resolvers, None, Options(), failed_names=None, config=None
    )
    assert isinstance(answer, Lookups)
    words = [unexamined.why.rpartition(" ")[2] for unexamined in answer.unasked]
    assert words == sorted(servers)


@pytest.mark.parametrize(("server", "asked"), [(LAN, [LAN]), ("127.0.0.1", [])])
def test_the_host_asks_where_a_failing_container_has_ended_meanwhile(
    server: str, asked: list[str]
) -> None:
    """It is restarted again and again, and so are the namespaces of its runs; but 127.0.0.1 of a
    container is another one than the host's."""
    open_network = {"bridge": {"IPAddress": "172.17.0.2", "Gateway": "172.17.0.1"}}
    caller = container("payer", NetworkSettings={"Networks": open_network})
    listed = (caller, nameserver(server))
    containers, resolvers, _, made = dns_host(listed, replies={(LAN, True): "NOERROR"})
    (payer,) = containers
    reply = made.answers["dns.query"]
    assert callable(reply)

    def gone_inside(query: AnyQuestion) -> Json | Failed:
        return reply(query) if query.args["pid"] is None else Failed("gone", "it has ended")

    host = Made({**made.answers, "dns.query": gone_inside})
    failed = FailedNames({payer.id: (FailedName("pay.office.test", "no such host"),)})
    lookups(
        host, containers, NETWORKS, resolvers, None, Options(), failed_names=failed, config=None
    )
    about_name = [query.args for query in host.asked if query.args.get("name") == "pay.office.test"]
    assert [query["server"] for query in about_name if query["pid"] is None] == asked


def test_a_container_that_is_started_again_gets_what_is_configured_by_now() -> None:
    unconfigured = Resolvers(ResolvConf((LAN,)), MISSING, configured=(), inside={})
    configured = Resolvers(ResolvConf((LAN,)), MISSING, configured=(OTHER,), inside={})
    down = container("payer", State={"Status": "restarting"})
    of_its_own = container("payer", HostConfig={"Dns": ["192.0.2.99"]})
    assert unconfigured.at_next_start(down) == (Upstream(LAN),)
    assert configured.at_next_start(down) == (Upstream(OTHER),)
    assert configured.at_next_start(of_its_own) == (Upstream("192.0.2.99"),)


def test_without_probes_nothing_is_concluded() -> None:
    made = Made({"dns.query": Failed("not allowed", "probes are turned off by --no-probe")})
    resolvers = Resolvers(ResolvConf((LAN,)), MISSING, configured=(), inside={})
    answer = lookups(
        Host(made),
        Containers(()),
        NETWORKS,
        resolvers,
        None,
        Options(),
        failed_names=None,
        config=None,
    )
    assert answer == Unavailable("not applicable", "probes are turned off by --no-probe")


def test_lookups_and_samples_send_the_same_samples() -> None:
    """What only one of them asked would be sent late, or twice."""
    listed = ((container("web", "shop"), V26), (container("plain"), nameserver(OTHER)))
    containers, resolvers, _, asked = dns_host(*listed, replies={(LAN, True): "NOERROR"})
    made = Made(asked.answers)
    sampled = dns_samples(made, containers, NETWORKS, resolvers, routes=None, config=None)
    assert isinstance(sampled, DnsSamples)
    assert len(sampled.paths) == len(made.asked) > 2
    assert set(made.asked) == {query for query in asked.asked if query.kind == "dns.sample"}


def test_samples_wait_for_no_log() -> None:
    """They take a tenth of a second, and end a run where they begin after the logs are read."""
    logs = {FailedNames, RecentLogs}
    assert logs <= registry.stands_on(Lookups)
    assert not logs & registry.stands_on(DnsSamples)


def test_samples_that_were_refused_are_unavailable() -> None:
    made = Made({"dns.sample": Failed("not allowed", "probes are turned off by --no-probe")})
    resolvers = Resolvers(ResolvConf((LAN,)), MISSING, configured=(), inside={})
    sampled = dns_samples(made, Containers(()), NETWORKS, resolvers, routes=None, config=None)
    assert sampled == Unavailable("not allowed", "probes are turned off by --no-probe")
