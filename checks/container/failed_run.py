"""Why the last run of a container failed, as its log, its settings and its peers tell it."""

from __future__ import annotations

import msgspec

from checks.container.changed_compose import (
    changed_evidence,
    changed_file,
    changed_variables,
)
from checks.container.helpers import (
    Calls,
    calls_of,
    first_steps,
    kernel_evidence,
    log_evidence,
    peers_evidence,
    setting_evidence,
    setting_of,
    subjects_of,
    tail_of,
)
from checks.container.hidden_by_mount import hidden_evidence, hidden_variables
from checks.container.image_steps import image_steps
from diagnose.evidence.containers.compose_files import ChangedFile, ComposeFiles
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.empty_mounts import EmptyMounts
from diagnose.evidence.containers.named_settings import NamedSetting
from diagnose.evidence.containers.programs.program_faults import ProgramFaults
from diagnose.evidence.images.commands import ImageCommands
from diagnose.evidence.images.listing import Images
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.model import Subject


class FailedRun(msgspec.Struct, frozen=True):
    """What is known of one run that ended with an error."""

    container: Container
    tail: LogTail
    calls: Calls
    """The peers of whom the log complains."""
    setting: NamedSetting | None
    """The setting to which the log objects, or the one that heals a known failure."""
    changed: ChangedFile | None
    """The compose file, where it is newer than the container."""
    empty_mounts: EmptyMounts | None
    """The empty folders of the host that hide what images have."""

    @property
    def callees(self) -> tuple[Subject, ...]:
        return subjects_of(self.calls.callees)

    def evidence(
        self, containers: Containers, clock: Clock, program_faults: ProgramFaults | None
    ) -> dict[str, object]:
        """The line that explains the failure, then all that it points at."""
        return {
            **log_evidence(self.tail),
            **setting_evidence(self.setting),
            **changed_evidence(self.changed),
            **hidden_evidence(self.container, self.empty_mounts),
            **peers_evidence(self.container, self.calls, containers, self.tail, clock),
            **kernel_evidence(program_faults, self.container),
        }

    def steps(self, images: Images | None, image_commands: ImageCommands | None) -> dict[str, str]:
        """The variables of the page: which of its cures suit this failure."""
        return (
            first_steps(self.container, self.tail, self.setting, self.calls)
            | image_steps(self.container, self.tail, images, image_commands, self.calls)
            | changed_variables(self.container, self.changed)
            | hidden_variables(self.container, self.tail, self.setting, self.empty_mounts)
        )


def failed_run(
    container: Container,
    containers: Containers,
    log_tails: LogTails | None,
    namespaces: Namespaces | None,
    compose_files: ComposeFiles | None,
    empty_mounts: EmptyMounts | None,
) -> FailedRun:
    """The last run of a container that has ended."""
    tail = tail_of(log_tails, container)
    return FailedRun(
        container,
        tail,
        calls_of(container, containers, tail, namespaces),
        setting_of(container, tail),
        changed_file(container, compose_files),
        empty_mounts,
    )
