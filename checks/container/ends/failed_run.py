"""Why the last run of a container failed, as its log, its settings and its peers tell it."""

import shlex
from collections.abc import Mapping

import msgspec

from checks.container.ends.silent_faults import silent_fault_clause, silent_fault_steps
from checks.container.first_steps.changed_compose import (
    changed_evidence,
    changed_file,
    changed_variables,
)
from checks.container.first_steps.code_steps import code_evidence, code_variables
from checks.container.first_steps.image_steps import build_before, image_steps
from checks.container.first_steps.installed_parts import mended_image
from checks.container.first_steps.line_steps import line_evidence, line_variables
from checks.container.first_steps.named_things import is_better_looked_at, named_thing_steps
from checks.container.first_steps.named_variables import missing_variable_steps
from checks.container.first_steps.own_address import OwnAddress, own_address
from checks.container.first_steps.row_steps import row_steps
from checks.container.first_steps.server_steps import server_of
from checks.container.first_steps.setting_steps import setting_of, setting_variables
from checks.container.first_steps.subject_looks import subject_look, unknown_clause
from checks.container.helpers import (
    UNFILTERED,
    blames_no_filter,
    kernel_evidence,
    log_evidence,
    meaning,
    setting_evidence,
    tail_of,
)
from checks.container.peers.peer_evidence import peer_evidence
from checks.container.peers.unknown_names import stray_evidence, stray_setting, stray_variables
from diagnose.evidence.containers.former_images import FormerImage
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.passing_failures import may_have_passed
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.mounts.empty_mounts import EmptyMounts
from diagnose.evidence.containers.mounts.host_paths import stray_path
from diagnose.evidence.containers.peers.complaining_peer import ComplainingPeer, complaining_peer
from diagnose.evidence.containers.peers.failed_migrator import FailedMigrator, failed_migrator
from diagnose.evidence.containers.peers.stray_calls import called_host, strays_of
from diagnose.evidence.containers.peers.unanswered_peers import Calls, called_too_early, calls_of
from diagnose.evidence.containers.programs.init_scripts import InitScript
from diagnose.evidence.containers.programs.missing_modules import MissingModule
from diagnose.evidence.containers.run_context import RunContext, SeenInside
from diagnose.evidence.containers.settings.compose_files import ChangedFile
from diagnose.evidence.containers.settings.named_settings import NamedSetting
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.clock import Clock
from diagnose.mappings import only, present, subjects_of
from diagnose.model import Json, PageVariables, Subject
from diagnose.programs.failures.remedies import COMMANDS, LIBRARIES

