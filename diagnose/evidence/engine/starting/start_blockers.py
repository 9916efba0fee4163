"""Units that keep systemd from starting the engine, or delay it."""

from collections.abc import Iterable

import msgspec

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.log import DaemonLog
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.service import ReadUnit
from diagnose.registry import evidence

__all__ = ["StartBlockers", "start_blockers"]

SLOW_UNITS = (
    "NetworkManager-wait-online.service",
    "systemd-networkd-wait-online.service",
    "ifupdown-wait-online.service",
    "cloud-init.service",
)
"""Units for which network-online.target waits; no engine starts before it."""

_LACKED = "/start failed with result 'dependency'"
_BEGAN = ("Starting up", "Starting docker.service", "Starting Docker Application")
"""Lines of dockerd and systemd about a start that got further."""


class StartBlockers(msgspec.Struct, frozen=True):
    """The units that keep systemd from starting the engine."""

    failed: tuple[str, ...] = ()
    """Units that docker.service requires and that failed."""
    slow: tuple[str, ...] = ()
    """Units for whose end the engine's start waits. Empty for an engine that is not down."""


@evidence
def start_blockers(host: Host, daemon: Daemon, log: DaemonLog | None) -> StartBlockers:
    """The units that keep systemd from starting the engine.

    The collector asks where systemd has not started the engine: docker.service is inactive, not
    failed. A required unit that is only stopped is not an obstacle: systemd starts it as well. A
    device that does not come, and a mount of it, are inactive and not failed.
    """
    unit = daemon.installation.unit
    if unit is None or not daemon.is_down:
        return StartBlockers()
    if unit.is_masked or unit.active_state != "inactive":
        return StartBlockers()
    if unit.job not in ("", "0"):
        return StartBlockers(slow=_units_in_state(host, SLOW_UNITS, "activating"))
    if log is None or not _lacked_another(log):
        return StartBlockers()
    disks = [name for name in unit.required if name.endswith((".mount", ".device"))]
    failed = _units_in_state(host, unit.required, "failed")
    return StartBlockers(failed=failed or _units_in_state(host, disks, "inactive"))


def _lacked_another(log: DaemonLog) -> bool:
    """Whether the newest start failed for another unit."""
    for line in reversed(log.lines):
        if _LACKED in line.message:
            return True
        if line.message.startswith(_BEGAN):
            return False
    return False


def _units_in_state(host: Host, names: Iterable[str], state: str) -> tuple[str, ...]:
    return tuple(
        sorted(
            name
            for name, unit in host.ask_about(names, ReadUnit)
            if not isinstance(unit, Failed) and unit.active_state == state
        )
    )
