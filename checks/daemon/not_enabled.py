"""daemon.not-enabled: the engine does not start at boot."""

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.daemon import Daemon, Unit
from diagnose.evidence.machine.clock import Clock
from diagnose.mappings import names_of
from diagnose.model import DAEMON, CheckResult, Finding, Seconds, Severity, Skipped
from diagnose.phrases import duration, named
from diagnose.registry import check


@check("daemon.not-enabled", severity=Severity.advice, posture=True)
def not_enabled(
    daemon: Daemon, containers: Containers, clock: Clock | None, *, late: Seconds = Seconds(300)
) -> CheckResult:
    """The engine will not start at boot: docker.service is not enabled.

    Containers with a restart policy stay down after a reboot, until somebody starts the engine.
    With docker.socket enabled the first docker command starts it, and until then they stay down as
    well. A unit that requires docker.service starts it too, which is not looked at. A host where no
    container should come back is not reported. It is a warning where that has happened: the engine
    has not run before since the boot, was started more than `late` seconds after it, and has
    containers that are older than the boot.
    """
    unit = daemon.installation.unit
    if unit is None or daemon.is_podman:
        return Skipped("no unit of systemd starts this engine")
    if not daemon.answers or unit.unit_file_state != "disabled":
        return None
    names = names_of(container for container in containers.running if container.restarts_always)
    if not names:
        return None
    down = _was_down(daemon, containers, clock, late) if clock is not None else None
    socket_unit = daemon.installation.socket_unit or Unit(unit_file_state="none")
    name = daemon.installation.unit_name
    effect = down.in_words if down is not None else _effect_of_reboot(names, socket_unit)
    yield Finding(
        subject=DAEMON,
        summary=f"{name} is not enabled: {effect}",
        evidence={
            f"{name} UnitFileState": unit.unit_file_state,
            "docker.socket UnitFileState": socket_unit.unit_file_state,
        },
        variables={"unit": name},
        severity=Severity.warning if down is not None else None,
    )


def _effect_of_reboot(names: list[str], socket_unit: Unit) -> str:
    """The sentence about containers with a restart policy that will stay down after a reboot,
    and until when."""
    until = "it is started by hand"
    if socket_unit.unit_file_state == "enabled":
        until = "the first docker command starts the engine"
    return f"after a reboot {named('container', names)} will stay down until {until}"


class _Down(msgspec.Struct, frozen=True):
    """The time in seconds that containers of an engine that is not enabled were down after the
    boot."""

    names: list[str]
    seconds: float

    @property
    def in_words(self) -> str:
        return (
            f"after the last boot {named('container', self.names)} stayed down for "
            f"{duration(self.seconds)}, until something started the engine"
        )


def _was_down(daemon: Daemon, containers: Containers, clock: Clock, late: float) -> _Down | None:
    """The containers that the boot did not start again; None where that is not known."""
    unit = daemon.installation.known_unit
    age = daemon.processes.age
    is_first_start = unit.active_enter_timestamp and not unit.inactive_enter_timestamp
    if age is None or not clock.booted or not is_first_start:
        return None
    seconds = clock.wall - age - clock.booted
    names = [
        container.name
        for container in containers.running
        if container.restarts_always and (container.created_at or clock.wall) < clock.booted
    ]
    return _Down(names, seconds) if names and seconds > late else None
