"""What a line of a log names, whatever the program, as the first thing to look at.

Each kind of thing has a module: paths, programs, host names, ports, devices, settings of the
kernel.
"""

from __future__ import annotations

from checks.container.first_steps.kernel_settings import kernel_setting_steps
from checks.container.first_steps.named_devices import device_steps
from checks.container.first_steps.named_hosts import host_name_steps
from checks.container.first_steps.named_paths import path_steps
from checks.container.first_steps.named_ports import port_steps
from checks.container.first_steps.named_programs import program_steps
from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container
from diagnose.model import PageVariables

_KINDS = (
    host_name_steps,
    port_steps,
    program_steps,
    path_steps,
    device_steps,
    kernel_setting_steps,
)
"""The first that finds something counts."""


def named_thing_steps(container: Container, text: str) -> PageVariables:
    """The variables of a page about the one thing that the line names; none where it names none."""
    return next(filter(None, (steps(container, text) for steps in _KINDS)), {})


def is_better_looked_at(container: Container, text: str) -> bool:
    """Whether the line names what another start may not find either, and what a look decides."""
    if "no-space" in signs(text) or "unresolved" in host_name_steps(container, text):
        return True
    kinds = (program_steps, path_steps, device_steps, kernel_setting_steps)
    return any(steps(container, text) for steps in kinds)
