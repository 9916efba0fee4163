"""Signs that packets are lost for their size."""

import msgspec

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.packet_size.mtu_harm import Harm
from diagnose.evidence.network.packet_size.tunnel_sizes import TunnelSize
from diagnose.phrases import named, shortened


def timeouts_behind(
    tunnel: TunnelSize,
    containers: Containers | None,
    recent_logs: RecentLogs | None,
    clock: Clock | None,
) -> dict[str, str]:
    """By container behind a tunnel the last line of its log that says that answers are lost."""
    if containers is None or recent_logs is None or clock is None:
        return {}
    inside = tunnel.container
    clients = containers.running if inside is None else _sharing_namespace(containers, inside)
    lines = {
        container.name: recent_logs.repeated(container, _tells_of_silence, clock)
        for container in clients
    }
    return {
        name: shortened(timeout_lines[-1].text)
        for name, timeout_lines in lines.items()
        if timeout_lines
    }


def _sharing_namespace(containers: Containers, owner: Container) -> list[Container]:
    """The running containers in the network of one."""
    return [other for other in containers.running if containers.owner_of(other).id == owner.id]


def _tells_of_silence(text: str) -> bool:
    return "timeout" in signs(text)


class LossProof(msgspec.Struct, frozen=True):
    """The signs that packets are lost.

    The rule that drops the ICMP message, and signs that containers show.
    """

    rule: str
    harm: tuple[Harm, ...]
    probe: str

    def __bool__(self) -> bool:
        return bool(self.rule or self.harm)

    @property
    def clause(self) -> str:
        if self.rule:
            return f"{self.rule} drops the ICMP message that says so"
        if self.harm:
            names = dict.fromkeys(harm.container.name for harm in self.harm)
            return f"large packets of {named('container', names)} get lost"
        return ""
