"""What a line of a log names, whatever the program, as the first thing to look at.

Each kind of thing has a module: paths, programs, host names, ports, devices, settings of the
kernel, the data that another program holds or has written, rights, memory.
"""

from __future__ import annotations

from checks.container.first_steps.data_locks import lock_steps
from checks.container.first_steps.image_versions import version_steps
from checks.container.first_steps.kernel_settings import kernel_setting_steps
from checks.container.first_steps.named_devices import device_steps
from checks.container.first_steps.named_hosts import host_name_steps
from checks.container.first_steps.named_paths import path_steps
from checks.container.first_steps.named_ports import port_steps
from checks.container.first_steps.named_programs import program_steps
from checks.container.first_steps.refused_rights import right_steps
from checks.container.first_steps.short_memory import memory_steps
from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container
from diagnose.model import PageVariables

_KINDS = (
    host_name_steps,
    port_steps,
    program_steps,
    lock_steps,
    version_steps,
    path_steps,
    device_steps,
    kernel_setting_steps,
    right_steps,
    memory_steps,
)
"""The first that finds something counts."""
_MAY_PASS = frozenset({"unknown_name", "taken"})
"""What another start may find in another state."""


def named_thing_steps(container: Container, text: str) -> PageVariables:
    """The variables of a page about the one thing that the line names; none where it names none."""
    return next(filter(None, (steps(container, text) for steps in _KINDS)), {})


def is_better_looked_at(container: Container, text: str) -> bool:
    """Whether the line names what another start may not find either, and what a look decides."""
    steps = named_thing_steps(container, text)
    return "no-space" in signs(text) or (bool(steps) and not steps.keys() & _MAY_PASS)
