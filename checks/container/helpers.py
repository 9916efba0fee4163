"""What findings about containers share.

The line of the log that explains, peers that do not run, durations.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from diagnose.evidence.containers.called_peers import called_peers, named_peers, refused_port
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTail, LogTails
from diagnose.evidence.containers.named_settings import (
    NamedSetting,
    named_setting,
    setting_in,
    setting_of_key,
)
from diagnose.evidence.containers.programs.program_faults import ProgramFaults
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Subject, Unavailable
from diagnose.phrases import ago
from diagnose.programs.failures import Recognised

PASSING = frozenset(
    [
        "dns",
        "io-error",
        "no-fork",
        "no-space",
        "oom",
        "open-files",
        "port-taken",
        "rate-limit",
        "refused",
        "timeout",
        "unreachable",
    ]
)
"""Error signatures of what may be over by now."""
LINE = "log"
AROUND = "log, around it"
_SHELLS = frozenset(
    [
        "ash",
        "bash",
        "dash",
        "ghci",
        "irb",
        "jshell",
        "julia",
        "node",
        "python",
        "python3",
        "sh",
        "zsh",
    ]
)
"""Programs that read commands from their input where they are given none."""
_ENDS_WITH_INPUT = LazyPattern(r"\breact-scripts start\b|^Starting the development server")
"""facebook/create-react-app#8688: from 3.4.1 on it ends with exit code 0 when its input does."""
QUOTED = 300
SLOW_START_S = 120.0
"""Seconds that a large program may take to its start."""
NAMES_SHOWN = 8
_ENDS_OF_STOPPED = (0, 137, 143)
"""Exit codes after `docker stop`: of its own, by SIGKILL, by SIGTERM."""
_DEPENDENCY = LazyPattern(r"(?:^|,)([^:,]+)")
"""The services in compose's label, which says
`db:service_healthy:false,init:service_completed_successfully:false`."""


def tail_of(log_tails: LogTails | Unavailable | None, container: Container) -> LogTail:
    """Its last log lines; none where logs could not be read."""
    return log_tails.of(container) if isinstance(log_tails, LogTails) else LogTail(())


def log_evidence(tail: LogTail, *, in_words: bool = True) -> dict[str, object]:
    """The line that explains the failure, whole, and what it means where that is known.

    Nothing where nothing was printed. in_words: with what fixes it, where no command of the page
    does just that.
    """
    if tail.telling is None:
        return {}
    evidence: dict[str, object] = {LINE: tail.telling.whole}
    if tail.failure is not None:
        evidence["this means"] = tail.failure.cause
        if in_words:
            evidence["what fixes it"] = tail.failure.cure
    if len(tail.telling.neighbours) > 1:
        evidence[AROUND] = list(tail.telling.neighbours)
    return evidence


def setting_of(container: Container, tail: LogTail) -> NamedSetting | None:
    """The setting that heals a known failure, or else the one that its log objects to.

    None where that is not known.
    """
    failure = tail.failure
    if failure is None:
        return named_setting(container, tail.telling)
    healing = setting_in(container, failure.cure)
    by_key = setting_of_key(container, failure.values.get("key", ""))
    return healing or named_setting(container, tail.telling) or by_key


def setting_evidence(setting: NamedSetting | None) -> dict[str, object]:
    """Where that setting is made."""
    return {"where that is set": setting.text} if setting is not None else {}


def is_bare_shell(container: Container) -> bool:
    """Whether it runs a shell or an interpreter without a script and a terminal.

    Its input is at its end at once, and so is the program.
    """
    words = container.command
    name = words[0].rpartition("/")[2] if words else ""
    return len(words) == 1 and name in _SHELLS and not container.config.tty


def awaits_input(container: Container, tail: LogTail) -> bool:
    """Whether its program ends because its input is closed, as the server of react-scripts does."""
    is_closed = not container.config.tty and not container.config.open_stdin
    return is_closed and any(_ENDS_WITH_INPUT.search(line) for line in tail.lines)


def passing(container: Container, tail: LogTail) -> frozenset[str]:
    """The error signatures of what may be over by now.

    A port inside a network that the container shares with nobody stays taken by the program itself.
    """
    mode = container.host_config.network_mode
    is_shared = mode == "host" or mode.startswith("container:")
    return (tail.signs & PASSING) - (frozenset() if is_shared else frozenset(["port-taken"]))


