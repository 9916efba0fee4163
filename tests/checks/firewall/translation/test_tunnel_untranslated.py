"""The check in checks/firewall/translation/tunnel_untranslated.py, on rules of a VPN server."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.paths.outgoing.misnamed_exits import MisnamedExits, misnamed_exits
from diagnose.evidence.network.wiring.tunnels import Tunnels
from diagnose.firewall.routing import Routing
from diagnose.firewall.ruleset import assemble
from diagnose.firewall.stack import Device, Stack
from diagnose.questions.network import Route
from tests.hosts import Made
from tests.judging import judge, rows

NAT = "*nat\n:PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n{}\nCOMMIT\n"
LINKS = {1: "lo", 2: "ens3", 3: "wg0", 4: "ens4"}
SERVER = "10.8.0.1/24"


def found(rule: str, tunnel: str = SERVER, way_out: int = 2) -> MisnamedExits:
    """What is found of a host with a tunnel and one rule for packets that leave."""
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
    stack = HostStack(Stack(rules, Routing(routes, None, LINKS), devices))
    own = Tunnels({}, frozenset({"wg0"}))
    return misnamed_exits(Made({}), Containers(()), Namespaces({}), stack, own)


RULES = {
    "renamed interface": (found("-A POSTROUTING -o eth0 -j MASQUERADE"), ["ens3"]),
    "the other uplink": (found("-A POSTROUTING -s 10.8.0.0/24 -o ens4 -j MASQUERADE"), ["ens3"]),
    "as it should be": (found("-A POSTROUTING -o ens3 -j MASQUERADE"), []),
    "all but the tunnel": (found("-A POSTROUTING -s 10.8.0.0/24 ! -o wg0 -j MASQUERADE"), []),
    "every interface of a kind": (found("-A POSTROUTING -o ens+ -j MASQUERADE"), []),
    "others are hidden on purpose": (found("-A POSTROUTING -o ens4 -j MASQUERADE"), []),
    "others' addresses": (found("-A POSTROUTING -s 10.9.0.0/24 -o eth0 -j MASQUERADE"), []),
    "routed": (found("-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE"), []),
    "a client of a VPN": (found("-A POSTROUTING -o eth0 -j MASQUERADE", way_out=3), []),
    "no room for clients": (found("-A POSTROUTING -o eth0 -j MASQUERADE", "10.8.0.2/32"), []),
}


@pytest.mark.parametrize("name", RULES)
def test_rules_that_name_an_interface(name: str) -> None:
    exits, wanted = RULES[name]
    assert [leaving.leaves_by for leaving in exits] == wanted
    levels = [("warning" if leaving.is_absent else "advice", "host") for leaving in exits]
    assert rows(judge("firewall.tunnel-untranslated", misnamed_exits=exits)) == levels
