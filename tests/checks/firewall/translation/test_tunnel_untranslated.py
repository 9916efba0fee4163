"""The check in checks/firewall/translation/tunnel_untranslated.py, on rules of a VPN server."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.paths.outgoing.misnamed_exits import MisnamedExits, misnamed_exits
from diagnose.evidence.network.wiring.tunnels import Tunnels
from diagnose.firewall.network_stack import Device, NetworkStack
from diagnose.firewall.routing import Routing
from diagnose.firewall.ruleset import assemble
from diagnose.model import Json
from diagnose.questions.network import Route
from tests.hosts import Made
from tests.judging import judge, rows

NAT = "*nat\n:PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n{}\nCOMMIT\n"
LINKS = {1: "lo", 2: "ens3", 3: "wg0", 4: "ens4"}
SERVER = "10.8.0.1/24"


def found(
    rule: str, tunnel: str = SERVER, way_out: int = 2, flows: Sequence[Json] = ()
) -> MisnamedExits:
    """What is found of a host with a tunnel, one rule for packets that leave, and connections."""
    routes = [
        Route("0.0.0.0", 0, gateway="192.0.2.1", oif=way_out),
        Route("192.0.2.0", 24, oif=2),
        Route("10.8.0.0", 24, oif=3),
    ]
    devices = (
        Device("ens3", ("192.0.2.10/24",)),
        Device("wg0", (tunnel,), "wireguard"),
        Device("ens4", ("198.51.100.10/24",)),
    )
    rules = assemble(
        {"tables": [], "chains": [], "rules": [], "sets": [], "elements": []},
        {"ip": NAT.format(rule)},
        {},
        LINKS,
    )
    stack = HostStack(NetworkStack(rules, Routing(routes, None, LINKS), devices))
    own = Tunnels({}, frozenset({"wg0"}))
    host = Made({"conntrack": {"entries": list(flows)}})
    return misnamed_exits(host, Containers(()), Namespaces({}), stack, own)


def _call(*status: str, src: str = "10.8.0.2", dst: str = "44.192.0.9") -> Json:
    ports = {"sport": 40000, "dport": 443}
    return {"src": src, "dst": dst, **ports, "reply_src": dst, "status": list(status)}


_ROUTED = "-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE"


RULES = {
    "renamed interface": (found("-A POSTROUTING -o eth0 -j MASQUERADE"), ["ens3"]),
    "the other uplink": (found("-A POSTROUTING -s 10.8.0.0/24 -o ens4 -j MASQUERADE"), ["ens3"]),
    "as it should be": (found("-A POSTROUTING -o ens3 -j MASQUERADE"), []),
    "all but the tunnel": (found("-A POSTROUTING -s 10.8.0.0/24 ! -o wg0 -j MASQUERADE"), []),
    "every interface of a kind": (found("-A POSTROUTING -o ens+ -j MASQUERADE"), []),
    "others are hidden on purpose": (found("-A POSTROUTING -o ens4 -j MASQUERADE"), []),
    "others' addresses": (found("-A POSTROUTING -s 10.9.0.0/24 -o eth0 -j MASQUERADE"), []),
    "routed": (found(_ROUTED), []),
    "nobody answers": (found(_ROUTED, flows=[_call()]), ["ens3"]),
    "somebody answers": (found(_ROUTED, flows=[_call(), _call("seen_reply")]), []),
    "translated on the way": (found(_ROUTED, flows=[_call("src_nat")]), []),
    "calls of others": (found(_ROUTED, flows=[_call(src="10.9.0.2")]), []),
    "calls of the server itself": (found(_ROUTED, flows=[_call(src="10.8.0.1")]), []),
    "what is for all machines": (found(_ROUTED, flows=[_call(dst="224.0.0.251")]), []),
    "what is for all of a link": (found(_ROUTED, flows=[_call(dst="255.255.255.255")]), []),
    "among themselves": (found(_ROUTED, flows=[_call(dst="10.8.0.3")]), []),
    "every interface of a kind that is not there": (
        found("-A POSTROUTING -o eth+ -j MASQUERADE"), ["ens3"],
    ),
    "a client of a VPN": (found("-A POSTROUTING -o eth0 -j MASQUERADE", way_out=3), []),
    "no room for clients": (found("-A POSTROUTING -o eth0 -j MASQUERADE", "10.8.0.2/32"), []),
}  # fmt: skip


@pytest.mark.parametrize("name", RULES)
def test_rules_that_name_an_interface(name: str) -> None:
    exits, wanted = RULES[name]
    assert [leaving.leaves_by for leaving in exits] == wanted
    is_sure = [leaving.is_absent or leaving.rule is None for leaving in exits]
    levels = [("warning" if sure else "advice", "host") for sure in is_sure]
    assert rows(judge("firewall.tunnel-untranslated", misnamed_exits=exits)) == levels