def fails_at_start(container: Container, tail: LogTail, short: float) -> bool:
    """Whether its program failed before it worked, by how long it ran, in seconds.

    Large programs take minutes until they come to a setting or a file that stays as it is.
    """
    ran = container.ran_for or 0.0
    known = tail.failure.failure if tail.failure is not None else None
    return ran < short or (known is not None and not known.may_pass and ran < SLOW_START_S)


def may_have_passed(container: Container, tail: LogTail, setting: NamedSetting | None) -> bool:
    """Whether another start shows more than the log did.

    The log objects to nothing, or has words of what passes: a peer that is not there yet, a name, a
    full disk. A setting, and a known failure that no check looks for on this host, stay as they
    are.
    """
    if setting is not None or stays(tail.failure):
        return False
    if tail.failure is not None and tail.failure.failure.may_pass:
        return True
    objects = tail.telling is not None and tail.telling.is_complaint
    return not objects or bool(passing(container, tail))


def stays(failure: Recognised | None) -> bool:
    """Whether it is a known failure that no other start changes."""
    known = failure.failure if failure is not None else None
    return known is not None and not known.confirmed_by and not known.may_pass


def setting_variables(
    container: Container, tail: LogTail, setting: NamedSetting | None, *, may_pass: bool
) -> dict[str, str]:
    """The variables of a page about the setting to which the log objects.

    Where it objects to something that stays as it is, and does not say where that is set, the page
    shows all settings of the container. may_pass: another start comes first.
    """
    if may_pass or passing(container, tail):
        changes = ("typed", "unset")
        variables = setting.variables if setting is not None else {}
        return {name: value for name, value in variables.items() if name not in changes}
    unset = tail.failure.page_variables({}).get("unset", "") if tail.failure is not None else ""
    if unset and container.config.sets(unset):
        return {"setting": unset, "unset": unset}
    if setting is not None:
        return setting.variables | _scheme_of_postgres(tail, setting)
    is_known = tail.failure is not None
    objects = is_known or (tail.telling is not None and tail.telling.is_complaint)
    return {"configured": container.name} if objects else {}


def _scheme_of_postgres(tail: LogTail, setting: NamedSetting) -> dict[str, str]:
    """The variable whose address begins with the scheme that SQLAlchemy has given up."""
    failure = tail.failure
    is_given_up = (
        failure is not None
        and failure.failure.name == "url-scheme"
        and failure.values.get("scheme") == "postgres"
        and "sqlalchemy" in failure.line  # a program in Go lacks a driver, and knows the scheme
    )
    return {"postgres_url": setting.variable} if is_given_up and setting.variable else {}


class Calls(msgspec.Struct, frozen=True):
    """The calls of a failed container that were not answered: whom it called, and how they are.

    port: where it was refused, 0 if that is not known.
    """

    callees: tuple[Container, ...]
    port: int
    namespaces: Namespaces | None
    is_distrusted: bool
    is_beside: bool = False
    """Whether the container failed of something else, that no other start changes."""

    @property
    def are_back(self) -> bool:
        """Whether all that it called run now, and none is seen not to listen."""
        return (
            bool(self.callees)
            and not self.is_distrusted
            and not self.is_beside
            and all(callee.is_running and not self.unserved(callee) for callee in self.callees)
        )

    @property
    def variables(self) -> dict[str, str]:
        """The variables of a page about a peer that runs and does not listen, or is stopped."""
        deaf = [callee.name for callee in self.callees if self.unserved(callee)]
        down = [callee.name for callee in self.callees if _was_stopped(callee)]
        only_deaf = {"deaf": deaf[0]} if len(deaf) == 1 else {}
        return only_deaf | ({"down": down[0]} if len(down) == 1 else {})

    def unserved(self, callee: Container) -> str:
        """What is seen inside a peer that does not listen on the port; "" where it does."""
        netns = self.namespaces.of(callee) if self.namespaces is not None else None
        if netns is None or not self.port:
            return ""
        if netns.serves_others("tcp", self.port):
            return ""
        sockets = netns.sockets("tcp", self.port)
        if sockets:
            return f"; it listens on port {self.port} at {sockets[0].address} only, for itself"
        return f"; nothing in it listens on port {self.port}"


