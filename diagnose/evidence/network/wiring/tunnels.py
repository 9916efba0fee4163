"""The owners of tunnels among the host's interfaces.

The process, its unit, or the file of the tunnel.
"""

import msgspec

from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.file_answers import path_status
from diagnose.questions.network import ListTunnelHolders
from diagnose.registry import evidence

_KERNEL_KINDS = ("wireguard", "ppp", "gre", "ipip", "sit", "vti", "xfrm")
"""Kinds of tunnels that no process holds open."""


class Tunnels(msgspec.Struct, frozen=True):
    """Tunnels of this host, and their owners."""

    owners: dict[str, str]
    """The owner in words, by the interface's name."""
    names: frozenset[str] = frozenset()
    """All tunnels, also those of an unknown owner."""

    def __len__(self) -> int:
        return len(self.names)

    def described(self, name: str) -> str:
        """An interface with its owner where it is a tunnel: `tun0 of openvpn (pid 812)`.

        Else the name alone.
        """
        owner = self.owners.get(name)
        return f"{name} of {owner}" if owner else name


@evidence
def tunnels(host: Host, links: Interfaces, processes: Processes | None) -> Tunnels:
    """The tunnels of the host and their owners.

    Processes are searched only on a host with a tun interface. The kernel's own kinds are named by
    their configuration.
    """
    names = frozenset(
        link.name for link in links if link.kind == "tun" or link.kind in _KERNEL_KINDS
    )
    owners: dict[str, str] = {}
    if any(link.kind == "tun" for link in links):
        holders = host.ask(ListTunnelHolders())
        if isinstance(holders, Failed):
            owners = {}
        else:
            owners = {holder.interface: str(holder) for holder in holders}
    for link in links:
        if link.kind in _KERNEL_KINDS and link.name not in owners:
            owner = _kernel_owner(host, link, processes)
            if owner:
                owners[link.name] = owner
    return Tunnels(owners, names)


def _kernel_owner(host: Host, link: Interface, processes: Processes | None) -> str:
    """The creator of a tunnel that the kernel serves itself: wg-quick, or pppd."""
    if link.kind == "wireguard":
        path = f"/etc/wireguard/{link.name}.conf"
        if _exists(host, path):
            return f"wg-quick@{link.name}.service ({path})"
        return "WireGuard"
    if link.kind == "ppp":
        daemon = next((process for process in processes or () if process.comm == "pppd"), None)
        return f"pppd (pid {daemon.pid})" if daemon else ""
    return ""


def _exists(host: Host, path: str) -> bool:
    return bool(path_status(host, path).type)
