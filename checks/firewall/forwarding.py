"""Whether the kernel forwards packets between containers and the outside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from checks.firewall.helpers import (
    few,
    with_bridges,
)
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Ping
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
) -> CheckResult:
    """The kernel does not forward packets between containers and the outside.

    A packet is forwarded if the interface it came in by has forwarding on; `net.ipv4.ip_forward`
    sets all at once. IPv6 has one setting, which the engine turns on where it writes rules for it
    (always from 27.0 on).
    """
    if config is not None and config.value("ip-forward") is False:
        return Skipped(
            "the engine is configured to leave forwarding alone (ip-forward, "
            f"{config.where('ip-forward')})"
        )
    routed = {network.name: network for network in networks.bridges if not network.internal}
    used = [
        container
        for container in containers.running
        if any(name in routed for name in container.endpoints)
    ]
    if not used:
        return Skipped("no running container is on a bridge network that leads out")
    yield from _forwarding_off(forwarding, used, routed, sysctl_files)
    if _engine_turns_on_ipv6(config, ping) and routes is not None and routes.default6:
        yield from _forwarding6_off(forwarding, used, routed)
    return None


def _forwarding_off(
    forwarding: Forwarding,
    used: Sequence[Container],
    routed: dict[str, Network],
    sysctl_files: SysctlFiles | None,
) -> Iterator[Finding]:
    off = sorted(name for name, value in forwarding.by_interface.items() if value == "0")
    everywhere = forwarding.everywhere == "0"
    touched = _without_forwarding(off, routed, everywhere=everywhere)
    cut = [
        container
        for container in used
        if any(network.name in container.endpoints for network in touched)
    ]
    if not cut:
        return
    setting = "net.ipv4.ip_forward" if everywhere else f"net/ipv4/conf/{off[0]}/forwarding"
    where = "" if everywhere else f" on {few(off)}"
    if sysctl_files is not None and everywhere:
        line = sysctl_files.of("net.ipv4.ip_forward", "0")
    else:
        line = None
    at_boot: dict[str, Json] = {"set at boot by": f"{line.file}, line {line.line}"} if line else {}
    yield Finding(
        subject=HOST,
        summary=sentence(
            f"IP forwarding is off{where}: "
            f"{count(len(cut), 'container')} {agree(cut, 'is', 'are')} cut off "
            "from everything beyond this host",
            str(line) if line else "",
        ),
        evidence={"net.ipv4.ip_forward": forwarding.everywhere}
        | {f"net.ipv4.conf.{name}.forwarding": "0" for name in off}
        | at_boot,
        variables={"assignment": f"{setting}=1", **({"file": line.file} if line else {})},
        touches=with_bridges(touched),
        signs=NO_WAY_OUT,
    )


def _without_forwarding(
    off: Sequence[str], routed: dict[str, Network], *, everywhere: bool
) -> list[Network]:
    """The networks whose packets are not forwarded.

    All of them where an interface of the host itself does not.
    """
    bridges = {network.bridge: network for network in routed.values()}
    if everywhere or set(off) - set(bridges):
        return list(bridges.values())
    return [bridges[name] for name in off]


def _engine_turns_on_ipv6(config: DaemonConfig | None, ping: Ping | None) -> bool:
    """Whether the engine had turned on IPv6 forwarding, so that somebody turned it off again."""
    configured = config.value("ip6tables") if config is not None else None
    return configured is True or (configured is None and ping is not None and ping.version >= (27,))


def _forwarding6_off(
    forwarding: Forwarding, used: Sequence[Container], routed: dict[str, Network]
) -> Iterator[Finding]:
    """Where the host itself has a way out over IPv6."""
    if forwarding.everywhere6 != "0":
        return
    open6 = {name for name, network in routed.items() if network.enable_ipv6}
    cut = [
        container
        for container in used
        if any(
            endpoint.global_ipv6_address
            for name, endpoint in container.endpoints.items()
            if name in open6
        )
    ]
    if not cut:
        return
    alone = [
        container
        for container in cut
        if not any(endpoint.ip_address for endpoint in container.endpoints.values())
    ]
    yield Finding(
        subject=HOST,
        summary=(
            f"IPv6 forwarding is off: "
            f"{count(len(cut), 'container')} {agree(cut, 'is', 'are')} cut off "
            "from everything beyond this host over IPv6"
        ),
        evidence={
            FORWARDING6: forwarding.everywhere6,
            "containers": sorted(names_of(cut)),
        },
        variables={"assignment": f"{FORWARDING6}=1"},
        severity=None if alone else Severity.warning,
        touches=with_bridges(routed[name] for name in sorted(open6)),
        signs=NO_WAY_OUT,
        discriminator="ipv6",
    )