def _was_stopped(container: Container) -> bool:
    """Whether it was never started, or ended as it does when somebody stops it.

    One that failed has a finding of its own.
    """
    state = container.state
    if state.error or state.oom_killed:
        return False
    has_ended = state.status == "exited" and state.exit_code in _ENDS_OF_STOPPED
    return state.status == "created" or has_ended


def calls_of(
    container: Container, containers: Containers, tail: LogTail, namespaces: Namespaces | None
) -> Calls:
    """The calls of which its log complains: a database without a table was called too."""
    lacks_table = tail.failure is not None and tail.failure.failure.name == "table-missing"
    callees = called_peers(tail.lines, container, containers)
    if lacks_table and not callees:
        callees = named_peers((), container, containers)
    return Calls(
        callees,
        refused_port(tail.lines),
        namespaces,
        "certificate" in tail.signs,
        is_beside=stays(tail.failure) and not lacks_table,
    )


def peers_evidence(
    container: Container, calls: Calls, containers: Containers, tail: LogTail, clock: Clock
) -> dict[str, object]:
    """Who the peer is of which the log complains, and how it is.

    A peer that does not run, or since when it runs and whether it listens. Where the log misses a
    name that no container has, the names that there are.
    """
    evidence: dict[str, object] = dict(not_running(calls.callees, clock))
    for callee in calls.callees:
        age = clock.age(callee.started_at)
        if callee.is_running and age is not None:
            more = calls.unserved(callee)
            if calls.is_distrusted:
                more = "; the caller does not trust its certificate"
            evidence[f"{callee.name}, which it calls"] = f"running, started {ago(age)} ago{more}"
    if not calls.callees and "dns" in tail.signs:
        own = container.endpoints.keys()
        others = [
            other.name
            for other in containers
            if other.id != container.id and own & other.endpoints.keys()
        ]
        evidence["names on its networks"] = sorted(others)[:NAMES_SHOWN] or "none"
    return evidence


def first_steps(
    container: Container, tail: LogTail, setting: NamedSetting | None, calls: Calls
) -> dict[str, str]:
    """The variables of a page about a container that has ended: another start where it may help, a
    peer that does not listen, and the setting to which the log objects."""
    is_worth_a_start = may_have_passed(container, tail, setting) or calls.are_back
    return {
        **({"again": container.name} if is_worth_a_start else {}),
        **calls.variables,
        **setting_variables(container, tail, setting, may_pass=is_worth_a_start),
    }


def kernel_evidence(program_faults: ProgramFaults | None, container: Container) -> dict[str, str]:
    """What the kernel wrote about the program in the second in which the container ended."""
    fault = program_faults.of(container) if program_faults is not None else None
    return {"kernel log": fault.text} if fault else {}


def subjects_of(containers: Iterable[Container]) -> tuple[Subject, ...]:
    """The containers as subjects of findings."""
    return tuple(container.subject for container in containers)


def not_running(callees: Iterable[Container], clock: Clock) -> dict[str, str]:
    """The state of called containers that do not run, as evidence.

    A container that was stopped by hand has no finding of its own.
    """
    return {
        f"{callee.name}, which it calls": _state(callee, clock.age(callee.finished_at))
        for callee in callees
        if not callee.is_running
    }


def _state(container: Container, age: float | None) -> str:
    ended = f", exit code {container.state.exit_code}, {ago(age)} ago" if age is not None else ""
    return f"{container.state.status}{ended}"


def held_up(container: Container, containers: Containers) -> dict[str, list[str]]:
    """The containers that were never started because they depend on this one, as evidence.

    Only those of its compose project count.
    """
    project, service = container.compose_project, container.compose_service
    if not project:
        return {}
    waiting = [
        other.name
        for other in containers.never_started
        if other.compose_project == project
        and service in _DEPENDENCY.findall(other.labels.get("com.docker.compose.depends_on", ""))
    ]
    return {"wait for it, never started": waiting} if waiting else {}


def took(seconds: float | None) -> str:
    """How long a run lasted: 0.3 s, 40 s, 3 h."""
    if seconds is None:
        return "an unknown time"
    return f"{seconds:.1f} s" if seconds < 10 else ago(seconds)


def times(count: int) -> str:
    """Once, twice, 5 times."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
