"""Whether the kernel forwards packets between containers and the outside."""

from collections.abc import Collection, Iterator, Sequence

from msgspec.structs import replace

from checks.firewall.helpers import first_names, with_bridges
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.paths.forwarding import FORWARDING6, Forwarding
from diagnose.evidence.network.routes import Routes
from diagnose.evidence.network.sysctl_files import SysctlFiles
from diagnose.mappings import names_of
from diagnose.model import HOST, CheckResult, Finding, Json, Severity, Skipped
from diagnose.phrases import agree, count, sentence
from diagnose.registry import check


@check("firewall.forwarding-off", severity=Severity.critical)
def forwarding_off(
    forwarding: Forwarding,
    containers: Containers,
    networks: Networks,
    config: DaemonConfig | None,
    routes: Routes | None,
    ping: Ping | None,
    sysctl_files: SysctlFiles | None,
    clock: Clock | None,
) -> CheckResult:
    """The kernel does not forward packets between containers and the outside.

    A packet is forwarded if the interface it came in by has forwarding on; `net.ipv4.ip_forward`
    sets all at once. IPv6 has one setting, which the engine turns on where it writes rules for it
    (always from 27.0 on).

    The engine turns it on when it starts, so that nothing which failed before is due to it.
    """
    if config is not None and config.value("ip-forward") is False:
        return Skipped(
            "the engine is configured to leave forwarding alone (ip-forward, "
            f"{config.where('ip-forward')})"
        )
    routed = {network.name: network for network in networks.bridges if not network.internal}
    used = _attached_containers(containers.running, routed)
    if not used:
        return Skipped("no running container is on a bridge network that leads out")
    on_at = clock.booted + config.started if clock and config and config.started else None
    for finding in _ipv4_findings(forwarding, used, routed, sysctl_files):
        yield replace(finding, absent_at=on_at)
    if _engine_turns_on_ipv6(config, ping) and routes is not None and routes.default6:
        yield from _ipv6_findings(forwarding, used, routed)


def _ipv4_findings(
    forwarding: Forwarding,
    used: Sequence[Container],
    routed: dict[str, Network],
    sysctl_files: SysctlFiles | None,
) -> Iterator[Finding]:
    """Findings about containers for which the host does not forward IPv4, and about the program
    that turned it off."""
    touched = _without_forwarding(forwarding, list(routed.values()))
    cut = _attached_containers(used, {network.name for network in touched})
    if not cut:
        return
    off = forwarding.off
    is_off_everywhere = forwarding.everywhere == "0"
    setting = "net.ipv4.ip_forward" if is_off_everywhere else f"net/ipv4/conf/{off[0]}/forwarding"
    interfaces_clause = "" if is_off_everywhere else f" on {first_names(off)}"
    line = None
    if is_off_everywhere and sysctl_files is not None:
        line = sysctl_files.of("net.ipv4.ip_forward", "0")
    evidence: dict[str, Json] = {"net.ipv4.ip_forward": forwarding.everywhere}
    evidence |= {f"net.ipv4.conf.{name}.forwarding": "0" for name in off}
    variables = {"assignment": f"{setting}=1"}
    if line is not None:
        evidence["set at boot by"] = f"{line.file}, line {line.line}"
        variables["file"] = line.file
    yield Finding(
        subject=HOST,
        summary=sentence(
            f"IP forwarding is off{interfaces_clause}: {_cut_off(cut)}", str(line) if line else ""
        ),
        evidence=evidence,
        variables=variables,
        touches=with_bridges(touched),
        signs=NO_WAY_OUT,
    )


def _attached_containers(
    containers: Sequence[Container], networks: Collection[str]
) -> list[Container]:
    """The containers that are on one of these networks."""
    return [
        container for container in containers if not container.endpoints.keys().isdisjoint(networks)
    ]


def _cut_off(containers: Sequence[Container]) -> str:
    are = agree(containers, "is", "are")
    return f"{count(len(containers), 'container')} {are} cut off from everything beyond this host"


def _without_forwarding(forwarding: Forwarding, routed: list[Network]) -> list[Network]:
    """The networks whose packets are not forwarded.

    All of them where an interface of the host itself does not.
    """
    by_bridge = {network.bridge: network for network in routed}
    is_uplink_off = not set(forwarding.off) <= by_bridge.keys()
    if is_uplink_off or forwarding.everywhere == "0":
        return routed
    return [by_bridge[name] for name in forwarding.off]


def _engine_turns_on_ipv6(config: DaemonConfig | None, ping: Ping | None) -> bool:
    """Whether the engine had turned on IPv6 forwarding, so that another program turned it off
    again."""
    configured = config.value("ip6tables") if config is not None else None
    if configured is None:
        return ping is not None and ping.version >= (27,)
    return configured is True


def _ipv6_findings(
    forwarding: Forwarding, used: Sequence[Container], routed: dict[str, Network]
) -> Iterator[Finding]:
    """A finding about IPv6 forwarding, where the host itself has a way out over IPv6."""
    open6 = sorted(name for name, network in routed.items() if network.enable_ipv6)
    cut = [container for container in used if _has_ipv6_on(container, open6)]
    if forwarding.everywhere6 != "0" or not cut:
        return
    is_outage = not all(container.has_ipv4 for container in cut)
    yield Finding(
        subject=HOST,
        summary=f"IPv6 forwarding is off: {_cut_off(cut)} over IPv6",
        evidence={FORWARDING6: forwarding.everywhere6, "containers": sorted(names_of(cut))},
        variables={"assignment": f"{FORWARDING6}=1"},
        severity=None if is_outage else Severity.warning,
        touches=with_bridges(routed[name] for name in open6),
        signs=NO_WAY_OUT,
        discriminator="ipv6",
    )


def _has_ipv6_on(container: Container, networks: Collection[str]) -> bool:
    return any(
        endpoint.global_ipv6_address
        for name, endpoint in container.endpoints.items()
        if name in networks
    )