_OF_THE_IMAGE = frozenset(LIBRARIES + COMMANDS)
"""Folders of a system, which no program needs to have mounted."""


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
    corrected: Mapping[str, str] = {}
    """What puts a neighbour's name in the place of such a name, as variables of the page."""
    server: Mapping[str, str] = {}
    """The server whose state ended it, as a variable of the page."""
    own: OwnAddress | None = None
    """Where the server that it calls is given another address."""
    row: Mapping[str, str] = {}
    """What the known failure's own remedy needs, as variables of the page."""
    look: Mapping[str, str] = {}
    """What shows the thing that its log is about, as variables of the page."""
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
        """The clause that says why it failed: the state of a peer, or else what its log means."""
        of_peer = self.too_early_clause or self.unserved_peer_clause
        of_log = self._covering_mount_clause or self.unknown_host_clause or self.meaning_clause
        return of_peer or of_log or self.complaint_clause

    @property
    def complaint_clause(self) -> str:
        """The clause about what the server says that it calls; "" where that says nothing."""
        return self.complaint.clause if self.complaint is not None else ""

    @property
    def _former_image(self) -> FormerImage | None:
        """The image of the container that it has replaced, where that one ran.

        None where a peer or a newer compose file is to blame.
        """
        former, is_aside = self.context.former_images, bool(self.calls.callees or self.strays)
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
    def _steps_inside(self) -> PageVariables:
        """What heals it, as far as a command can: the image's own command in the place of one for
        development, or what a file inside asks for."""
        seen, container, commands = self._seen_inside, self.container, self.context.image_commands
        if seen is None or not isinstance(seen, MissingModule):
            return seen.steps if seen is not None else {}
        own = (commands.of(container) or ()) if commands is not None else ()
        return {"own_start": shlex.join(own)} if own and seen.manifest else {}

    @property
    def _seen_inside(self) -> SeenInside | None:
        """What the image or a file in it says about the failure."""
        return self.context.seen_inside(self.container)

    @property
    def meaning_clause(self) -> str:
        """The clause that says what the log means; "" where that is not known, or is not so."""
        seen = self._seen_inside
        if isinstance(seen, InitScript) and not seen.user:
            return "; ".join(filter(None, (seen.clause, meaning(self.tail))))
        if seen is not None:
            return seen.clause
        if self._blames_no_filter:
            return ""
        own = self.own.clause if self.own else ""
        former = self._former_image.clause if self._former_image is not None else ""
        migrator = self.migrator.clause if self.migrator is not None else ""
        means = migrator or meaning(self.tail)
        clauses = (means, own, self._empty_variable_clause, self._stray_path_clause, former)
        known = "; ".join(filter(None, clauses))
        return known or silent_fault_clause(self.container, self.context.log_tails)

    @property
    def _stray_path_clause(self) -> str:
        """The clause about a path in the line that its mounts do not hold."""
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
        """The clause about a peer that runs, and does not serve the port that it calls."""
        calls = self.calls
        deaf = only([peer for peer in calls.callees if peer.is_running and calls.is_unserved(peer)])
        if deaf is None:
            return ""
        inner = calls.inner_socket(deaf)
        if inner is not None:
            return f"{deaf}, which it calls, listens on port {inner.port} for itself only"
        return f"nothing in {deaf}, which it calls, listens on port {calls.port}"

    def evidence(self, containers: Containers, clock: Clock) -> dict[str, object]:
        """The line that explains the failure, then all that it points at."""
        is_known = bool(self.too_early_clause or self.unserved_peer_clause)
        return {
            **log_evidence(self.tail, is_refuted=self._blames_no_filter, is_known=is_known),
            **self._unknown_evidence,
            **(UNFILTERED if self._blames_no_filter else {}),
            **(self._seen_inside.evidence if self._seen_inside is not None else {}),
            **setting_evidence(self.setting),
            **line_evidence(self.container, self.tail),
            **code_evidence(self.container, self.tail),
            **stray_evidence(self.strays, containers),
            **changed_evidence(self.changed),
            **_hidden_evidence(self.container, self.context.empty_mounts),
            **_server_evidence(self.server, containers),
            **(self.complaint.evidence if self.complaint is not None else {}),
            **(self.migrator.evidence if self.migrator is not None else {}),
            **peer_evidence(self.container, self.calls, containers, self.tail, clock),
            **kernel_evidence(self.context.program_faults, self.container),
        }

    @property
    def _unknown_evidence(self) -> dict[str, object]:
        """What the words of a complaint are about that nobody knows, and that no peer explains."""
        is_explained = self.tail.failure is not None or bool(self.calls.callees or self.strays)
        if is_explained or self._seen_inside is not None or not self.tail.has_complaint:
            return {}
        return {"this means": unknown_clause(self.tail.telling_text)}

    @property
    def _blames_no_filter(self) -> bool:
        return blames_no_filter(self.container, self.tail, self.context.info)

    @property
    def _is_unexplained(self) -> bool:
        """Whether the log names no known failure, no setting and no peer, and nothing changed."""
        is_named = self.setting is not None or bool(self.calls.callees or self.strays)
        return self.tail.failure is None and not is_named and self.changed is None

    @property
    def _image_before(self) -> PageVariables:
        """The image of its predecessor, or a build before where the log explains nothing."""
        if self._former_image is None and not self._is_unexplained:
            return {}
        return build_before(self.container, self.context.images, self._former_image)

    @property
    def steps(self) -> PageVariables:
        """The variables of the page: which of its cures suit this failure."""
        first = first_steps(
            self.container, self.tail, self.setting, self.calls, is_lasting=self._is_lasting
        )
        return self._without_links(first) | self.further_steps

    @property
    def _is_lasting(self) -> bool:
        """Whether no other start finds what it called: a name that no container has, its own
        localhost, a place where a look shows who is there."""
        failure, container = self.tail.failure, self.container
        is_of_loopback = failure is not None and failure.name.startswith("loopback-")
        calls_itself = is_of_loopback and not container.shares_network
        is_looked_at = bool({"asked_host", "calls_of"} & set(self.look)) and not self.calls.callees
        return bool(self.strays) or calls_itself or is_looked_at

    def _without_links(self, steps: PageVariables) -> PageVariables:
        """The steps that change no file to which a link of the container leads."""
        linked = self.context.linked_files
        return linked.without(steps) if linked is not None else steps

    @property
    def further_steps(self) -> PageVariables:
        """The first steps that lie in the image, the compose file and the mounts."""
        container, tail, context = self.container, self.tail, self.context
        inside = self._steps_inside
        # what is seen in this image is in no other build of it
        images = context.images if "mended" not in inside else None
        return self._without_links(
            silent_fault_steps(container, context.log_tails)
            | image_steps(container, tail, images, context.image_commands, self.calls)
            | (inside if self._seen_inside else mended_image(container, tail.failure))
            | self._image_before
            | changed_variables(container, self.changed)
            | _hidden_variables(container, tail, self.setting, context.empty_mounts)
            | line_variables(container, tail, self.setting)
            | code_variables(container, tail)
            | dict(self.look)
            | _named_steps(container, tail, self.setting)
            | _room_variables(container, tail, context.info)
            | dict(self.corrected)
            | dict(self.server)
            | ({"misnamed": self.own.server, "own_setting": self.own.place} if self.own else {})
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
        row=row_steps(container, tail.failure, containers, is_running=False, info=context.info),
        look=subject_look(container, tail.failure, tail.telling_text, containers),
        complaint=complaint,
        migrator=failed_migrator(container, tail.failure, containers, context.log_tails),
    )


