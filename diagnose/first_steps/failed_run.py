"""The reasons why the last run of a container failed, by its log, its settings and its peers."""

from collections.abc import Mapping

import msgspec

from diagnose.evidence.containers.compose.compose_files import ChangedFile
from diagnose.evidence.containers.ends.former_images import FormerImage
from diagnose.evidence.containers.ends.silent_faults import silent_fault_clause
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.mounts.empty_mounts import EmptyMounts
from diagnose.evidence.containers.mounts.host_paths import stray_path
from diagnose.evidence.containers.peers.complaining_peer import ComplainingPeer, complaining_peer
from diagnose.evidence.containers.peers.failed_migrator import FailedMigrator, failed_migrator
from diagnose.evidence.containers.peers.peer_evidence import peer_evidence
from diagnose.evidence.containers.peers.stray_calls import called_host, strays_of
from diagnose.evidence.containers.peers.unanswered_peers import Calls, called_too_early, calls_of
from diagnose.evidence.containers.peers.unknown_names import (
    stray_evidence,
    stray_setting,
    stray_variables,
)
from diagnose.evidence.containers.programs.init_scripts import InitScript
from diagnose.evidence.containers.run_context import RunContext, SeenInside
from diagnose.evidence.containers.run_evidence import (
    UNFILTERED,
    blames_no_filter,
    kernel_evidence,
    log_evidence,
    meaning,
    setting_evidence,
    tail_of,
)
from diagnose.evidence.containers.settings.named.named_settings import NamedSetting
from diagnose.evidence.machine.clock import Clock
from diagnose.first_steps.changed_compose import changed_evidence, changed_file
from diagnose.first_steps.looks.spoken_subjects import unknown_clause
from diagnose.first_steps.looks.subject_looks import subject_look
from diagnose.first_steps.named.code_steps import code_evidence
from diagnose.first_steps.named.line_steps import line_evidence
from diagnose.first_steps.named.loopback_variable import LoopbackVariable, loopback_variable
from diagnose.first_steps.named.own_address import OwnAddress, own_address
from diagnose.first_steps.rows.row_steps import row_steps
from diagnose.first_steps.rows.server_steps import server_of
from diagnose.first_steps.setting_steps import setting_of
from diagnose.mappings import evidence_of, only, subjects_of
from diagnose.model import Json, Subject
from diagnose.programs.failures.remedies import COMMANDS, LIBRARIES

_OF_THE_IMAGE = frozenset(LIBRARIES + COMMANDS)
"""Folders of a system, which no program needs to have mounted."""


