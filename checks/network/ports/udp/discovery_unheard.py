"""network.discovery-unheard: a program looks for devices from a bridge, where none hears it."""

from diagnose.evidence.network.sockets.discovery import (
    PROTOCOLS,
    UnheardDiscoveries,
    UnheardDiscovery,
)
from diagnose.mappings import names_of
from diagnose.model import CheckResult, Finding, Severity, Skipped
from diagnose.phrases import joined, named
from diagnose.registry import check


@check(
    "network.discovery-unheard",
    severity=Severity.advice,
    aloud=("cannot discover devices", "cannot discover devices"),
)
def discovery_unheard(unheard_discoveries: UnheardDiscoveries) -> CheckResult:
    """A program looks for devices by multicast, and its bridge keeps that in.

    Home automation, AirPlay and DLNA find devices by mDNS, SSDP or WS-Discovery: by packets to a
    group, which no router and no bridge of Docker passes on, and no published port takes in. It
    shows in its sockets, and in the kernel's counters: it has sent packets to groups, and has
    received none but its own. Programs that do without discovery are left out, media servers among
    them.
    """
    if not unheard_discoveries.asked:
        return Skipped("no program that is made to find devices runs on a bridge")
    for discovery in unheard_discoveries:
        yield _finding(discovery)


def _finding(discovery: UnheardDiscovery) -> Finding:
    container = discovery.container
    counters = discovery.counters
    protocols = joined([PROTOCOLS[port] for port in discovery.ports])
    networks = named("network", names_of(discovery.networks))
    return Finding.about(
        container,
        f"{container} looks for devices by {protocols}, but {networks} passes no multicast to or from "
        "the local network: it and the devices cannot hear each other",
        {
            "UDP sockets inside": list(discovery.ports),
            "packets to groups that it sent": counters.sent,
            "packets to groups that it received, its own among them": counters.received,
        },
        touches=tuple(network.subject for network in discovery.networks),
        recheck=(container.run,),
        variables={"seeker": container.name},
    )
