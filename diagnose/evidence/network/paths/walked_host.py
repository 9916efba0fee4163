"""Whether packets of containers are traced on this host at all. Pure."""

from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.network.uplinks import Uplink, Uplinks
from diagnose.model import EvidenceGroup


class WalkedHost(EvidenceGroup, frozen=True):
    """The engine whose rules are traced, and the interfaces that lead to others."""

    uplinks: Uplinks
    ping: Ping | None
    info: Info | None

    @property
    def why_not(self) -> str:
        """The reason why no way out of the host is traced; or ""."""
        if self.why_not_inside:
            return self.why_not_inside
        return "" if len(self.uplinks) else "no interface of this host leads to others"

    @property
    def why_not_inside(self) -> str:
        """The reason why not even a way within the host is traced; or ""."""
        if self.ping is not None and self.ping.is_podman:
            return "those of Podman, whose bridges and rules have other names"
        if self.info is not None and self.info.is_rootless:
            return "a rootless engine keeps its rules in a network namespace of its own"
        return ""

    @property
    def uplink(self) -> Uplink:
        """The preferred interface, on a host whose ways out are traced."""
        return self.uplinks.items[0]
