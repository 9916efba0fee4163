"""One connection through a whole host: local delivery, marks and routes, the check of the source,
and the way of the answer."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.firewall.actions import Stop
from diagnose.firewall.flow import Flow, Origin
from diagnose.firewall.network_stack import Device, NetworkStack, Settings
from diagnose.firewall.routing import Routing
from diagnose.firewall.rules import Chain, Rule, Ruleset, Table
from diagnose.firewall.ruleset import assemble
from diagnose.firewall.trace import trace, trace_bridged
from diagnose.questions.network import PolicyRule, Route

NO_NFTABLES = {
    "loaded": False,
    "byteorder": "little",
    "consistent": True,
    "tables": [],
    "chains": [],
    "rules": [],
    "sets": [],
}
NAMES = {2: "eth0", 3: "eth1", 4: "docker0", 5: "br-shop"}
DEVICES = (
    Device("lo", ("127.0.0.1/8",)),
    Device("eth0", ("192.0.2.10/24",)),
    Device("eth1", ("203.0.113.10/24",)),
    Device("docker0", ("172.17.0.1/16",), "bridge", ("veth2", "veth3")),
    Device("br-shop", ("172.18.0.1/16",), "bridge", ("veth4",)),
)
ROUTES = (
    Route("0.0.0.0", 0, gateway="192.0.2.1", oif=2),
    Route("192.0.2.0", 24, oif=2),
    Route("203.0.113.0", 24, oif=3),
    Route("172.17.0.0", 16, oif=4),
    Route("172.18.0.0", 16, oif=5),
    Route("127.0.0.0", 8, table=255, oif=1, type="local"),
    *(
        Route(address, 32, table=255, oif=index, type="local")
        for address, index in (
            ("192.0.2.10", 2),
            ("203.0.113.10", 3),
            ("172.17.0.1", 4),
            ("172.18.0.1", 5),
        )
    ),
    Route("0.0.0.0", 0, table=102, gateway="203.0.113.1", oif=3),
)
OWN_RULES = (
    PolicyRule(0, table=255, action="lookup"),
    PolicyRule(32766, table=254, action="lookup"),
    PolicyRule(32767, table=253, action="lookup"),
)
FROM_ETH1 = PolicyRule(100, src="203.0.113.10/32", table=102, action="lookup")
BY_MARK = PolicyRule(90, mark=2, table=102, action="lookup")
PEER = "198.51.100.7"
DNAT = "-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80"


def stack(text: str = "", rules: tuple[PolicyRule, ...] = (), **settings: Any) -> NetworkStack:
    """A host with two uplinks and two bridges. text: as iptables-save writes it."""
    return NetworkStack(
        assemble(NO_NFTABLES, {"ip": text} if text else None),
        Routing(ROUTES, (*OWN_RULES, *rules), NAMES),
        DEVICES,
        Settings(**settings),
        ("172.17.0.0/16", "172.18.0.0/16"),
    )


def table(name: str, *rules: str, policy: str = "ACCEPT") -> str:
    chains = {"nat": "PREROUTING INPUT OUTPUT POSTROUTING", "filter": "INPUT FORWARD OUTPUT"}
    hooks = chains.get(name, "PREROUTING INPUT FORWARD OUTPUT POSTROUTING").split()
    declared = "".join(
        f":{hook} {policy if name == 'filter' else 'ACCEPT'} [0:0]\n" for hook in hooks
    )
    return f"*{name}\n{declared}" + "".join(f"{rule}\n" for rule in rules) + "COMMIT\n"


CONTAINER = Origin("docker0", "172.17.0.2")
CLIENT = Origin("eth0", PEER)
SECOND = Origin("eth1", PEER)
MASQUERADE = table("nat", "-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE")

CASES: dict[str, tuple[NetworkStack, Flow, str, str]] = {
    "out, translated": (stack(MASQUERADE), Flow(CONTAINER, PEER, "tcp", 443), "accept", "eth0"),
    "to the host": (stack(), Flow(CONTAINER, "172.17.0.1", "tcp", 5432), "accept", ""),
    "to the host, closed": (
        stack(table("filter", "-A INPUT -i docker0 -j DROP")),
        Flow(CONTAINER, "172.17.0.1", "tcp", 5432),
        "drop",
        "chain INPUT of table ip filter (-i docker0 -j DROP)",
    ),
    "to the host, and the answer is dropped": (
        stack(table("filter", "-A OUTPUT -o docker0 -j DROP")),
        Flow(CONTAINER, "172.17.0.1", "tcp", 5432),
        "drop",
        "chain OUTPUT of table ip filter (-o docker0 -j DROP)",
    ),
    "the host to its own address, by lo": (
        stack(table("filter", "-A OUTPUT -o eth1 -j DROP", "-A INPUT ! -i lo -j DROP")),
        Flow(Origin(), "203.0.113.10", "tcp", 443),
        "accept",
        "",
    ),
    "out, and only what opens a connection is let through": (
        stack(
            table(
                "filter",
                "-A FORWARD -i docker0 -m conntrack --ctstate NEW -j ACCEPT",
                "-A FORWARD -o docker0 -m conntrack --ctstate ESTABLISHED -j ACCEPT",
                policy="DROP",
            )
        ),
        Flow(CONTAINER, PEER, "tcp", 443),
        "drop",
        "chain FORWARD of table ip filter (policy drop)",
    ),
    "in, and translated connections are let through before they are translated": (
        stack(
            table("nat", DNAT)
            + table(
                "mangle",
                "-A PREROUTING -m conntrack --ctstatus DNAT -j ACCEPT",
                "-A PREROUTING -m conntrack --ctstate NEW -j ACCEPT",
                "-A PREROUTING -j DROP",
            )
        ),
        Flow(CLIENT, "192.0.2.10", "tcp", 8080),
        "accept",
        "docker0",
    ),
    "in, and only what opens a connection is let through before": (
        stack(
            table("nat", DNAT)
            + table(
                "mangle",
                "-A PREROUTING -i docker0 -j ACCEPT",
                "-A PREROUTING -m conntrack --ctstate NEW -j ACCEPT",
                "-A PREROUTING -j DROP",
            )
        ),
        Flow(CLIENT, "192.0.2.10", "tcp", 8080),
        "drop",
        "chain PREROUTING of table ip mangle (-j DROP)",
    ),
    "out, a datagram, of which only the first is let through": (
        stack(
            table(
                "filter",
                "-A FORWARD -i docker0 -m conntrack --ctstate NEW -j ACCEPT",
                "-A FORWARD -o docker0 -m conntrack --ctstate ESTABLISHED -j ACCEPT",
                policy="DROP",
            )
        ),
        Flow(CONTAINER, PEER, "udp", 53),
        "accept",
        "eth0",
    ),
    "in, translated, and the answer is kept out of conntrack": (
        stack(table("nat", DNAT) + table("raw", "-A PREROUTING -i docker0 -j CT --notrack")),
        Flow(CLIENT, "192.0.2.10", "tcp", 8080),
        "drop",
        "chain PREROUTING of table ip raw (-i docker0 -j CT --notrack)",
    ),
    "in, kept out of conntrack, and what answers is translated": (
        stack(MASQUERADE + table("raw", "-A PREROUTING -i eth0 -j CT --notrack")),
        Flow(CLIENT, "172.17.0.2", "udp", 53),
        "drop",
        "chain POSTROUTING of table ip nat (-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE)",
    ),
    "to the host, kept out of conntrack, and what follows the answer is translated": (
        stack(MASQUERADE + table("raw", "-A PREROUTING -i eth0 -j CT --notrack")),
        Flow(CLIENT, "172.17.0.1", "tcp", 22),
        "drop",
        "chain POSTROUTING of table ip nat (-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE)",
    ),
    "to the host, and both ways are kept out of conntrack": (
        stack(
            MASQUERADE
            + table("raw", "-A PREROUTING -i eth0 -j CT --notrack", "-A OUTPUT -j CT --notrack")
        ),
        Flow(CLIENT, "172.17.0.1", "tcp", 22),
        "accept",
        "",
    ),
    "to the host, kept out of conntrack, by an address that a rule leaves as it is": (
        stack(
            table("nat", "-A POSTROUTING -o eth0 -j MASQUERADE")
            + table("raw", "-A PREROUTING -i eth0 -j CT --notrack")
        ),
        Flow(CLIENT, "192.0.2.10", "tcp", 22),
        "accept",
        "",
    ),
    "in, translated, and what follows is let in by its first address": (
        stack(
            table("nat", DNAT)
            + table(
                "filter",
                "-A FORWARD -i docker0 -j ACCEPT",
                "-A FORWARD -m conntrack --ctorigdstport 8080 --ctproto tcp -j ACCEPT",
                policy="DROP",
            )
        ),
        Flow(CLIENT, "192.0.2.10", "tcp", 8080),
        "accept",
        "docker0",
    ),
    "out, and taken to the host itself": (
        stack(
            table("nat", "-A PREROUTING -p tcp -m tcp --dport 443 -j REDIRECT --to-ports 22")
            + table("filter", "-A FORWARD -j DROP")
        ),
        Flow(CONTAINER, PEER, "tcp", 443),
        "accept",
        "",
    ),
    "in, translated": (
        stack(table("nat", DNAT)),
        Flow(CLIENT, "192.0.2.10", "tcp", 8080),
        "accept",
        "docker0",
    ),
    "in by the second uplink, answered by the first": (
        stack(table("nat", DNAT), (FROM_ETH1,)),
        Flow(SECOND, "203.0.113.10", "tcp", 8080),
        "drop",
        "routing eth0: answers to 198.51.100.7 leave through eth0, not through eth1",
    ),
    "out, and a route takes the answer, which a policy drops on its way": (
        stack(
            table("filter", "-A FORWARD -i docker0 -j ACCEPT", policy="DROP"),
            (PolicyRule(90, dst="172.17.0.0/16", table=102, action="lookup"),),
        ),
        Flow(CONTAINER, PEER, "tcp", 443),
        "drop",
        "routing eth1: answers to 172.17.0.2 leave through eth1, not through docker0",
    ),
    "in by the second uplink, to a program of the host": (
        stack("", (FROM_ETH1,)),
        Flow(SECOND, "203.0.113.10", "tcp", 22),
        "accept",
        "",
    ),
    "in by the second uplink, answered by a mark": (
        stack(
            table("nat", DNAT)
            + table(
                "mangle",
                "-A PREROUTING -i eth1 -m conntrack --ctstate NEW -j CONNMARK --set-xmark 0x2/0xffffffff",
                "-A PREROUTING -i docker0 -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff",
            ),
            (FROM_ETH1, BY_MARK),
        ),
        Flow(SECOND, "203.0.113.10", "tcp", 8080),
        "accept",
        "docker0",
    ),
    "a source that belongs elsewhere": (
        stack(reverse_path={"eth1": 1}),
        Flow(SECOND, "203.0.113.10", "tcp", 22),
        "drop",
        "routing eth1: rp_filter=1: the way back to 198.51.100.7 leads by eth0",
    ),
    "a source that belongs elsewhere, loosely": (
        stack("", (FROM_ETH1,), reverse_path={"eth1": 2}),
        Flow(SECOND, "203.0.113.10", "tcp", 22),
        "accept",
        "",
    ),
    "the host's own address from outside": (
        stack(),
        Flow(Origin("eth0", "172.17.0.1"), "192.0.2.10", "tcp", 22),
        "drop",
        "routing eth0: source 172.17.0.1 is an address of this host",
    ),
    "forwarding is off": (
        stack(forwarding={"docker0": False}),
        Flow(CONTAINER, PEER, "tcp", 443),
        "drop",
        "routing docker0: forwarding is off",
    ),
    "a route that refuses": (
        stack("", (PolicyRule(50, src="172.17.0.0/16", action="prohibit"),)),
        Flow(CONTAINER, PEER, "tcp", 443),
        "reject",
        "routing: rule 50: from 172.17.0.0/16 prohibit",
    ),
    "a rule that asks for what is not shown": (
        stack("", (PolicyRule(50, table=102, action="lookup", other=("ip_proto",)),)),
        Flow(CONTAINER, PEER, "tcp", 443, assumed="eth0"),
        "unknown",
        "routing: rule 50: from all lookup 102",
    ),
    "from the host to a container": (
        stack(),
        Flow(Origin(), "172.17.0.2", "tcp", 80),
        "accept",
        "docker0",
    ),
    "from the host to its own published port": (
        stack(
            table(
                "nat", "-A OUTPUT -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80"
            )
        ),
        Flow(Origin(), "192.0.2.10", "tcp", 8080),
        "accept",
        "docker0",
    ),
    "from the host, and a rule for the source that it then has": (
        stack(
            rules=(*OWN_RULES, PolicyRule(100, src="172.17.0.0/16", table=254, action="prohibit"))
        ),
        Flow(Origin(), "172.17.0.2", "tcp", 80),
        "reject",
        "routing: rule 100: from 172.17.0.0/16 prohibit",
    ),
    "in, and a rule before conntrack that asks for its state": (
        stack(table("raw", "-A PREROUTING -m conntrack --ctstate INVALID -j DROP")),
        Flow(CLIENT, "192.0.2.10", "tcp", 22),
        "drop",
        "chain PREROUTING of table ip raw (-m conntrack --ctstate INVALID -j DROP)",
    ),
    "in, and a rule behind conntrack that asks for its state": (
        stack(table("mangle", "-A PREROUTING -m conntrack --ctstate INVALID -j DROP")),
        Flow(CLIENT, "192.0.2.10", "tcp", 22),
        "accept",
        "",
    ),
    "from the host to itself": (stack(), Flow(Origin(), "192.0.2.10", "tcp", 22), "accept", ""),
    "from the host to itself, without lo": (
        stack(table("filter", policy="DROP").replace(":OUTPUT DROP", ":OUTPUT ACCEPT")),
        Flow(Origin(), "127.0.0.1", "tcp", 22),
        "drop",
        "chain INPUT of table ip filter (policy drop)",
    ),
    "back into the bridge that it came from": (
        stack(table("nat", DNAT.replace("172.17.0.2", "172.17.0.3"))),
        Flow(CONTAINER, "192.0.2.10", "tcp", 8080),
        "drop",
        "routing docker0: 172.17.0.3 answers its neighbour directly, not through the host that translated the request",
    ),
    "back into the bridge, seen by br_netfilter": (
        stack(table("nat", DNAT.replace("172.17.0.2", "172.17.0.3")), bridge_filter=True),
        Flow(CONTAINER, "192.0.2.10", "tcp", 8080),
        "accept",
        "docker0",
    ),
    "answers of a second gateway": (
        stack(table("nat", DNAT), reverse_path={"br-shop": 1}),
        Flow(CLIENT, "192.0.2.10", "tcp", 8080, answers_by="br-shop"),
        "drop",
        "routing br-shop: rp_filter=1: the way back to 172.17.0.2 leads by docker0",
    ),
    "several sources alike": (
        stack(MASQUERADE),
        Flow(Origin("docker0", ("172.17.0.2", "172.17.0.3")), PEER, "tcp", 443),
        "accept",
        "eth0",
    ),
    "several sources, told apart": (
        stack(MASQUERADE + table("filter", "-A FORWARD -s 172.17.0.3/32 -j DROP")),
        Flow(Origin("docker0", ("172.17.0.2", "172.17.0.3")), PEER, "tcp", 443),
        "unknown",
        "chain FORWARD of table ip filter (-s 172.17.0.3/32 -j DROP)",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_connection(name: str) -> None:
    """Where it arrives, or what stops it."""
    host, flow, outcome, end = CASES[name]
    traced = trace(host, flow)
    assert (traced.outcome, str(traced.by) if traced.by else traced.to) == (outcome, end)


@pytest.mark.parametrize(("seen", "outcome"), [(True, "reject"), (False, "accept")])
def test_between_two_ports_of_a_bridge(seen: bool, outcome: str) -> None:
    host = stack(table("filter", "-A FORWARD -i docker0 -o docker0 -j REJECT"), bridge_filter=seen)
    assert trace_bridged(host, Flow(CONTAINER, "172.17.0.3", "tcp", 80)).outcome == outcome


def test_the_source_of_a_masqueraded_packet_is_the_hosts_address_there() -> None:
    traced = trace(stack(MASQUERADE), Flow(CONTAINER, PEER, "tcp", 443))
    assert traced.packet is not None
    assert traced.packet.src == "192.0.2.10"


def test_the_answer_carries_the_addresses_that_conntrack_restores() -> None:
    """Before translation is undone an answer is for the host, behind it for the container."""
    rules = MASQUERADE + table("raw", "-A PREROUTING -i eth0 -d 172.17.0.0/16 -j DROP")
    assert trace(stack(rules), Flow(CONTAINER, PEER, "tcp", 443)).outcome == "accept"
    rules = MASQUERADE + table("filter", "-A FORWARD -i eth0 -d 172.17.0.2/32 -j DROP")
    blocked = trace(stack(rules), Flow(CONTAINER, PEER, "tcp", 443))
    assert (blocked.outcome, blocked.obstacle and blocked.obstacle.part) == ("drop", "reply")


DECISIONS: dict[str, tuple[tuple[PolicyRule, ...], dict[str, Any], str]] = {
    "the default route": ((), {"dst": PEER}, "eth0"),
    "the longest prefix": ((), {"dst": "203.0.113.9"}, "eth1"),
    "a rule for a source": ((FROM_ETH1,), {"dst": PEER, "src": "203.0.113.10"}, "eth1"),
    "a rule for a source that is not known yet": ((FROM_ETH1,), {"dst": PEER}, "eth0"),
    "a mark": ((BY_MARK,), {"dst": PEER, "mark": 2}, "eth1"),
    "another mark": ((BY_MARK,), {"dst": PEER, "mark": 3}, "eth0"),
    "a mark under a mask": (
        (PolicyRule(90, mark=2, mask=0xF, table=102, action="lookup"),),
        {"dst": PEER, "mark": 0x12},
        "eth1",
    ),
    "not a mark": (
        (PolicyRule(90, mark=2, invert=True, table=102, action="lookup"),),
        {"dst": PEER},
        "eth1",
    ),
    "an interface": (
        (PolicyRule(90, iif="docker0", table=102, action="lookup"),),
        {"dst": PEER, "iif": "docker0"},
        "eth1",
    ),
    "routes that are too short do not count": (
        (
            PolicyRule(40, table=254, action="lookup", suppress_prefix=0),
            PolicyRule(50, table=102, action="lookup"),
        ),
        {"dst": PEER},
        "eth1",
    ),
    "a goto past a rule": (
        (
            PolicyRule(40, action="goto", goto=60),
            PolicyRule(50, table=102, action="lookup"),
            PolicyRule(60, action="nop"),
        ),
        {"dst": PEER},
        "eth0",
    ),
    "an empty table goes on": ((PolicyRule(50, table=77, action="lookup"),), {"dst": PEER}, "eth0"),
}


@pytest.mark.parametrize("name", DECISIONS)
def test_a_route(name: str) -> None:
    rules, asked, wanted = DECISIONS[name]
    assert Routing(ROUTES, (*OWN_RULES, *rules), NAMES).look_up(**asked).oif == wanted


def test_no_route_is_a_refusal() -> None:
    decision = Routing((), OWN_RULES, NAMES).look_up(PEER)
    assert decision.is_refused


@pytest.mark.parametrize(("device", "outcome"), [("veth2", "unknown"), ("veth4", "accept")])
def test_what_one_port_of_the_bridge_drops_leaves_the_answer_in_doubt(
    device: str, outcome: str
) -> None:
    drop = Rule("drop", action=Stop("drop"))
    guard = Chain(Table("nft", "netdev", "guard"), "c", (drop,), hook="ingress", devices=(device,))
    stack = NetworkStack(Ruleset((guard,)), Routing(ROUTES, None, NAMES), DEVICES, Settings())
    traced = trace(stack, Flow(Origin("eth0", "198.51.100.7"), "172.17.0.2", "tcp", 80))
    assert traced.outcome == outcome


@pytest.mark.parametrize(("device", "outcome"), [("veth2", "drop"), ("veth4", "accept")])
def test_what_a_port_drops_does_not_reach_the_other_port(device: str, outcome: str) -> None:
    drop = Rule("drop", action=Stop("drop"))
    guard = Chain(Table("nft", "netdev", "guard"), "c", (drop,), hook="ingress", devices=(device,))
    stack = NetworkStack(Ruleset((guard,)), Routing(ROUTES, None, NAMES), DEVICES, Settings())
    origin = Origin("docker0", "172.17.0.2", "veth2")
    traced = trace_bridged(stack, Flow(origin, "172.17.0.3", "tcp", 80), "veth3")
    assert traced.outcome == outcome
