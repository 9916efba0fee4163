"""resolv.conf: stubs, missing and old files, the servers of an earlier network."""

from __future__ import annotations

from tests.lab import Box, Engines, fault, healthy
from tests.lab.provider import RESOLVER, SILENT
from tests.lab.runner import BASE_CONFIG, baseline, healthy_container
from tests.lab.scenarios.dns.helpers import resolves, start


@fault(
    "dns.loopback-stub",
    subject="host:host",
    engine_started=False,
    also=["dns.upstream-unreachable", "dns.host-broken"],
    first_command=("heals", "the example before it, which no report offers, changes nothing"),
)
def stub_without_a_file_behind_it(box: Box) -> None:
    """resolv.conf names 127.0.0.53 alone and systemd-resolved's own file is not there: containers
    get
    8.8.8.8."""
    box.spawn(["dnsmasq", "--keep-in-foreground", "--listen-address=127.0.0.53", "--bind-interfaces", "--no-hosts",
               "--no-resolv", f"--server={RESOLVER}", "--conf-file=/dev/null", "--user=root", "--pid-file="])  # fmt: skip
    start(box, "nameserver 127.0.0.53\n")
    baseline(box)
    assert "8.8.8.8" in box.read(box.inspect("web")["ResolvConfPath"])
    assert not resolves(box, "web")


@healthy(engine_started=False)
def stub_with_a_file_behind_it(box: Box) -> None:
    """systemd-resolved as distributions set it up: a stub in resolv.conf, the real servers in its
    own file."""
    box.spawn(["dnsmasq", "--keep-in-foreground", "--listen-address=127.0.0.53", "--bind-interfaces", "--no-hosts",
               "--no-resolv", f"--server={RESOLVER}", "--conf-file=/dev/null", "--user=root", "--pid-file="])  # fmt: skip
    box.write("/run/systemd/resolve/resolv.conf", f"nameserver {RESOLVER}\nsearch lab.test\n")
    start(box, "nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch lab.test\n")
    baseline(box)
    assert resolves(box, "web")


@healthy(engine_started=False, engines=Engines(since=26))
def stub_that_the_engine_asks(box: Box) -> None:
    """From engine 26 on containers of user-defined networks ask the host's loopback stub through
    the engine."""
    box.spawn(["dnsmasq", "--keep-in-foreground", "--listen-address=127.0.0.53", "--bind-interfaces", "--no-hosts",
               "--no-resolv", f"--server={RESOLVER}", "--conf-file=/dev/null", "--user=root", "--pid-file="])  # fmt: skip
    start(box, "nameserver 127.0.0.53\n")
    box.docker("network", "create", "shopnet")
    healthy_container(box, "web", 8080, "--net=shopnet")
    assert resolves(box, "web")


@healthy(engine_started=False)
def stub_with_a_configured_server(box: Box) -> None:
    """A local dnsmasq on 127.0.0.1, and the daemon was told which server containers shall ask."""
    box.spawn(["dnsmasq", "--keep-in-foreground", "--listen-address=127.0.0.1", "--bind-interfaces", "--no-hosts",
               "--no-resolv", f"--server={RESOLVER}", "--conf-file=/dev/null", "--user=root", "--pid-file="])  # fmt: skip
    box.write("/etc/resolv.conf", "nameserver 127.0.0.1\n")
    box.start_engine(config={**BASE_CONFIG, "dns": [RESOLVER]})
    baseline(box)
    assert resolves(box, "web")


@healthy(shareable=True)
def internal_network_without_a_way_out(box: Box) -> None:
    """A container on an internal network alone cannot resolve outside names, by design."""
    box.docker("network", "create", "--internal", "vault")
    box.docker(
        "run", "-d", "--name=inside", "--net=vault", "--memory=64m", "--pids-limit=64", "shop:1.4"
    )
    assert not resolves(box, "inside")


