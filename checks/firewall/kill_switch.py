"""firewall.kill-switch: a VPN's rules on the host close it to its containers and their clients."""

from collections.abc import Iterator

from checks.firewall.helpers import with_bridges
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.network.paths.host_paths import HostPaths
from diagnose.evidence.network.paths.packet_paths import PacketPaths, Step
from diagnose.evidence.network.rules.kill_switch import KillSwitch
from diagnose.mappings import names_of, present
from diagnose.model import DAEMON, HOST, CheckResult, Finding, Severity
from diagnose.phrases import named, sentence
from diagnose.registry import check


@check(
    "firewall.kill-switch",
    severity=Severity.critical,
    causes=[
        "dns.host-broken",
        "dns.upstream-unreachable",
        "firewall.chains-missing",
        "firewall.forward-dropped",
        "firewall.input-dropped",
        "firewall.output-dropped",
        "firewall.published-port-closed",
        "network.call-unanswered",
    ],
)
def kill_switch(
    kill_switch: KillSwitch, packet_paths: PacketPaths | None, host_paths: HostPaths | None
) -> CheckResult:
    """The kill switch of a VPN closes this host to its containers and their clients.

    All chains drop what no rule names, and the rules name the tunnel, the VPN's server and open
    connections alone. A script that sets this up flushes Docker's rules first. The
    check says nothing where no packet of a container, and none of the host to a container, meets
    such a policy: many keep the tunnel as the only way out on purpose. Where only the host misses
    its containers it is a warning.
    """
    obstacles = set(_obstacles(packet_paths, host_paths)) & kill_switch.policies
    if kill_switch.by is not None and obstacles:
        yield _finding(kill_switch, kill_switch.by, packet_paths, obstacles)


def _obstacles(packet_paths: PacketPaths | None, host_paths: HostPaths | None) -> Iterator[Step]:
    """The rules and policies that stop packets of containers, and of the host to containers."""
    for outbound in packet_paths.outbound_paths if packet_paths is not None else ():
        if outbound.sample.is_blocked and outbound.sample.by is not None:
            yield outbound.sample.by
    for path in host_paths or ():
        if path.trace.is_blocked and path.trace.by is not None:
            yield path.trace.by


def _finding(
    switch: KillSwitch, by: Step, packet_paths: PacketPaths | None, obstacles: set[Step]
) -> Finding:
    """obstacles: the policies that packets meet."""
    networks = [*packet_paths.networks.values()] if packet_paths is not None else []
    down = f"tunnel {switch.tunnel} is not up, so that nothing leaves at all"
    is_closed = bool(obstacles & set(switch.closed))
    harm = "closes this host" if is_closed else "keeps this host itself from its containers"
    return Finding(
        subject=HOST,
        summary=sentence(
            f"the kill switch of a VPN {harm}: {by} lets packets out by tunnel "
            f"{switch.tunnel} alone, and not to {named('network', names_of(networks))}",
            down if switch.is_down else "",
        ),
        evidence=present(
            {
                **by.evidence,
                "chains that drop the rest": [step.chain for step in switch.closed],
                "met by packets": sorted(step.chain for step in obstacles),
            }
        ),
        variables={
            "tunnel": switch.tunnel,
            "bridges": "\n".join(sorted(network.bridge for network in networks)),
        },
        severity=None if is_closed else Severity.warning,
        touches=(*with_bridges(networks), DAEMON),
        signs=NO_WAY_OUT,
    )
