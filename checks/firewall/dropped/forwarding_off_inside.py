"""Whether a container that serves a VPN passes on the packets of its clients."""

from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.sockets.losses import NetworkLosses
from diagnose.mappings import present
from diagnose.model import CheckResult, Count, Finding, Severity, Skipped
from diagnose.phrases import count, joined
from diagnose.registry import check

_SETTING = "net.ipv4.ip_forward"


@check("firewall.forwarding-off-inside", severity=Severity.warning)
def forwarding_off_inside(
    namespaces: Namespaces, network_losses: NetworkLosses, *, least: Count = Count(5)
) -> CheckResult:
    """A container does not forward the packets that come through its VPN.

    A VPN server, or a router of a subnet such as Tailscale's, passes on what its clients send to
    others. With net.ipv4.ip_forward off inside its network it drops all of that, and its log says
    nothing. The kernel counts these packets. A client of a VPN gets none: nobody sends it packets
    for others. The check says nothing about a container without a tunnel: an address that has moved
    away from it looks the same.
    """
    tunnelled = [netns for netns in namespaces if netns.tunnels]
    if not tunnelled:
        return Skipped("no running container has an interface of a VPN")
    for netns in tunnelled:
        dropped = network_losses.not_forwarded.get(netns.container.id, 0)
        if dropped >= least:
            yield _finding(netns, dropped)


def _finding(netns: ContainerNetns, dropped: int) -> Finding:
    container = netns.container
    tunnels = [link.name for link in netns.tunnels]
    return Finding.about(
        container,
        f"{container} does not pass on what comes through its tunnel {joined(tunnels)}: "
        f"{_SETTING} is 0 inside it, and {count(dropped, 'packet')} for other machines were dropped",
        present(
            {
                f"{_SETTING} inside": "0",
                "packets dropped so far": dropped,
                "HostConfig.Sysctls": _given_sysctl(container),
            }
        ),
        signs=NO_WAY_OUT,
        recheck=(container.run,),
        variables={"assignment": f"{_SETTING}=1"},
    )


def _given_sysctl(container: Container) -> str:
    """The setting that the container was created with; "" for none."""
    value = (container.host_config.sysctls or {}).get(_SETTING)
    return "" if value is None else f"{_SETTING}={value}"
