"""Containers that alone do not work, while the engine answers about all others."""

import re

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Process
from diagnose.model import Unexamined
from diagnose.registry import evidence

_ID = re.compile(r"/containers/([0-9a-f]{64})/")


class StuckContainer(msgspec.Struct, frozen=True):
    """A container whose shim is stopped, or about which alone the engine is silent."""

    name: str
    shim: Process | None = None
    """The process that holds it, where that is stopped by a signal."""
    silence: str = ""
    """The reason why its inspect had no answer; "" where it had one."""
    is_only: bool = False
    """Whether the engine has no other container."""

    @property
    def id(self) -> str:
        """The id that its refusal names; "" where it names none."""
        match = _ID.search(self.silence)
        return match[1] if match is not None else ""


class StuckContainers(Items[StuckContainer], frozen=True):
    """The stuck containers, those with a stopped shim first.

    The silence of an engine that answers nothing is left out.
    """

    unexamined: tuple[Unexamined, ...] = ()
    """The containers whose inspect failed."""


@evidence
def stuck_containers(daemon: Daemon, containers: Containers | None) -> StuckContainers:
    """The stuck containers, by the state of the shims and by inspects that timed out."""
    names = {container.id: container.name for container in containers or ()}
    silent = _silent_inspects(containers)
    stopped = {
        _name(id, names, silent): shim
        for id, shim in (daemon.processes.shims or {}).items()
        if shim.state == "T"
    }
    is_only = not names and len(silent) == 1
    silent_alone = [name for name in silent if (names or is_only) and name not in stopped]
    return StuckContainers(
        (
            *(StuckContainer(name, shim, silent.get(name, "")) for name, shim in stopped.items()),
            *(StuckContainer(name, silence=silent[name], is_only=is_only) for name in silent_alone),
        ),
        containers.unexamined if containers is not None else (),
    )


def _silent_inspects(containers: Containers | None) -> dict[str, str]:
    """The reason why an inspect had no answer in time, by the container's name."""
    unread = containers.unexamined if containers is not None else ()
    return {
        unexamined.subject.name: unexamined.why
        for unexamined in unread
        if unexamined.why.startswith("inspect: timed out")
    }


def _name(id: str, names: dict[str, str], silent: dict[str, str]) -> str:
    """A container's name by its id.

    One that could not be inspected is known by the refusal, which holds the id.
    """
    return next((name for name, why in silent.items() if id in why), names.get(id, id[:12]))