def _server_evidence(server: Mapping[str, str], containers: Containers) -> dict[str, Json]:
    """The image of the server that lacks something."""
    name = server.get("extensions", "")
    images = [container.config.image for container in containers if container.name == name]
    return {f"{name}, the server": f"image {images[0]}"} if images else {}


def _hidden_evidence(container: Container, mounts: EmptyMounts | None) -> dict[str, Json]:
    """The empty folders that are mounted over what the image has."""
    return mounts.evidence_of(container) if mounts is not None else {}


def _hidden_variables(
    container: Container, tail: LogTail, setting: NamedSetting | None, mounts: EmptyMounts | None
) -> PageVariables:
    """The variables of a page about the one such folder, where the log explains nothing better."""
    is_explained = setting is not None or tail.failure is not None
    return {} if mounts is None or is_explained else mounts.variables_of(container)


def _named_steps(
    container: Container, tail: LogTail, setting: NamedSetting | None
) -> PageVariables:
    """The variables of a page about what the line names, other than a variable or an option."""
    is_given = setting is not None and not setting.path and not setting.folder
    if is_given or tail.telling is None:
        return {}
    text = tail.telling.whole
    asked = missing_variable_steps(container, text) if tail.known_failure is None else {}
    return asked or named_thing_steps(container, text)


def _room_variables(container: Container, tail: LogTail, info: Info | None) -> PageVariables:
    """Where the program writes, if its log says that there is no room: below its first mount."""
    if "no-space" not in tail.signs and tail.failure_named("database-io", "space-short") is None:
        return {}
    mounted = [mount.source for mount in container.mounts if mount.rw and mount.has_host_path]
    root = info.docker_root_dir if info is not None else ""
    return present({"room": next(iter(mounted), root)})


def first_steps(
    container: Container,
    tail: LogTail,
    setting: NamedSetting | None,
    calls: Calls,
    *,
    is_lasting: bool,
) -> PageVariables:
    """The variables of a page about a container that has ended: another start where it may help, a
    peer that does not listen, and the setting to which the log objects.

    is_lasting: no other start finds what it called. Nor does one find a port where nothing listens
    now.
    """
    may_help = may_have_passed(container, tail, setting) or calls.are_back
    text = tail.telling_text
    is_named = is_better_looked_at(container, text) or bool(code_variables(container, tail))
    stays = is_lasting or calls.are_deaf or is_named
    is_worth_a_start = may_help and not stays
    return {
        **({"again": container.name} if is_worth_a_start else {}),
        **calls.variables,
        **setting_variables(container, tail, setting, may_pass=is_worth_a_start),
    }
