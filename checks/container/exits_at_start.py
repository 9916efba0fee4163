"""container.exits-at-start: a container's program ends with an error as soon as it is started."""

from __future__ import annotations

from checks.container.causes import APPLICATION_CAUSES, PEER_CAUSES
from checks.container.changed_compose import changed_evidence, changed_file, changed_variables
from checks.container.helpers import (
    calls_of,
    first_steps,
    held_up,
    kernel_evidence,
    log_evidence,
    peers_evidence,
    setting_evidence,
    setting_of,
    subjects_of,
    tail_of,
    took,
)
from checks.container.image_steps import image_steps
from checks.container.service import is_somebodys_job, severity_of_end
from diagnose.evidence.containers.compose_files import ComposeFiles
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.log_tails import LogTails
from diagnose.evidence.containers.program_faults import ProgramFaults
from diagnose.evidence.images.commands import ImageCommands
from diagnose.evidence.images.listing import Images
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.run.options import Options
from diagnose.model import CheckResult, Finding, Seconds, Severity
from diagnose.programs.exit_codes import described, is_fault
from diagnose.registry import check

SHORT_S = Seconds(10)
"""A container that exits within this time is considered to have failed at start."""

LAST_SIGNAL = 128 + 64
"""Exit codes above are the program's own: ClickHouse ends with the last byte of its error code."""


@check(
    "container.exits-at-start",
    severity=Severity.critical,
    caused_by=[*APPLICATION_CAUSES, *PEER_CAUSES, "container.lost-with-host"],
)
def exits_at_start(
    containers: Containers,
    clock: Clock,
    options: Options,
    log_tails: LogTails | None,
    events: Events | None,
    program_faults: ProgramFaults | None,
    namespaces: Namespaces | None,
    images: Images | None,
    image_commands: ImageCommands | None,
    compose_files: ComposeFiles | None,
    *,
    short: Seconds = SHORT_S,
) -> CheckResult:
    """A container's program ends with an error as soon as it is started.

    It exited by itself with an error within seconds, within the looked-at time, and nothing will
    start it again. What is a service is read from the container: published ports or a health check
    make it critical, a compose service or a detached run a warning. A run in the foreground showed
    its exit code to somebody: advice. Exit code 0, ends by a signal that was asked for, terminals,
    one-off runs of compose, tasks of swarm and containers with a restart policy (those are loops,
    or were stopped by hand) are silent.
    """
    for container in containers:
        age = clock.age(container.finished_at)
        if (
            container.state.status != "exited"
            or container.state.error
            or age is None
            or age > options.since_s
        ):
            continue
        if (
            container.restarts_always
            or is_somebodys_job(container)
            or (container.ran_for or 0.0) >= short
        ):
            continue
        if not _failed_by_itself(container, events):
            continue
        tail = tail_of(log_tails, container)
        calls = calls_of(container, containers, tail, namespaces)
        code = described(container.state.exit_code)
        setting = setting_of(container, tail)
        changed = changed_file(container, compose_files)
        finding = Finding.about(
            container,
            f"{container} exited with code {code}, {took(container.ran_for)} after its start",
            {
                **log_evidence(tail),
                **setting_evidence(setting),
                **changed_evidence(changed),
                **peers_evidence(container, calls, containers, tail, clock),
                **kernel_evidence(program_faults, container),
                "State": f"{container.state}, ran {took(container.ran_for)}",
                "command": " ".join(container.command)[:120],
                **held_up(container, containers),
            },
            severity=severity_of_end(container),
            calls=subjects_of(calls.callees),
            signs=tail.signs,
            onset=container.finished_at,
            image=container.config.image,
        )
        steps = first_steps(container, tail, setting, calls)
        yield finding.with_variables(
            steps
            | image_steps(container, tail, images, image_commands, calls)
            | changed_variables(container, changed)
        )
    return None


def _failed_by_itself(container: Container, events: Events | None) -> bool:
    if events is not None and events.was_stopped(container.id):
        return False
    code = container.state.exit_code
    return 1 <= code <= 127 or is_fault(code) or code > LAST_SIGNAL
