"""Rules that replace the address of clients on their way to published ports."""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.paths.published.inbound_paths import OuterPort, outer_ports
from diagnose.evidence.network.paths.walked_host import WalkedHost
from diagnose.evidence.network.paths.walks import ordinary_peer, places
from diagnose.evidence.network.uplinks import Uplink
from diagnose.firewall.flow import Flow, Origin
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.trace import trace
from diagnose.firewall.verdict import Step
from diagnose.mappings import first_of
from diagnose.registry import evidence


class TranslatedClients(msgspec.Struct, frozen=True):
    """A published port whose clients all come with another address to the container."""

    container: Container
    network: Network
    host_port: int
    rule: Step


class AllTranslatedClients(Items[TranslatedClients], frozen=True):
    """The translated clients, one for each network: the rules are about networks, not ports."""


@evidence
def all_translated_clients(
    host_stack: HostStack, containers: Containers, networks: Networks, walked_host: WalkedHost
) -> AllTranslatedClients:
    """The translated clients of the first published port of each network, over IPv4."""
    if walked_host.why_not:
        return AllTranslatedClients()
    stack = host_stack.stack.forwarding
    uplink = walked_host.uplink
    attached = places(containers, networks, "ip")
    by_container: dict[str, TranslatedClients] = {}
    walked: set[str] = set()
    for port in outer_ports(attached, uplink, "ip", stack):
        network = first_of(port.networks.values())
        if network.name not in walked:
            walked.add(network.name)
            rule = _hiding_rule(stack, uplink, port)
            if rule is not None:
                clients = TranslatedClients(port.container, network, port.host_port, rule)
                by_container[network.name] = clients
    return AllTranslatedClients(tuple(by_container.values()))


def _hiding_rule(stack: NetworkStack, uplink: Uplink, port: OuterPort) -> Step | None:
    """The rule that gives a client's packets another source."""
    origin = Origin(uplink.name, ordinary_peer("ip"))
    protocol = port.port.partition("/")[2]
    flow = Flow(origin, port.host_address, protocol, port.host_port, assumed=uplink.name)
    traced = trace(stack, flow)
    if traced.nat is None or traced.snat is None or traced.nat_unknown:
        return None
    stages = [stage for stage in traced.stages if stage.hook == "postrouting"]
    rules = (stage.verdict.nat_by for stage in stages if stage.part == "request")
    return next((rule for rule in rules if rule is not None), None)
