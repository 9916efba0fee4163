"""The host's network stack as packets meet it.

Interfaces, routes and their rules, kernel settings, and the packet filter.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from diagnose.evidence.network.interfaces import Interface, Interfaces, addresses_with_prefix
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.paths.forwarding import FORWARDING6
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.firewall.network_stack import Device, NetworkStack, Settings
from diagnose.firewall.routing import Routing
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.machine import ReadSysctls
from diagnose.questions.network import ListRoutes, ListRoutingRules, PolicyRule
from diagnose.registry import evidence

_PER_INTERFACE = ("forwarding", "rp_filter", "accept_local", "route_localnet", "src_valid_mark")
KERNELS_OWN = (0, 32766, 32767)
"""The priorities of the kernel's own rules: local, main and default."""
_BRIDGED = "net.bridge.bridge-nf-call-iptables"
_BRIDGED6 = "net.bridge.bridge-nf-call-ip6tables"


class HostStack(msgspec.Struct, frozen=True):
    """The network stack through which `trace` sends packets."""

    stack: NetworkStack
    rules: tuple[PolicyRule, ...] = ()
    """The host's own routing rules, beside the kernel's."""


@evidence
def host_stack(
    host: Host, firewall: Firewall, links: Interfaces, networks: Networks | Unavailable
) -> HostStack | Unavailable:
    """The network stack of the host: its present routes, rules and settings.

    Rules and settings that could not be read are taken for the kernel's defaults.
    """
    routes = host.require(ListRoutes())
    routing_rules = host.ask(ListRoutingRules())
    rules = None if isinstance(routing_rules, Failed) else routing_rules
    settings = _settings(host, [link for link in links if link.master is None])
    if isinstance(settings, Unavailable):
        settings = Settings()
    stack = NetworkStack(
        firewall.ruleset,
        Routing(routes, rules, {link.index: link.name for link in links}),
        tuple(_devices(links)),
        settings,
        tuple(_inner_subnets(networks)),
    )
    own_rules = tuple(rule for rule in rules or () if rule.priority not in KERNELS_OWN)
    return HostStack(stack, own_rules)


def _devices(links: Interfaces) -> Iterator[Device]:
    """The interfaces that packets come in by or are addressed to; ports of a bridge are neither."""
    for link in links:
        if link.master is None or links.addresses_of(link):
            yield _device(link, links)


def _inner_subnets(networks: Networks | Unavailable) -> Iterator[str]:
    """The subnets of the engine's bridges."""
    bridges = networks.bridges if isinstance(networks, Networks) else ()
    for network in bridges:
        yield from map(str, network.subnets)


def _device(link: Interface, links: Interfaces) -> Device:
    addresses = addresses_with_prefix(link, links.addresses)
    return Device(link.name, addresses, link.kind, tuple(port.name for port in links.ports(link)))


def _settings(host: Host, links: Iterable[Interface]) -> Settings | Unavailable:
    """The settings of every interface that packets may come in by.

    The ports of a bridge have none that count.
    """
    names = ["all", *(link.name for link in links)]
    keys = {(name, key): f"net/ipv4/conf/{name}/{key}" for name in names for key in _PER_INTERFACE}
    answer = host.ask(ReadSysctls(names=[*keys.values(), FORWARDING6, _BRIDGED, _BRIDGED6]))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    values = {where: answer.get(name) for where, name in keys.items()}

    def enabled(key: str) -> frozenset[str]:
        everywhere = values["all", key] == "1"
        return frozenset(name for name in names if everywhere or values[name, key] == "1")

    return Settings(
        {name: _is_on(values[name, "forwarding"]) for name in names},
        forwarding6=_is_on(answer.get(FORWARDING6)),
        reverse_path={name: _strictest_filter(values, name) for name in names},
        bridge_filter=answer.get(_BRIDGED) == "1",
        bridge_filter6=answer.get(_BRIDGED6) == "1",
        accept_local=enabled("accept_local"),
        route_localnet=enabled("route_localnet"),
        marked_reverse_path=enabled("src_valid_mark"),
    )


def _is_on(value: str | None) -> bool | None:
    return None if value is None else value != "0"


def _strictest_filter(values: Mapping[tuple[str, str], str | None], name: str) -> int | None:
    """The greater of an interface's own rp_filter and that of all interfaces (IN_DEV_MAXCONF)."""
    modes = (values["all", "rp_filter"], values[name, "rp_filter"])
    numbers = [int(mode) for mode in modes if mode and mode.isdigit()]
    return max(numbers, default=None)