class FailedRun(msgspec.Struct, frozen=True):
    """A run that ended with an error, with its log, its settings and its peers."""

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
    corrected: Mapping[str, str] = {}
    """The page variables that replace this name by a neighbour's."""
    server: Mapping[str, str] = {}
    """The page variable with the server whose state ended the run."""
    own: OwnAddress | None = None
    """The other address that the settings of the called server give it."""
    loopback: LoopbackVariable | None = None
    """The variable by which it calls itself."""
    row: Mapping[str, str] = {}
    """The page variables of the known failure's own remedy."""
    look: Mapping[str, str] = {}
    """The page variables that show the thing that its log is about."""
    complaint: ComplainingPeer | None = None
    """The server that it calls and that says what is wrong."""
    migrator: FailedMigrator | None = None
    """The container that was to migrate its database."""

    @property
    def callees(self) -> tuple[Subject, ...]:
        return subjects_of(self.calls.callees)

    @property
    def too_early_clause(self) -> str:
        """The clause about peers that it called before they served; "" for none."""
        return called_too_early(self.calls.early_for(self.container))

    @property
    def cause_clause(self) -> str:
        """The clause about the cause of the failure: the state of a peer, or else the meaning of
        its log."""
        of_peer = self.too_early_clause or self.unserved_peer_clause
        of_log = self._covering_mount_clause or self.unknown_host_clause or self.meaning_clause
        return of_peer or of_log or self.complaint_clause

    @property
    def complaint_clause(self) -> str:
        """The clause about the complaint of the called server; "" where it has none."""
        return self.complaint.clause if self.complaint is not None else ""

    @property
    def former_image(self) -> FormerImage | None:
        """The image of the container that it has replaced, where that one ran.

        None where a peer or a newer compose file is the cause.
        """
        former = self.context.former_images
        is_aside = bool(self.calls.callees or self.strays)
        if former is None or is_aside or self.changed is not None:
            return None
        return former.of(self.container)

    @property
    def _covering_mount_clause(self) -> str:
        """The clause about a mount that hides the image's files, of which the log misses one."""
        folder = self.row.get("covering", "")
        mount = self.container.mount_at(folder) if folder in _OF_THE_IMAGE else None
        if mount is None:
            return ""
        return f"{mount.source}, which is mounted at {folder}, hides what its image has there"

    @property
    def seen_inside(self) -> SeenInside | None:
        """The fact about the failure that the image or a file in it shows; None for none."""
        return self.context.seen_inside(self.container)

    @property
    def meaning_clause(self) -> str:
        """The clause about the meaning of the log; "" where it is not known, or does not hold."""
        state_inside = self.seen_inside
        if isinstance(state_inside, InitScript) and not state_inside.user:
            return "; ".join(filter(None, (state_inside.clause, meaning(self.tail))))
        if state_inside is not None:
            return state_inside.clause
        if self._blames_no_filter:
            return ""
        own_clause = self.own.clause if self.own else ""
        former = self.former_image.clause if self.former_image is not None else ""
        migrator = self.migrator.clause if self.migrator is not None else ""
        means = migrator or meaning(self.tail)
        loopback = self.loopback.clause if self.loopback is not None else ""
        clauses = (
            means,
            own_clause,
            loopback,
            self._empty_variable_clause,
            self._stray_path_clause,
            former,
        )
        clauses_of_failure = "; ".join(filter(None, clauses))
        return clauses_of_failure or silent_fault_clause(self.container, self.context.log_tails)

    @property
    def _stray_path_clause(self) -> str:
        """The clause about a path in the line that is in none of its mounts."""
        telling = self.tail.telling
        stray = stray_path(self.container, telling.whole) if telling is not None else None
        return stray.clause if stray is not None else ""

    @property
    def _empty_variable_clause(self) -> str:
        """The clause about a variable without a value, which the line misses."""
        setting = self.setting
        if setting is None or not setting.is_missed:
            return ""
        return f"its environment variable {setting.variable} is empty"

    @property
    def unknown_host_clause(self) -> str:
        """The clause about the name that its log says it called and that no container has."""
        failure = self.tail.failure
        name = called_host(failure) if failure is not None else ""
        if name not in self.strays:
            return ""
        return f'no container on this host has the name "{name}", which it calls'

    @property
    def unserved_peer_clause(self) -> str:
        """The clause about a running peer that does not serve the called port."""
        calls = self.calls
        deaf = only([peer for peer in calls.callees if peer.is_running and calls.is_unserved(peer)])
        if deaf is None:
            return ""
        inner = calls.inner_socket(deaf)
        if inner is not None:
            return f"{deaf}, which it calls, listens on port {inner.port} for itself only"
        return f"nothing in {deaf}, which it calls, listens on port {calls.port}"

    def evidence(self, containers: Containers, clock: Clock) -> dict[str, object]:
        """The line that explains the failure, then the things to which it points."""
        is_known = bool(self.too_early_clause or self.unserved_peer_clause)
        return {
            **log_evidence(self.tail, is_refuted=self._blames_no_filter, is_known=is_known),
            **self._unknown_evidence,
            **(UNFILTERED if self._blames_no_filter else {}),
            **evidence_of(self.seen_inside),
            **setting_evidence(self.setting),
            **line_evidence(self.container, self.tail),
            **code_evidence(self.container, self.tail),
            **stray_evidence(self.strays, containers),
            **changed_evidence(self.changed),
            **_hidden_evidence(self.container, self.context.empty_mounts),
            **_server_evidence(self.server, containers),
            **evidence_of(self.complaint),
            **evidence_of(self.migrator),
            **peer_evidence(self.container, self.calls, containers, self.tail, clock),
            **kernel_evidence(self.context.program_faults, self.container),
        }

    @property
    def _unknown_evidence(self) -> dict[str, object]:
        """The subject of a complaint that no row knows and no peer explains, by its words, as
        evidence."""
        is_explained = self.tail.failure is not None or bool(self.calls.callees or self.strays)
        if is_explained or self.seen_inside is not None or not self.tail.has_complaint:
            return {}
        return {"this means": unknown_clause(self.tail.telling_text)}

    @property
    def _blames_no_filter(self) -> bool:
        return blames_no_filter(self.container, self.tail, self.context.info)


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
    calls = calls_of(container, containers, tail, context.namespaces)
    complaint = complaining_peer(calls.callees, context.repeated_errors or ())
    if complaint is not None:
        calls = msgspec.structs.replace(calls, is_beside=True)
    setting = stray_setting(strays) or setting_of(container, tail)
    return FailedRun(
        container,
        tail=tail,
        calls=calls,
        setting=setting,
        changed=changed_file(container, context.compose_files),
        context=context,
        strays=strays,
        corrected=stray_variables(strays, container, containers, setting),
        server=server_of(container, tail.failure, containers),
        own=own_address(tail.failure, container, containers),
        loopback=None if calls.callees else loopback_variable(container, tail.failure, containers),
        row=row_steps(container, tail.failure, containers, is_running=False, info=context.info),
        look=subject_look(container, tail.failure, tail.telling_text, containers),
        complaint=complaint,
        migrator=failed_migrator(container, tail.failure, containers, context.log_tails),
    )


def _server_evidence(server: Mapping[str, str], containers: Containers) -> dict[str, Json]:
    """The image of the server that lacks something."""
    name = server.get("extensions", "")
    container = containers.by_name.get(name)
    return {f"{name}, the server": f"image {container.config.image}"} if container else {}


def _hidden_evidence(container: Container, mounts: EmptyMounts | None) -> dict[str, Json]:
    """The empty folders that are mounted over files of the image."""
    return mounts.evidence_of(container) if mounts is not None else {}
