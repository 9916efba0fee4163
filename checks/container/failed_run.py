"""Why the last run of a container failed, as its log, its settings and its peers tell it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from checks.container.changed_compose import (
    changed_evidence,
    changed_file,
    changed_variables,
)
from checks.container.helpers import (
    first_steps,
    kernel_evidence,
    log_evidence,
    peers_evidence,
    setting_evidence,
    setting_of,
    tail_of,
)
from checks.container.image_steps import image_steps
from checks.container.line_steps import line_evidence, line_variables
from checks.container.row_steps import row_steps
from checks.container.server_steps import server_of
from checks.container.strays import stray_evidence, stray_setting, stray_variables
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.mounts.empty_mounts import EmptyMounts
from diagnose.evidence.containers.peers.stray_calls import strays_of
from diagnose.evidence.containers.peers.unanswered_peers import Calls, calls_of
from diagnose.evidence.containers.run_context import RunContext
from diagnose.evidence.containers.settings.compose_files import ChangedFile
from diagnose.evidence.containers.settings.named_settings import NamedSetting
from diagnose.evidence.machine.clock import Clock
from diagnose.mappings import subjects_of
from diagnose.model import Json, Subject


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
    context: RunContext
    strays: Mapping[str, str] = {}
    """Names that it called and that no container has, with their places."""
    server: Mapping[str, str] = {}
    """The server whose state ended it, as a variable of the page."""
    row: Mapping[str, str] = {}
    """What the known failure's own remedy needs, as variables of the page."""

    @property
    def callees(self) -> tuple[Subject, ...]:
        return subjects_of(self.calls.callees)

    def evidence(self, containers: Containers, clock: Clock) -> dict[str, object]:
        """The line that explains the failure, then all that it points at."""
        return {
            **log_evidence(self.tail),
            **setting_evidence(self.setting),
            **line_evidence(self.container, self.tail),
            **stray_evidence(self.strays, containers),
            **changed_evidence(self.changed),
            **_hidden_evidence(self.container, self.context.empty_mounts),
            **peers_evidence(self.container, self.calls, containers, self.tail, clock),
            **kernel_evidence(self.context.program_faults, self.container),
        }

    @property
    def steps(self) -> dict[str, str]:
        """The variables of the page: which of its cures suit this failure."""
        first = first_steps(self.container, self.tail, self.setting, self.calls, self.strays)
        return first | self.further_steps

    @property
    def further_steps(self) -> dict[str, str]:
        """Those that lie in the image, the compose file and the mounts."""
        container, tail, context = self.container, self.tail, self.context
        return (
            image_steps(container, tail, context.images, context.image_commands, self.calls)
            | changed_variables(container, self.changed)
            | _hidden_variables(container, tail, self.setting, context.empty_mounts)
            | line_variables(container, tail, self.setting)
            | stray_variables(self.strays)
            | dict(self.server)
            | dict(self.row)
        )


def failed_run(
    container: Container,
    containers: Containers,
    context: RunContext | None,
    *,
    before: bool = False,
) -> FailedRun:
    """The last run of a container that has failed.

    before: the one before the run that is under way.
    """
    context = context or RunContext()
    tail = tail_of(context.log_tails, container)
    if before:
        tail = tail.before_this_run
    strays = strays_of(container, containers, tail)
    return FailedRun(
        container,
        tail=tail,
        calls=calls_of(container, containers, tail, context.namespaces),
        setting=stray_setting(strays) or setting_of(container, tail),
        changed=changed_file(container, context.compose_files),
        context=context,
        strays=strays,
        server=server_of(container, tail.failure, containers),
        row=row_steps(container, tail.failure, containers, is_running=False, info=context.info),
    )


def _hidden_evidence(container: Container, mounts: EmptyMounts | None) -> dict[str, Json]:
    """The empty folders that are mounted over what the image has."""
    return mounts.evidence_of(container) if mounts is not None else {}


def _hidden_variables(
    container: Container, tail: LogTail, setting: NamedSetting | None, mounts: EmptyMounts | None
) -> dict[str, str]:
    """The variables of a page about the one such folder, where the log explains nothing better."""
    is_explained = setting is not None or tail.failure is not None
    return {} if mounts is None or is_explained else mounts.variables_of(container)
