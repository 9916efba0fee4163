"""Confinement of the engine from outside.

An LXC container around it, an AppArmor profile, a snap.
"""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.kernel_log import KernelLog
from diagnose.evidence.run.options import Options
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.file_answers import file_text
from diagnose.registry import evidence

KIND_FILE = "/run/systemd/container"
"""The file in which systemd names the container system around it."""
DENIED_SIGNAL = LazyPattern(
    r'apparmor="DENIED" operation="signal".{0,400} profile="(?P<profile>docker-default[^"]{0,200})"'
    r'.{0,400}? comm="(?P<comm>[^"]*)"'
    r'.{0,400} denied_mask="(?P<mask>\w+)".{0,400} signal=(?P<signal>\w+) peer="(?P<peer>[^"]*)"'
)
"""AppArmor refused a signal from a container's process to another one."""
DENIED_SYSCTL = LazyPattern(r"open sysctl (?P<name>\S+) file: reopen fd \d+: permission denied")
"""runc 1.2.8, 1.3.3 and later, whose detached procfs AppArmor takes for /sys
(opencontainers/runc#4968)."""
SENDERS = frozenset({"runc", "dockerd", "containerd-shim", "containerd-shim-runc-v2", "docker"})


class DeniedSignals(msgspec.Struct, frozen=True):
    """Signals of the engine that a container's profile refused."""

    peer: str
    """The profile that confines the sender."""
    signal: str
    times: int
    first: float
    last: float
    line: str


class Confinement(msgspec.Struct, frozen=True):
    """The confinement of this host itself."""

    kind: str = ""
    """The container system around this host, "lxc" for one; "" where none is known."""
    signals: tuple[DeniedSignals, ...] = ()
    """By the sender's profile."""
    sysctl: str = ""
    """The kernel setting that could not be opened; "" if there was none."""
    refused: tuple[Container, ...] = ()
    """The containers that did not start for it."""
    unread_log: Unavailable | None = None
    """The reason why the kernel log, which has the signals, could not be read."""


@evidence
def confinement(
    host: Host,
    containers: Containers,
    kernel: KernelLog | Unavailable,
    clock: Clock,
    options: Options,
) -> Confinement:
    """The confinement of the host, from the kernel log and containers' State.Error."""
    refused = [container for container in containers if DENIED_SYSCTL.search(container.state.error)]
    last = DENIED_SYSCTL.search(refused[-1].state.error) if refused else None
    of_containers = Confinement(
        kind=container_system(host) if refused else "",
        sysctl=last["name"] if last is not None else "",
        refused=tuple(refused),
    )
    if isinstance(kernel, Unavailable):
        return msgspec.structs.replace(of_containers, unread_log=kernel)
    signals = _denied_signals(kernel, clock.wall - options.since_s)
    return msgspec.structs.replace(of_containers, signals=tuple(signals))


def _denied_signals(kernel: KernelLog, oldest: float) -> Iterator[DeniedSignals]:
    """The denials since that Unix time, those of one profile together."""
    denials = by_key(
        (match["peer"], (record, match["signal"]))
        for record, match in kernel.matching(DENIED_SIGNAL, ('operation="signal"',))
        if record.at >= oldest and match["comm"] in SENDERS and "receive" in match["mask"]
    )
    for peer, rows in denials.items():
        (first, _) = rows[0]
        (last, signal) = rows[-1]
        yield DeniedSignals(
            peer, signal=signal, times=len(rows), first=first.at, last=last.at, line=last.text
        )


def container_system(host: Host) -> str:
    """The container system around this host, such as "lxc" and "wsl"; "" without one in systemd."""
    return file_text(host, KIND_FILE).strip()