@healthy(engine_started=False, box={"provider": False})
def island(box: Box) -> None:
    """A host in a net of its own, without a default route and without a DNS server, as closed sites
    have them."""
    box.sh(
        "ip link add lan0 type veth peer name far0; ip addr add 10.5.0.2/24 dev lan0; ip link set lan0 up; ip link set far0 up"
    )
    start(box, "")
    box.docker("network", "create", "siteflow")
    healthy_container(box, "web", 8080)
    healthy_container(box, "ledger", 8081, "--net=siteflow")
    assert not resolves(box, "web")


@fault(
    "dns.no-nameserver",
    subject="host:host",
    engine_started=False,
    also=["dns.upstream-unreachable"],
    first_command=("heals", "it starts the resolver that the link points to; the lab has none"),
)
def link_to_nothing(box: Box) -> None:
    """resolv.conf is a link to a file that is not there."""
    box.sh("rm -f /etc/resolv.conf; ln -s ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf")
    box.start_engine(config=BASE_CONFIG)
    baseline(box)
    assert not resolves(box, "web")


@fault(
    "dns.host-broken",
    subject="host:host",
    also=["dns.upstream-unreachable", "network.*", "firewall.*"],
)
def uplink_down(box: Box) -> None:
    """The host's only interface to others is down, and took its routes with it."""
    box.sh("ip link set eth0 down")
    by_id = {f["id"]: f for f in box.diagnose("all", "--format", "json").findings}
    assert "no default route leads out, eth0 is down" in by_id["dns.host-broken"]["summary"]


@fault("dns.stale-resolv-conf", subject="container:web", also=["dns.upstream-unreachable"])
def server_moved(box: Box) -> None:
    """The host got a new DNS server after the container started, and the old one is gone."""
    box.write("/etc/resolv.conf", f"nameserver {SILENT}\n")
    box.docker("rm", "-f", "web")
    baseline(box)
    assert not resolves(box, "web")
    box.sh("sleep 1.1")
    box.write("/etc/resolv.conf", f"nameserver {RESOLVER}\n")


@fault(
    "dns.no-nameserver", subject="host:host", also=["dns.host-broken", "dns.upstream-unreachable"]
)
def host_has_ipv6_servers_only(box: Box) -> None:
    """The host's file came to name an IPv6 server alone: a container without IPv6 that starts then
    gets 8.8.8.8, one that started before still has the old server and works."""
    box.sh("sleep 1.1")
    box.write("/etc/resolv.conf", "nameserver 2001:db8::53\n")
    healthy_container(box, "new", 8081)
    assert "8.8.8.8" in box.read(box.inspect("new")["ResolvConfPath"])
    assert resolves(box, "web")
    assert not resolves(box, "new")
    findings = box.diagnose("all", "--format", "json").findings
    (lost,) = (f for f in findings if f["id"] == "dns.upstream-unreachable")
    assert "dns.no-nameserver" in [cause["id"] for cause in lost["caused_by"]], lost["caused_by"]
    assert "dns.stale-resolv-conf" not in [f["id"] for f in findings]


@fault("dns.upstream-unreachable", subject="container:lonely")
def another_container_has_old_servers(box: Box) -> None:
    """A container's own server is silent; its neighbour has the host's old server, which answers,
    and no part in it."""
    box.docker(
        "run", "-d", "--name=lonely", f"--dns={SILENT}", "--memory=64m", "--pids-limit=64",
        "shop:1.4",
    )  # fmt: skip
    box.provider.sh(
        f"ip addr add 192.0.2.54/24 dev uplink; iptables -t nat -A PREROUTING -d 192.0.2.54 -j DNAT --to {RESOLVER}"
    )
    box.sh("sleep 1.1")
    box.write("/etc/resolv.conf", "nameserver 192.0.2.54\n")
    assert resolves(box, "web")
    assert not resolves(box, "lonely")
    findings = box.diagnose("all", "--format", "json").findings
    (lost,) = (f for f in findings if f["id"] == "dns.upstream-unreachable")
    assert "dns.stale-resolv-conf" in [f["id"] for f in findings]
    assert lost["caused_by"] == []
